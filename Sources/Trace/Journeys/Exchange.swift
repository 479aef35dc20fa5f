/// A packet and what came of it: the request first, then its answers in order of time.
package struct Exchange: Sendable, Equatable {
  /// The packets, in the order in which they were first seen.
  package var journeys: [Journey]
  /// What is to be said about recorded traffic; of a ping's probes, `ProbeResult` has it.
  package var findings: [Finding] = []

  /// An exchange of these packets.
  package init(journeys: [Journey]) { self.journeys = journeys }

  /// The packet that began it.
  package var request: Journey? { journeys.first { $0.direction == .request } }
  /// The first packet that answered it.
  package var reply: Journey? { journeys.first { $0.direction == .reply } }
  /// The first ICMP error about it.
  package var error: Journey? { journeys.first { $0.direction == .error } }
}
