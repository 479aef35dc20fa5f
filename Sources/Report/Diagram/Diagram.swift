internal import Trace
internal import Wire

/// An exchange as a picture, before it is drawn: the way of one packet down through the network namespaces, and
/// that of its answer up again. What happened stands in the words of the timeline, from whose rows it is made.
struct Diagram: Sendable, Equatable {
  /// The network namespaces, in the order in which the packet came to them.
  var lanes: [Lane]
  /// When what happened; nil where clocks cannot be compared.
  var axis: Axis?
  /// What times are in.
  var unit: String

  /// A network namespace.
  struct Lane: Sendable, Equatable {
    /// What it is called; nil for the only one.
    var name: String?
    /// The packet's way through it.
    var there: Track?
    /// The answer's.
    var back: Track?
  }

  /// A packet's way through a namespace.
  struct Track: Sendable, Equatable {
    /// Its number.
    var id: Int
    /// What it is: "echo request".
    var packet: String
    /// Who sent it, if it came in from outside.
    var from: String?
    /// Whom it went to, if it left.
    var to: String?
    /// Where it was, in order.
    var stations: [Station]
    /// Whether it did not get through.
    var isLost: Bool
    /// What is wrong where its way ends, though it got through; nil for nothing.
    var complaint: String?
  }

  /// A place that a packet came to.
  struct Station: Sendable, Equatable {
    /// What kind of place.
    var kind: Kind
    /// What it is called.
    var title: String
    /// Microseconds since it began, in words; empty where that is not known.
    var time: String
    /// What happened there.
    var events: [Event]
    /// Whether the packet's way ended there, though it should not have.
    var isEnd: Bool { kind == .lost || events.contains { $0.kind == .stopped } }
  }

  /// Kinds of places.
  enum Kind: Sendable, Equatable {
    /// An interface.
    case interface
    /// The host itself.
    case host
    /// The routing decision.
    case route
    /// A hook.
    case hook
    /// Where it was lost, and nobody saw how.
    case lost
    /// Where it was seen no more, and that means nothing bad.
    case unseen
  }

  /// What happened at a hook.
  struct Event: Sendable, Equatable {
    /// The tables in which it did; none for what is said of the place.
    var tables: [String]
    /// What, a line each.
    var notes: [String]
    /// Of which kind it is.
    var kind: Kind
    /// When, as of a station.
    var time: String

    /// Kinds of what happens.
    enum Kind: Sendable, Equatable {
      /// The tables were passed.
      case passed
      /// Addresses or ports were translated.
      case translated
      /// A rule or policy stopped the packet.
      case stopped
    }
  }

  /// The times of both ways.
  struct Axis: Sendable, Equatable {
    /// When the packet was seen first and last, nanoseconds since it began.
    var there: ClosedRange<UInt64>
    /// The answer, likewise.
    var back: ClosedRange<UInt64>?
    /// Its end, in words.
    var end: String
  }

  /// Whether an answer is in it.
  var hasAnswer: Bool { lanes.contains { $0.there != nil && $0.back != nil } || isTwoWay }

  private var isTwoWay: Bool {
    lanes.contains { $0.there != nil } && lanes.contains { $0.back != nil }
  }

  /// The picture of an exchange; nil where nothing was seen. `isUnanswered` is whether an answer was waited for in vain.
  init?(_ exchange: Exchange, _ style: TextStyle, isUnanswered: Bool = false) {
    var style = style
    style.time = .relative
    style.allRules = false
    style.verbosity = .normal
    let walk = DiagramWalk(exchange)
    guard !walk.lanes.isEmpty else { return nil }
    let clocks = Timeline.Clocks(exchange)
    lanes = walk.lanes.map { lane in
      Lane(
        name: (lane.there ?? lane.back)?.site?.words,
        there: lane.there.map { Track($0, clocks, style) },
        back: lane.back.map { Track($0, clocks, style) })
    }
    if isUnanswered, lanes.allSatisfy({ $0.back == nil && $0.there?.isLost != true }) {
      lanes[lanes.count - 1].there?.complaint = Phrases.nothingBack
    }
    unit = style.micro
    axis = clocks.isOne ? Axis(walk, clocks, style) : nil
  }
}

