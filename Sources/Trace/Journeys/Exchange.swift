internal import Wire

/// A packet and what came of it: the request first, then its answers in order of time.
package struct Exchange: Sendable, Equatable {
  /// The packets, in the order in which they were first seen.
  package var journeys: [Journey]
  /// What is to be said about recorded traffic; of a ping's probes, `ProbeResult` has it.
  package var findings: [Finding] = []

  /// Whether the times of all its packets are by one clock, though they are of several machines.
  package var isByOneClock = false

  /// An exchange of these packets.
  package init(journeys: [Journey]) { self.journeys = journeys }

  /// The packet that began it.
  package var request: Journey? { first(.request) }
  /// The first packet that answered it.
  package var reply: Journey? { first(.reply) }
  /// Nanoseconds between the kernel's stamps of the request where it came in, or of this host's own where
  /// it left, and of its answer where it was seen last; nil where there are none.
  package var roundTrip: UInt64? {
    // Through several places, where the request began is where the answer is waited for.
    let answer = journeys.first {
      ($0.direction == .reply || $0.direction == .error) && $0.site == request?.site
    }
    guard let sent = request?.firstStamp, let answered = (answer ?? reply ?? error)?.lastStamp,
      answered >= sent
    else { return nil }
    return answered.since(sent)
  }
  /// The first ICMP error about it.
  package var error: Journey? { first(.error) }

  /// Whether a probe is among its packets, or an answer to one.
  var isOfProbe: Bool { journeys.contains { $0.probe != nil } }

  private func first(_ direction: Journey.Direction) -> Journey? {
    // Each is looked at where it is: there is much in one.
    journeys.indices.first { journeys.span[$0].direction == direction }.map { journeys[$0] }
  }
}
