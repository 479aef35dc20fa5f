// Probes that other machines watch as well, which have clocks of their own.
extension PingStory {
  /// A record of another machine that comes before probes are settled, as of before the end of these: it was on its way for
  /// longer than what this one says.
  package func timely(_ record: Record) -> Record {
    guard record.place > 0, clocks != nil, let end = nextDeadline else { return record }
    var record = record
    record.time = min(record.time, end)
    return record
  }

  /// What the places tell of a probe, as one; nil where there is one place.
  mutating func walk(of parts: [Exchange], sent: UInt64?) -> ProbeWalk? {
    if places.isEmpty { return nil }
    guard clocks != nil else { return ProbeWalk(parts, places) }
    return ProbeWalk(parts, places, sent: sent, &clocks!)
  }

  /// How far the clocks of the other machines are ahead, as far as packets have told.
  var offsets: [ProbeResult.Clock] {
    guard let offsets = clocks?.offsets else { return [] }
    return zip(places, offsets).enumerated().dropFirst().compactMap { place, clock in
      clock.1.map {
        ProbeResult.Clock(
          site: clock.0,
          offset: $0.moved(by: stories[place].clock.ahead, doubt: stories[place].clock.doubt))
      }
    }
  }
}