extension Diagram {
  /// The same in letters that any terminal has, of which rows are as wide as they look.
  var inASCII: Diagram {
    func ascii(_ text: String) -> String { StyledLine(text).inASCII.text }
    func ascii(_ track: Track?) -> Track? {
      guard var track else { return nil }
      track.stations = track.stations.map { station in
        var station = station
        station.title = ascii(station.title)
        station.events = station.events.map { event in
          var event = event
          event.tables = event.tables.map { ascii($0) }
          event.notes = event.notes.map { ascii($0) }
          return event
        }
        return station
      }
      return track
    }
    var diagram = self
    diagram.lanes = lanes.map {
      Lane(name: $0.name.map { ascii($0) }, there: ascii($0.there), back: ascii($0.back))
    }
    return diagram
  }
}

extension Diagram.Track {
  fileprivate init(_ journey: Journey, _ clocks: Timeline.Clocks, _ style: TextStyle) {
    let timeline = Timeline(journey, clocks, style)
    id = journey.id
    packet = Phrases.name(journey.packet)
    isLost = journey.end.isLost
    stations = []
    var last: Timeline.Row.Place?
    for row in timeline.rows(journey) {
      let event = Diagram.Event(row, timeline)
      if row.stage.isEmpty, row.place == last {
        stations[stations.count - 1].events.append(event)
      } else {
        stations.append(Diagram.Station(row, event, timeline, isLost: journey.end.isLost))
      }
      last = row.place
    }
    if stations.first?.kind == .interface { from = Phrases.endpoint(journey.packet, .source) }
    if stations.last?.kind == .interface, journey.end.isThrough {
      to = Phrases.endpoint(journey.way.last.packet, .destination)
    }
  }
}

extension Diagram.Station {
  fileprivate init(
    _ row: Timeline.Row, _ event: Diagram.Event, _ timeline: Timeline, isLost: Bool
  ) {
    time = timeline.time(row)
    title = timeline.withoutCross(row.stage)
    events = [event]
    switch row.place {
    case .interface(let name):
      kind = .interface
      title = Escape.name(name)
      events[0].notes = row.aside
    case .host:
      kind = .host
      title = "this host"
      events[0].notes = row.aside
    case .route: kind = .route
    case .hook(let hook):
      kind = .hook
      title = hook.rawValue.uppercased()
    case .end: kind = row.failed && isLost ? .lost : .unseen
    }
    events.removeAll { $0.tables.isEmpty && $0.notes.isEmpty }
  }
}

extension Timeline {
  /// What is drawn with a cross beside it needs none in its text.
  fileprivate func withoutCross(_ text: String) -> String {
    let cross = style.cross + " "
    return text.hasPrefix(cross) ? String(text.dropFirst(cross.count)) : text
  }
}

extension Diagram.Event {
  fileprivate init(_ row: Timeline.Row, _ timeline: Timeline) {
    tables = row.tables.map(timeline.withoutCross)
    notes = row.details
    kind = row.failed ? .stopped : row.translates ? .translated : .passed
    time = timeline.time(row)
  }
}

extension Diagram.Axis {
  fileprivate init?(_ walk: DiagramWalk, _ clocks: Timeline.Clocks, _ style: TextStyle) {
    func range(_ journeys: [Journey]) -> ClosedRange<UInt64>? {
      let starts = journeys.map { $0.start.since(clocks.origin($0)) }
      let ends = zip(journeys, starts).map { $1.later(by: $0.places.last?.time ?? 0) }
      guard let first = starts.min(), let last = ends.max() else { return nil }
      return first...max(first, last)
    }
    guard let there = range(walk.lanes.compactMap(\.there)) ?? range(walk.lanes.compactMap(\.back))
    else { return nil }
    self.there = there
    back = walk.lanes.contains { $0.there != nil } ? range(walk.lanes.compactMap(\.back)) : nil
    let last = max(there.upperBound, back?.upperBound ?? 0)
    guard last > 0 else { return nil }
    end = "\(Phrases.microseconds(last)) \(style.micro)"
  }
}
