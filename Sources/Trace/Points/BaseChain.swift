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
}
