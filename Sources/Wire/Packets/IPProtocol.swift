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
    let number = UInt8(text) ?? Self.otherNames[text]
    guard let known = named ?? number.map({ IPProtocol(rawValue: $0) }) else { return nil }
    self = known
  }

  /// What else /etc/protocols has names for. "ipip" is number 94 there, and 4 to everybody else.
  private static let otherNames: [String: UInt8] = [
    "ip": 0, "hopopt": 0, "ggp": 3, "ipencap": 4, "ip-encap": 4, "st": 5, "egp": 8, "igp": 9,
    "pup": 12, "hmp": 20, "xns-idp": 22, "rdp": 27, "iso-tp4": 29, "dccp": 33, "xtp": 36, "ddp": 37,
    "idpr-cmtp": 38, "ipv6-route": 43, "ipv6-frag": 44, "idrp": 45, "rsvp": 46, "ipsec-esp": 50,
    "ipsec-ah": 51, "skip": 57, "ipv6-icmp": 58, "icmp6": 58, "ipv6-nonxt": 59, "ipv6-opts": 60,
    "rspf": 73, "cphb": 73, "vmtp": 81, "eigrp": 88, "ospfigp": 89, "ax.25": 93, "etherip": 97,
    "encap": 98, "pim": 103, "ipcomp": 108, "l2tp": 115, "isis": 124, "fc": 133,
    "mobility-header": 135, "mpls-in-ip": 137, "manet": 138, "hip": 139, "shim6": 140, "wesp": 141,
    "rohc": 142, "ethernet": 143,
  ]

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
  /// RFC 2784.
  package static let gre = IPProtocol(rawValue: 47)

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
