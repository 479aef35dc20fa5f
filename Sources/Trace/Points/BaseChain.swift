public import Wire

/// A base chain that is there already, whoever made it.
public struct BaseChain: Sendable, Hashable {
  /// The hook it is registered at.
  public var hook: Hook
  /// Its priority there.
  public var priority: Int32
  /// The chain's name.
  public var name: String
  /// "filter", "nat" or "route".
  public var type: String

  /// A base chain of these fields.
  public init(hook: Hook, priority: Int32, name: String, type: String) {
    self.hook = hook
    self.priority = priority
    self.name = name
    self.type = type
  }
}
