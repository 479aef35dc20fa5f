internal import Wire

/// A base chain that packets pass at an observation point, by what it is called.
package struct PassedChain: Sendable, Equatable {
  /// NFPROTO_… of the table.
  package var family: UInt8
  /// The table's name.
  package var table: String
  /// The chain's name; nil for a table of iptables, whose chains are called as the hook is.
  package var chain: String?
  /// Whether it is for NAT: then packets of a connection that is known do not go through its rules.
  package var isNAT: Bool
}

/// The base chains that others than nftrace made, by where packets pass them.
struct PassedChains: Sendable {
  private struct Key: Hashable {
    var hook: Hook
    var version: Int
    var priority: Int32
  }

  private var chains: [Key: [PassedChain]] = [:]

  /// Of these base chains, and these tables of iptables-legacy by IP version.
  init(_ base: [ChainMessage], legacy: [Int: [String]]) {
    for chain in base.sorted(by: { ($0.family, $0.table, $0.name) < ($1.family, $1.table, $1.name) }
    ) {
      guard let hook = chain.hook, let listed = chain.priority else { continue }
      let isIPTables = TableName(chain.family, chain.table).isIPTables(among: base)
      // All NAT chains of a hook run inside the one NAT position, whatever their priority.
      let nat = chain.type == "nat" ? ObservationPoint.priority(of: "nat", at: hook) : nil
      let passed = PassedChain(
        family: chain.family, table: chain.table, chain: isIPTables ? nil : chain.name,
        isNAT: chain.type == "nat")
      for version in [4, 6] {
        guard [NFProto.inet, Self.family(version)].contains(chain.family) else { continue }
        add(passed, Key(hook: hook, version: version, priority: nat ?? listed))
      }
    }
    for (version, tables) in legacy {
      for table in tables {
        for hook in ObservationPoint.inetHooks {
          guard let priority = ObservationPoint.priority(of: table, at: hook) else { continue }
          add(
            PassedChain(family: Self.family(version), table: table, isNAT: table == "nat"),
            Key(hook: hook, version: version, priority: priority))
        }
      }
    }
  }

  private static func family(_ version: Int) -> UInt8 {
    version == 4 ? NFProto.ipv4 : NFProto.ipv6
  }

  private mutating func add(_ chain: PassedChain, _ key: Key) {
    // Both iptables may have a table of one name.
    if chains[key]?.contains(chain) != true { chains[key, default: []].append(chain) }
  }

  /// Those that a packet of this IP version has passed at `point`, and not at the point before.
  func at(_ point: ObservationPoint, version: Int) -> [PassedChain] {
    guard point.table != nil else { return [] }
    return chains[Key(hook: point.hook, version: version, priority: point.chainPriority)] ?? []
  }
}

extension ObservationPoint {
  /// Where the kernel's own code and the iptables tables stand at a hook.
  fileprivate static func priority(of table: String, at hook: Hook) -> Int32? {
    positions[hook]?.first { $0.table == table }?.priority
  }
}
