internal import Glibc
internal import Kernel

/// UDP packets sent one after the other, and how long one takes: on veth devices the sender goes the whole way of a packet,
/// through every namespace, before it sends the next.
///
/// `rate` is packets a second, nil for as many as go. Sent is to `address`, port 9; what comes back is not read.
enum Flood {
  static func run(_ address: String, packets: Int, rate: Int?) {
    let descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
    var place = sockaddr_in()
    place.sin_family = sa_family_t(AF_INET)
    place.sin_port = UInt16(9).bigEndian
    // Sound: the text ends with a zero, and there is room for an address.
    let isAddress = unsafe inet_pton(AF_INET, address, &place.sin_addr) == 1
    // Sound: the size is that of the variable pointed to, which is an address as connect(2) takes it.
    let failed = unsafe withUnsafePointer(to: &place) {
      unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard isAddress, failed == 0 else {
      print("bench flood: cannot send to \(address): errno \(errno)")
      exit(1)
    }
    let payload = [UInt8](repeating: 7, count: 64)
    var unsent = 0
    let start = Clock.monotonic
    for number in 0..<packets {
      if let rate {
        let due = start + UInt64(number) * 1_000_000_000 / UInt64(rate)
        while Clock.monotonic < due {}
      }
      // Sound: the pointer and the size are those of one array, which the call only reads.
      let sent = unsafe payload.withUnsafeBytes {
        unsafe send(descriptor, $0.baseAddress!, $0.count, 0)
      }
      if sent != payload.count { unsent += 1 }
    }
    let took = Clock.monotonic - start
    print(Double(took) / Double(packets), unsent)
  }
}
