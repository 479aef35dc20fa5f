/// Protocol families of netfilter.
package enum NFProto {
  /// NFPROTO_INET: IPv4 and IPv6.
  package static let inet: UInt8 = 1
  /// NFPROTO_IPV4.
  package static let ipv4: UInt8 = 2
  /// NFPROTO_ARP.
  package static let arp: UInt8 = 3
  /// NFPROTO_NETDEV.
  package static let netdev: UInt8 = 5
  /// NFPROTO_BRIDGE.
  package static let bridge: UInt8 = 7
  /// NFPROTO_IPV6.
  package static let ipv6: UInt8 = 10

  /// The family's name in nft(8).
  package static func name(_ family: UInt8) -> String {
    switch family {
    case inet: "inet"
    case ipv4: "ip"
    case arp: "arp"
    case netdev: "netdev"
    case bridge: "bridge"
    case ipv6: "ip6"
    default: "family \(family)"
    }
  }
}
