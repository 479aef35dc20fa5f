internal import Wire

extension FindingID {
  static let mixedBackends = FindingID(rawValue: "mixed-backends")
}

/// Rules of both iptables-legacy and nf_tables are in force.
enum MixedBackends: LossNote {
  static let page = FindingPage(
    .mixedBackends, "Rules of both iptables-legacy and nf_tables are in force",
    meaning: """
      The kernel has two sets of tables, and a packet must pass both. `iptables-legacy` lists one,
      `nft` and `iptables-nft` the other; whoever looks at one of them only does not see what the other
      drops. It happens when one program of the machine uses the old iptables and another the new one.
      """,
    certainty: """
      A note, and always certain. It is shown when a packet was lost.
      """,
    conclusion: """
      `/proc/net/ip_tables_names` (or `ip6_tables_names`) has tables, and there are base chains of
      nf_tables for the same IP version.
      """,
    advice: """
      Choose one: `update-alternatives --config iptables` on Debian says which the command `iptables`
      uses. Then flush the other (`iptables-legacy -F`, and unload `iptable_filter` and its like), after
      you have moved what you need.
      """)

  static func examine(_ lost: LostPacket) -> Finding? {
    let legacy = lost.snapshot.legacyTables(version: lost.version)
    let family = lost.version == 4 ? NFProto.ipv4 : NFProto.ipv6
    let isModern = lost.snapshot.baseChains.contains {
      $0.family == family || $0.family == NFProto.inet
    }
    guard !legacy.isEmpty, isModern else { return nil }
    return note(
      "rules of both iptables-legacy and nf_tables are in force here: either may drop a packet, and "
        + "each tool lists only its own", evidence: [.legacyTables(legacy)])
  }
}
