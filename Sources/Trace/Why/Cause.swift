/// Why a packet was lost. It looks at the packet, and speaks only if it is sure to be the cause: the
/// first in the registry that speaks is, those after it would be its symptoms.
protocol Cause: Diagnosis {
  /// What is found of a packet that went into this host's hooks.
  static func examine(_ lost: LostPacket) -> Finding?
  /// What is found of a packet that this host itself would not send.
  static func examine(_ unsent: UnsentPacket) -> Finding?
  /// Whether the refusal that came back tells it, so that it is certain of recorded traffic as well,
  /// of which nobody could be asked.
  static var isToldByRefusal: Bool { get }
  /// Whether it may be told of recorded traffic that was lost in the routing decision, by what was recorded of routing.
  static var isToldByRouting: Bool { get }
  /// Whether it may be told of recorded traffic that nobody answered.
  static var isToldBySilence: Bool { get }
}

extension Cause {
  static var kind: DiagnosisKind { .cause(Self.self) }
  static func examine(_ lost: LostPacket) -> Finding? { nil }
  static func examine(_ unsent: UnsentPacket) -> Finding? { nil }
  static var isToldByRefusal: Bool { false }
  static var isToldByRouting: Bool { false }
  static var isToldBySilence: Bool { false }
}
