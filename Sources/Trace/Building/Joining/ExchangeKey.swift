/// What the journeys of an exchange have in common.
enum ExchangeKey: Hashable {
  case probe(Int)
  /// By conntrack's number.
  case flow(UInt32, UInt16)
  /// By addresses alone, with a number of `LoggedFlows`.
  case pair(UInt32, UInt16)
  case echo(PacketIdentity)
  case journey(Int)
}

extension ExchangeKey {
  /// One word, where there is no more in it: this is asked for all open journeys, time and again.
  func hash(into hasher: inout Hasher) {
    switch self {
    case .probe(let number): hasher.combine(number)
    case .flow(let id, let sequence): hasher.combine(UInt64(id) << 16 | UInt64(sequence))
    case .pair(let number, let sequence):
      hasher.combine(1 << 48 | UInt64(number) << 16 | UInt64(sequence))
    case .echo(let identity): identity.hash(into: &hasher)
    case .journey(let id): hasher.combine(~id)
    }
  }
}
