/// An IP protocol number (IANA "Assigned Internet Protocol Numbers"). Unknown ones are kept.
package struct IPProtocol: RawRepresentable, Sendable, Hashable, CustomStringConvertible {
  /// The number.
  package let rawValue: UInt8
  /// The protocol of a number, known or not.
  package init(rawValue: UInt8) { self.rawValue = rawValue }

  /// The protocol of this name, in capitals or not, or number; nil if there is none.
  package init?(_ text: String) {
    let text = text.lowercased()
    let named = (0...UInt8.max).lazy.map { IPProtocol(rawValue: $0) }.first { "\($0)" == text }
    guard let known = named ?? UInt8(text).map({ IPProtocol(rawValue: $0) }) else { return nil }
    self = known
  }

  /// RFC 792.
  package static let icmp = IPProtocol(rawValue: 1)
  /// RFC 3376.
  package static let igmp = IPProtocol(rawValue: 2)
  /// RFC 9293.
  package static let tcp = IPProtocol(rawValue: 6)
  /// RFC 768.
  package static let udp = IPProtocol(rawValue: 17)
  /// RFC 4443.
  package static let icmpv6 = IPProtocol(rawValue: 58)

  /// Whether this is ICMP of either version.
  package var isICMP: Bool { self == .icmp || self == .icmpv6 }

  /// The name as in /etc/protocols, or the number.
  package var description: String {
    switch rawValue {
    case 1: "icmp"
    case 2: "igmp"
    case 4: "ipip"
    case 6: "tcp"
    case 17: "udp"
    case 41: "ipv6"
    case 47: "gre"
    case 50: "esp"
    case 51: "ah"
    case 58: "icmpv6"
    case 89: "ospf"
    case 112: "vrrp"
    case 132: "sctp"
    case 136: "udplite"
    default: "\(rawValue)"
    }
  }
}
