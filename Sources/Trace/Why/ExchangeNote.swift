/// What explains what the user sees of an exchange, without being a fault.
protocol ExchangeNote: Diagnosis {
  /// `answers` are to its needs; few notes look at them.
  static func examine(_ exchange: Exchange, _ answers: () -> Answers) -> Finding?
  /// Whether the kernel is to be asked for what it needs although all went well.
  static func asks(about journeys: [Journey], _ snapshot: Snapshot) -> Bool
}

extension ExchangeNote {
  static var kind: DiagnosisKind { .exchangeNote(Self.self) }
  static func asks(about journeys: [Journey], _ snapshot: Snapshot) -> Bool { false }
}
