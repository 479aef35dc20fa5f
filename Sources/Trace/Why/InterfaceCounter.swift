/// A counter that each interface has.
package struct InterfaceCounter: Sendable, Hashable {
  /// What follows the interface's name and a dot.
  package let key: String

  /// What its queueing disciplines and tc filters dropped.
  static let queueDropped = InterfaceCounter(key: "queue_dropped")

  func name(of device: String) -> String { "\(device).\(key)" }
}
