package import Wire

extension TableName {
  /// Tables that iptables-nft keeps in nf_tables, in the families ip and ip6.
  private static let iptables = ["filter", "nat", "mangle", "raw", "security"]

  /// Whether iptables-nft made this table: it has the name and the family of one of its tables, and its
  /// base chains, among these, have the names of their hooks in upper case, as people who write for nft
  /// hardly name them.
  package func isIPTables(among chains: some Sequence<ChainMessage>) -> Bool {
    guard family == NFProto.ipv4 || family == NFProto.ipv6, Self.iptables.contains(name) else {
      return false
    }
    let base = chains.filter { $0.family == family && $0.table == name && $0.hook != nil }
    return !base.isEmpty && base.allSatisfy { $0.name == $0.hook?.rawValue.uppercased() }
  }
}
