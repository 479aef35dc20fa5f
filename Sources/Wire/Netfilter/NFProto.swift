/// Protocol families of netfilter.
public enum NFProto {
  /// NFPROTO_INET: IPv4 and IPv6.
  public static let inet: UInt8 = 1
  /// NFPROTO_IPV4.
  public static let ipv4: UInt8 = 2
  /// NFPROTO_ARP.
  public static let arp: UInt8 = 3
  /// NFPROTO_NETDEV.
  public static let netdev: UInt8 = 5
  /// NFPROTO_BRIDGE.
  public static let bridge: UInt8 = 7
  /// NFPROTO_IPV6.
  public static let ipv6: UInt8 = 10

  /// The family's name in nft(8).
  public static func name(_ family: UInt8) -> String {
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
