internal import CNetfilter
internal import Glibc
package import Wire

/// What a lab's server does besides answering echo requests: it sends datagrams back to where they came from.
package enum LabService {
  /// Octets of a datagram that are sent back.
  private static let most = 2048

  /// Answers what comes for a UDP port, in the network namespace of the calling thread, until the process ends.
  package static func echo(at address: IPAddress, port: UInt16) throws(KernelError) {
    let number = socket(
      address.family == 4 ? AF_INET : AF_INET6,
      Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    // Sound: the address is there during the call, which only reads it.
    let failed =
      number < 0
      ? Glibc.errno
      : unsafe LocalSender.withAddress(address, port: port) { unsafe Glibc.bind(number, $0, $1) }
    guard failed == 0 else {
      throw KernelError(cannot: "build the lab", function: "bind", errno: failed)
    }
    var thread = pthread_t()
    // Sound: the number travels as a pointer's value, and is never used as one.
    let started = unsafe pthread_create(
      &thread, nil,
      { number in
        LabService.serve(Int32(truncatingIfNeeded: Int(bitPattern: number)))
        return nil
      }, UnsafeMutableRawPointer(bitPattern: Int(number)))
    guard started == 0 else {
      throw KernelError(cannot: "build the lab", function: "pthread_create", errno: started)
    }
    pthread_detach(thread)
  }

  private static func serve(_ number: Int32) {
    var octets = [UInt8](repeating: 0, count: most)
    var peer = sockaddr_storage()
    while true {
      var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
      // Sound: no more is written than the array and the storage have, whose sizes are said.
      let count = unsafe withUnsafeMutablePointer(to: &peer) { peer in
        unsafe peer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
          let count = unsafe recvfrom(number, &octets, most, 0, address, &length)
          if count >= 0 { _ = unsafe sendto(number, octets, count, 0, address, length) }
          return count
        }
      }
      if count < 0, Glibc.errno != EINTR, Glibc.errno != ECONNREFUSED { return }
    }
  }
}
