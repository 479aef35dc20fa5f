internal import Wire

/// How packets that were seen become journeys, and journeys exchanges. What the kernel tells of packets
/// depends on what is listened to.
protocol Joining: Sendable {
  /// Whether the kernel tells of NAT: which rule translates, and of packets under their new addresses
  /// wherever they go.
  var knowsNAT: Bool { get }

  /// Of two open journeys whose packets can be the one observed, as far as points tell, the one that it
  /// rather is; `best` is nil if no other was found, and that is returned if this one cannot be it
  /// either. Journeys are shown in the order in which they began, the last first. `now` is the time of
  /// the record.
  func better(
    _ index: Int, than best: Int?, for next: Sighting, traceID: UInt32?, in open: OpenJourneys,
    now: UInt64
  ) -> Int?

  /// Takes in that a packet was seen where its journey stands.
  mutating func note(_ journey: inout OpenJourney)

  /// What a journey is told together with, if it is of no probe.
  func key(of journey: OpenJourney, in open: OpenJourneys) -> ExchangeKey
}
