/// What explains what the user sees of an exchange, without being a fault.
protocol ExchangeNote: Diagnosis {
  /// `answers` are to its needs; few notes look at them.
  static func examine(_ exchange: Exchange, _ answers: () -> Answers) -> Finding?
}
