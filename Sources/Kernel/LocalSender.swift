internal import CNetfilter
internal import Glibc
public import Wire

/// Sends whole IP packets from this host, through the OUTPUT path: raw(7) with the header included.
public final class LocalSender: Sendable {
  private let file: FileDescriptor
  private let version: Int

  /// `IPPROTO_RAW` of <netinet/in.h>: with it, the header comes with the packet, in IPv6 as well.
  private static let raw: Int32 = 255

  /// Opens the socket. With `source`, which must be one of this host's addresses, routing knows it
  /// before it chooses.
  public init(version: Int, source: IPAddress?, tos: UInt8) throws(KernelError) {
    let family = version == 4 ? AF_INET : AF_INET6
    let number = socket(family, Int32(SOCK_RAW.rawValue) | Int32(SOCK_CLOEXEC.rawValue), Self.raw)
    guard number >= 0 else {
      let code = Glibc.errno
      throw KernelError(
        cannot: "send packets from this host", function: "socket", errno: code,
        help: Capability.help(for: code, "CAP_NET_RAW", "raw sockets"))
    }
    file = FileDescriptor(owning: number)
    self.version = version
    var value = Int32(1)
    let size = socklen_t(MemoryLayout<Int32>.size)
    unsafe setsockopt(number, SOL_SOCKET, SO_BROADCAST, &value, size)
    value = Int32(tos)
    // IP_TOS of level IPPROTO_IP: routing may choose by it. IPv6 takes it from the header alone.
    if version == 4 { unsafe setsockopt(number, 0, IP_TOS, &value, size) }
    guard let source else { return }
    let failed = unsafe Self.withAddress(source, port: 0) { unsafe Glibc.bind(number, $0, $1) }
    guard failed == 0 else {
      throw KernelError(
        .usage, cannot: "send from \(source)", function: "bind", errno: failed,
        help: "With --local the source is one of this host's own addresses: see 'ip addr'.")
    }
  }

  /// A closure that sends the packet and returns an errno, 0 if that went well.
  func sending(_ packet: [UInt8], to destination: IPAddress) -> @Sendable () -> Int32 {
    {
      unsafe Self.withAddress(destination, port: 0) { address, length in
        // Sound: the pointer and the count are those of one array, which the call only reads.
        let count = unsafe packet.withUnsafeBytes {
          unsafe sendto(self.file.number, $0.baseAddress, $0.count, 0, address, length)
        }
        return count < 0 ? -1 : 0
      }
    }
  }

  /// Calls `body` with the address as the C library has it; returns errno where that returns -1.
  fileprivate static func withAddress(
    _ address: IPAddress, port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
  ) -> Int32 {
    var storage = sockaddr_storage()
    let bytes = address.bytes
    let length =
      address.family == 4 ? MemoryLayout<sockaddr_in>.size : MemoryLayout<sockaddr_in6>.size
    // Sound: both kinds of address fit into the storage, which is aligned for them.
    unsafe withUnsafeMutableBytes(of: &storage) { octets in
      let family = sa_family_t(address.family == 4 ? AF_INET : AF_INET6)
      unsafe octets.storeBytes(of: family, as: sa_family_t.self)
      unsafe octets.storeBytes(of: port.bigEndian, toByteOffset: 2, as: UInt16.self)
      for (index, byte) in bytes.enumerated() {
        unsafe octets[(address.family == 4 ? 4 : 8) + index] = byte
      }
    }
    let result = unsafe withUnsafePointer(to: &storage) {
      unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe body($0, socklen_t(length))
      }
    }
    return result < 0 ? Glibc.errno : 0
  }
}

/// Holds a UDP port of this host, so that the kernel does not refuse what answers a datagram that was
/// sent from it by other means.
public final class HeldPort: Sendable {
  private let file: FileDescriptor

  /// Takes the port; nil if it is taken already, and so held by somebody else.
  public init?(_ port: UInt16, on address: IPAddress) {
    let family = address.family == 4 ? AF_INET : AF_INET6
    let number = socket(
      family, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard number >= 0 else { return nil }
    file = FileDescriptor(owning: number)
    let failed = unsafe LocalSender.withAddress(address, port: port) {
      unsafe Glibc.bind(number, $0, $1)
    }
    if failed != 0 { return nil }
  }
}
