package import Wire

/// A base chain that is there already, whoever made it.
package struct BaseChain: Sendable, Hashable {
  /// The hook it is registered at.
  package var hook: Hook
  /// Its priority there.
  package var priority: Int32
  /// The chain's name.
  package var name: String
  /// "filter", "nat" or "route".
  package var type: String

  /// A base chain of these fields.
  package init(hook: Hook, priority: Int32, name: String, type: String) {
    self.hook = hook
    self.priority = priority
    self.name = name
    self.type = type
  }

  /// The chains of these tables of iptables: "filter", "nat"…
  package static func iptables(_ tables: Set<String>) -> [BaseChain] {
    ObservationPoint.positions.flatMap { hook, positions in
      positions.filter { tables.contains($0.table) }.map {
        BaseChain(
          hook: hook, priority: $0.priority, name: hook.rawValue.uppercased(),
          type: $0.table == "nat" ? "nat" : "filter")
      }
    }
  }
}
