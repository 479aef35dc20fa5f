/// A packet and what came of it: the request first, then its answers in order of time.
public struct Exchange: Sendable, Equatable {
  /// The packets, in the order in which they were first seen.
  public var journeys: [Journey]
  /// What is to be said about recorded traffic; of a ping's probes, `ProbeResult` has it.
  public var findings: [Finding] = []

  /// An exchange of these packets.
  public init(journeys: [Journey]) { self.journeys = journeys }

  /// The packet that began it.
  public var request: Journey? { journeys.first { $0.direction == .request } }
  /// The first packet that answered it.
  public var reply: Journey? { journeys.first { $0.direction == .reply } }
  /// The first ICMP error about it.
  public var error: Journey? { journeys.first { $0.direction == .error } }
}
