/// The header that follows the IP header.
package enum Transport: Sendable, Equatable {
  case icmp(ICMPHeader)
  case tcp(TCPHeader)
  case udp(UDPHeader)
  /// A protocol this module does not look into.
  case other
  /// A fragment that is not the first, or cut off.
  case absent

  @_lifetime(reader: copy reader)
  init(parsing reader: inout ByteReader, proto: IPProtocol) {
    switch proto {
    case .icmp, .icmpv6:
      self = (try? ICMPHeader(parsing: &reader)).map { .icmp($0) } ?? .absent
    case .tcp: self = (try? TCPHeader(parsing: &reader)).map { .tcp($0) } ?? .absent
    case .udp: self = (try? UDPHeader(parsing: &reader)).map { .udp($0) } ?? .absent
    default: self = .other
    }
  }
}
