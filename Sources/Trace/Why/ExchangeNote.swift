/// What explains what the user sees of an exchange, without being a fault.
protocol ExchangeNote: Diagnosis {
  static func examine(_ exchange: Exchange, _ answers: Answers) -> Finding?
}
