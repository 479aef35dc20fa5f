/// A counter that each interface has.
package struct InterfaceCounter: Sendable, Hashable {
  /// What follows the interface's name and a dot.
  package let key: String

  /// What its queueing disciplines and tc filters dropped.
  static let queueDropped = InterfaceCounter(key: "queue_dropped")

  /// What it was to send and did not; of a tunnel, what carries it that routing or a rule did not let go.
  static let sendingDropped = InterfaceCounter(key: "tx_dropped")

  func name(of device: String) -> String { "\(device).\(key)" }
}
