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
