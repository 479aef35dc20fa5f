internal import Wire

/// Sessions of several machines, or namespaces, that are told as one: by one clock, each at a place of its own.
///
/// Where one of them is a ping's, it is told as that ping, which the others have watched; else as what was recorded.
package struct JoinedSessions: Sendable {
  /// What each is: its first header, nil where other programs made it, and what its file is called.
  package struct Source: Sendable {
    var header: SessionHeader?
    var name: String

    /// A session of this header and name.
    package init(header: SessionHeader?, name: String) {
      self.header = header
      self.name = name
    }
  }

  /// The places, one for each session.
  package let sites: [Site]
  /// The session that has the probes; nil where none has, or several.
  package let ping: Int?
  /// How far the clocks of recordings are ahead of that of the first, which is the one that all are told by; empty where
  /// the story of a ping says it.
  package let clocks: [ProbeResult.Clock]
  /// Sessions that have no packet in common with the others.
  package let strangers: [Int]

  /// The header of the ping, with the others as places where it was watched; nil where there is no ping.
  package let header: SessionHeader?
  /// The places of the others in it, by the sessions.
  private let places: [Int: Int]
  private let offsets: [Int64]
  private let stamps: [(ahead: Int64, doubt: Int64)]
  /// Nanoseconds since the epoch between which packets can be the probes'.
  private let window: ClosedRange<UInt64>?

  /// Nanoseconds before and behind the probes in which packets may be theirs.
  private static let margin: UInt64 = 500_000_000
  /// Nanoseconds by which what others have seen is taken in sooner than its time: it comes before a probe is over.
  private static let lead: UInt64 = 100_000_000

  /// Nanoseconds by which the elements of a session are taken in sooner than those of others of the same time.
  package func lead(of source: Int) -> UInt64 { ping == nil || ping == source ? 0 : Self.lead }

  /// What these sessions tell together, by what a look through them has found.
  package init(_ sources: [Source], _ survey: ClockSurvey) {
    let pings = sources.indices.filter { sources[$0].header?.probe != nil }
    let ping = pings.count == 1 ? pings[0] : nil
    self.ping = ping
    let base = ping ?? 0
    let found = survey.offsets(from: base)
    offsets = found.ahead
    stamps = sources.indices.map { survey.stamps(in: $0) }
    strangers = sources.indices.filter { source in
      ping == nil
        ? found.group.filter { $0 == found.group[source] }.count == 1
        : found.group[source] != found.group[base]
    }
    window = ping.flatMap { ping in
      let patience = UInt64(nearest: (sources[ping].header?.probe?.timeout ?? 0) * 1e9)
      return survey.sent.map {
        $0.lowerBound.earlier(
          by: Self.margin)...$0.upperBound.later(by: patience)
          .later(by: Self.margin)
      }
    }
    let hosts = sources.map { $0.header?.host }
    let areTold = hosts.allSatisfy { $0 != nil } && Set(hosts).count == hosts.count
    let sites = sources.map { source in
      let host = areTold ? source.header?.host ?? "" : source.name
      // By its own name it is reached, if by any.
      return Site(machine: host, path: areTold && Site.isMachine(host) ? host : nil)
    }
    self.sites = sites
    clocks =
      ping != nil
      ? []
      : zip(sites, found.known).compactMap { site, offset in
        offset.map { ProbeResult.Clock(site: site, offset: $0) }
      }
    var header = ping.flatMap { sources[$0].header }
    var places: [Int: Int] = [:]
    if let ping, header != nil {
      header!.called = sources[ping].name
      for index in sources.indices where index != ping && found.group[index] == found.group[ping] {
        guard var other = sources[index].header else { continue }
        other.called = sources[index].name
        other.others = []
        header!.others.append(other)
        places[index] = header!.others.count
      }
    }
    self.header = header
    self.places = places
  }

  /// What to tell first.
  package var opening: [SessionDecoder.Element] {
    guard let header else { return [] }
    return [.header(header)]
      + places.sorted { $0.value < $1.value }.map { source, place in
        .record(Record(time: 0, clock(source), at: place))
      }
  }

  /// By how much the clock of a session is ahead of what its times are told by.
  private func clock(_ source: Int) -> Record.Content {
    .note(
      .clockAhead(
        offsets[source], stamps: stamps[source].ahead, doubt: stamps[source].doubt))
  }

  /// What an element of one of the sessions is among all; several, for a header, and none for what is left out.
  package func elements(
    _ element: SessionDecoder.Element, of source: Int
  ) -> [SessionDecoder.Element] {
    switch element {
    case .header:
      if ping != nil { return [] }
      return [element, .record(Record(time: 0, clock(source)))]
    case .record(let record): return self.record(record, of: source).map { [.record($0)] } ?? []
    }
  }

  /// What a record of one of the sessions is among all; nil for what is left out.
  package func record(_ record: Record, of source: Int) -> Record? {
    var moved = record.moved(ahead: offsets[source])
    guard ping != nil, source != ping else { return moved }
    guard let place = places[source] else { return nil }
    moved.place = place
    if moved.tellsOfSurroundings { return moved }
    return window?.contains(moved.time) == true ? moved : nil
  }
}
