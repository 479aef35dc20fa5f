internal import Wire

/// The packets of one probe in the network namespaces that they went through, each as its own namespace tells
/// them: put in order, and the one found that decides over what became of the probe.
///
/// Whose packets they are, the probe's own numbers say, which no NAT on the way changes; so they belong together
/// whatever happened to addresses in between.
struct ProbeWalk {
  /// What each namespace tells, by its place.
  let parts: [Exchange]
  /// All of it, in the order in which it happened.
  let exchange: Exchange

  /// Joins what namespaces of these names tell.
  init(_ parts: [Exchange], names: [String]) {
    self.parts = parts
    let members = parts.indices.flatMap { place in
      parts[place].journeys.map { journey in
        var journey = journey
        journey.netns = names[place]
        return (source: place, journey: journey)
      }
    }
    exchange = Exchange(journeys: NamespaceMerge.ordered(members))
  }

  /// The place at which to look for the cause of a loss. `hasUnseen` says of a place whether the kernel dropped a
  /// packet of the probe there that no hook saw.
  func suspect(names: [String], hasUnseen: (Int) -> Bool) -> Int {
    let journeys = exchange.journeys
    let requests = journeys.filter { $0.direction == .request }
    let last =
      // What answers a request that a rule stopped is that rule's refusal.
      requests.last { $0.end.decider != nil }
      ?? journeys.last {
        $0.direction == .reply && !$0.isRefusalSent || $0.direction == .error && !$0.end.isThrough
      } ?? requests.last
      ?? journeys.first
    guard let last, let place = names.firstIndex(where: { $0 == last.netns }) else { return 0 }
    guard last.end.kind == .transmitted else { return place }
    // It was seen leaving; the next place may have lost it before any hook.
    let next = parts.indices.first { other in
      !parts[other].journeys.contains { $0.direction == last.direction } && hasUnseen(other)
    }
    return next ?? place
  }
}
