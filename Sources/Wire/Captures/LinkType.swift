/// What the packets of an interface begin with: https://www.tcpdump.org/linktypes.html
package struct LinkType: RawRepresentable, Sendable, Hashable, CustomStringConvertible {
  /// The number in a file's header.
  package let rawValue: UInt16

  /// The link type with this number, known or not.
  package init(rawValue: UInt16) { self.rawValue = rawValue }

  /// BSD's loopback: four octets that name the address family.
  package static let null = LinkType(rawValue: 0)
  /// An Ethernet header.
  package static let ethernet = LinkType(rawValue: 1)
  /// An IPv4 or IPv6 header; the version nibble says which.
  package static let raw = LinkType(rawValue: 101)
  /// The 16-octet header of Linux's "any" device, version 1.
  package static let linuxCooked = LinkType(rawValue: 113)
  /// An IPv4 header.
  package static let ipv4 = LinkType(rawValue: 228)
  /// An IPv6 header.
  package static let ipv6 = LinkType(rawValue: 229)
  /// The 20-octet header of Linux's "any" device, version 2: it begins with the EtherType.
  package static let linuxCooked2 = LinkType(rawValue: 276)
  /// An nfgenmsg and NFULA_… attributes: an NFLOG message without its netlink header.
  package static let nflog = LinkType(rawValue: 239)
  /// A 16-octet header that names the netlink family, then the netlink message, header and all.
  package static let netlink = LinkType(rawValue: 253)

  /// The name that tcpdump has for it, or the number.
  package var description: String {
    switch self {
    case .null: "NULL"
    case .ethernet: "EN10MB"
    case .raw: "RAW"
    case .linuxCooked: "LINUX_SLL"
    case .linuxCooked2: "LINUX_SLL2"
    case .ipv4: "IPV4"
    case .ipv6: "IPV6"
    case .nflog: "NFLOG"
    case .netlink: "NETLINK"
    default: "\(rawValue)"
    }
  }
}
