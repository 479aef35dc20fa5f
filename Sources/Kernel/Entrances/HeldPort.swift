internal import CNetfilter
internal import Glibc
internal import Wire

/// A UDP port of this host: datagrams are sent from it, and the kernel does not refuse what answers
/// them.
package final class HeldPort: Sendable {
  /// The port.
  package let port: UInt16
  private let file: FileDescriptor

  var number: Int32 { file.number }

  /// Takes the port, of one address or of all; nil if it is taken already.
  init?(_ port: UInt16, on source: IPAddress?, _ fields: LocalSender.Fields) {
    let family = fields.version == 4 ? AF_INET : AF_INET6
    let number = fields.socket(family, Int32(SOCK_DGRAM.rawValue), 0)
    guard number >= 0 else { return nil }
    self.port = port
    file = FileDescriptor(owning: number)
    fields.apply(to: number)
    var only = Int32(1)
    if fields.version == 6 {
      // Sound: the size is that of the variable pointed to; the address is there during its call.
      unsafe setsockopt(number, 41, IPV6_V6ONLY, &only, socklen_t(MemoryLayout<Int32>.size))
    }
    let address = source ?? (fields.version == 4 ? .v4(0) : .v6(0))
    let failed = unsafe LocalSender.withAddress(address, port: port) {
      unsafe Glibc.bind(number, $0, $1)
    }
    if failed != 0 { return nil }
  }
}
