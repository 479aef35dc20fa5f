internal import Trace
internal import Wire

/// Folds the hops of a journey into rows: what nothing happened at shares one.
struct RowBuilder {
  let style: TextStyle
  /// When the journey began, nanoseconds after the exchange.
  let start: UInt64
  /// Which way routing sent it, if that was asked.
  let route: RouteDecision?
  /// Whether the kernel stamped the packet at some hops: at the others, the time is a bound.
  let hasStamps: Bool
  private(set) var rows: [Timeline.Row] = []
  private var open: Timeline.Row?
  private var hook: Hook?
  /// Whether it is known what stands at that hook: a row says so, though it may be nothing.
  private var isKnown = false
  /// Whether conntrack asks the chains of NAT for the packet: that of a known connection is translated as the first was.
  private var asksNAT = true

  init(style: TextStyle, start: UInt64, route: RouteDecision?, hasStamps: Bool) {
    self.style = style
    self.route = route
    self.start = start
    self.hasStamps = hasStamps
  }

  /// Adds a hop with what happened on the way to it.
  mutating func add(_ leg: Leg, after previous: Hop?) {
    let hop = leg.hop
    switch hop.point.hook {
    case .ingress:
      close()
      let device = hop.inDevice ?? "?"
      var aside = ["ttl \(hop.packet.ttl)"] + Self.fragments(hop)
      var details: [String] = []
      if previous?.point.hook == .egress {
        details = Phrases.details(leg, style)
        let ttl = details.firstIndex { $0.hasPrefix("ttl ") }.map { details.remove(at: $0) }
        aside = ["again"] + (ttl.map { [$0] } ?? [])
        details.insert("in \(device) again" + (ttl.map { ", \($0)" } ?? ""), at: 0)
      } else {
        details = [(["in \(device)"] + aside).joined(separator: ", ")]
      }
      var row = row(hop, at: .interface(device), stage: "arrived", details: details)
      row.aside = aside + details.dropFirst()
      rows.append(row)
      hook = nil
    case .egress:
      close()
      let device = hop.outDevice ?? "?"
      let aside = Self.fragments(hop)
      var row = row(
        hop, at: .interface(device), stage: "sent",
        details: [(["out \(device)"] + aside).joined(separator: ", ")])
      row.aside = aside
      rows.append(row)
      hook = nil
    default:
      if hop.point.hook != hook { begin(leg, after: previous) }
      pass(leg)
    }
  }

  /// Adds what is to be said of rounds that are left out.
  mutating func addRounds(_ words: String) {
    close()
    guard let place = rows.last?.place else { return }
    rows.append(Timeline.Row(details: [words], place: place, aside: [words]))
    hook = nil
  }

  /// A row with the time of this hop; of its hook, if it is of nothing else.
  private func row(
    _ hop: Hop, at place: Timeline.Row.Place? = nil, stage: String = "", tables: [String] = [],
    details: [String] = [],
    failed: Bool = false
  ) -> Timeline.Row {
    let bound =
      switch hop.clock {
      case .kernel: ""
      case .reading: hasStamps && start.later(by: hop.time) > 0 ? style.atMost : ""
      }
    return Timeline.Row(
      time: start.later(by: hop.time), bound: bound, stage: stage, tables: tables,
      details: details, failed: failed, place: place ?? .hook(hop.point.hook))
  }

  private static func fragments(_ hop: Hop) -> [String] {
    guard hop.fragments > 1 else { return [] }
    return [
      hop.hasAllFragments ? "in \(hop.fragments) fragments" : "\(hop.fragments) fragments seen"
    ]
  }

  /// A new hook: before FORWARD and INPUT stands the routing decision.
  private mutating func begin(_ leg: Leg, after previous: Hop?) {
    let hop = leg.hop
    close()
    // Forwarding takes one off before FORWARD.
    var ttl = leg.changes.filter { $0.field == .ttl }.map {
      "ttl \($0.from) \(style.arrow) \($0.to)"
    }
    switch hop.point.hook {
    case .output where previous == nil:
      let way = Phrases.way(route, hop.outDevice)
      rows.append(
        Timeline.Row(
          stage: "created",
          details: ["by this host, out \(way), ttl \(hop.packet.ttl)"],
          place: .host, aside: ["out \(way)", "ttl \(hop.packet.ttl)"]))
    case _ where previous == nil:
      let device = hop.inDevice.map { "in \($0), " } ?? hop.outDevice.map { "out \($0), " } ?? ""
      let place = (hop.inDevice ?? hop.outDevice).map { Timeline.Row.Place.interface($0) } ?? .end
      rows.append(
        Timeline.Row(
          stage: "seen first", details: ["\(device)ttl \(hop.packet.ttl)"], place: place,
          aside: ["seen first", "ttl \(hop.packet.ttl)"]))
    case .forward where previous?.point.hook == .prerouting:
      rows.append(
        Timeline.Row(
          stage: "route",
          details: [([Phrases.route(leg.route, hop.outDevice)] + ttl).joined(separator: ", ")],
          place: .route))
      ttl = []
    case .input where previous?.point.hook == .prerouting:
      rows.append(
        Timeline.Row(stage: "route", details: ["to this host itself"], place: .route))
    default: break
    }
    hook = hop.point.hook
    isKnown = false
    open = row(hop, stage: hop.point.hook.rawValue.uppercased())
    open?.details += ttl
  }

  /// What was passed on the way to a hop, by name; of the position, where nobody listed chains.
  private func passed(_ leg: Leg) -> [String] {
    guard let position = leg.hop.point.table.map(Escape.name) else { return [] }
    guard let chains = leg.hop.passed else { return [position] }
    let tracked = position == "conntrack" && leg.tracked != nil ? [position] : []
    return tracked + chains.filter { !$0.isNAT || asksNAT }.map(RuleWords.chain)
  }

  /// Adds a table that was passed; what happened in it gets a row of its own.
  private mutating func pass(_ leg: Leg) {
    let hop = leg.hop
    if let state = leg.tracked { asksNAT = state == .new }
    var names = passed(leg)
    let details = Phrases.details(leg, style, beside: names)
    // What happened where nothing is known to stand has the position's name.
    if names.isEmpty, !details.isEmpty { names = hop.point.table.map { [Escape.name($0)] } ?? [] }
    if hop.passed != nil, hop.point.table != nil { isKnown = true }
    if details.isEmpty, !isVerbose {
      guard !names.isEmpty, names != ["defrag"] else { return }
      if open == nil { open = row(hop) }
      open?.tables += names
      return
    }
    if details.isEmpty, names.isEmpty, hop.point.table != nil { return }
    // A hook whose first table has something to say needs no empty row before it.
    // What conntrack undoes of a translation is its own doing.
    let isUndone = open?.tables == ["conntrack"] && leg.changes.contains { $0.cause == .natReply }
    if let row = open, row.tables.isEmpty || isUndone {
      if !isUndone { open?.tables = names }
      // Who undoes it stands beside it.
      open?.details += isUndone ? details.filter { $0 != Phrases.undone } : details
      open?.translates = Self.translates(leg)
      if !(isVerbose && hop.point.table == nil && details.isEmpty) { close() }
      return
    }
    close()
    var row = row(hop, tables: names, details: details)
    row.translates = Self.translates(leg)
    rows.append(row)
  }

  /// Whether the packet has other addresses or ports behind this.
  private static func translates(_ leg: Leg) -> Bool {
    leg.changes.contains {
      switch $0.field {
      case .source, .destination, .sourcePort, .destinationPort: true
      case .ttl, .icmpID, .tos, .mark, .length: false
      }
    }
  }

  /// Adds where a rule had the packet in the end: below the hook it belongs to, whichever that is.
  private mutating func stop(_ decider: Decider, on way: Way, _ end: End) {
    let isStopped = end.isStopped
    let hop = decider.hop
    if hop.point.hook != hook { begin(way.lastLeg(to: hop), after: way.last) }
    let stage = open.map { $0.tables.isEmpty && $0.details.isEmpty ? $0.stage : "" } ?? ""
    let name = RuleWords.chain(of: decider) ?? hop.point.table.map(Escape.name) ?? ""
    let rule = RuleWords(style: style, beside: [name])
    if stage.isEmpty { close() } else { open = nil }
    rows.append(
      row(
        hop, stage: stage,
        tables: [(isStopped ? "\(style.cross) " : "") + name],
        details: [
          isStopped
            ? rule.decided(end.kind == .rejected ? "rejected" : "dropped", by: decider.rule)
            : "taken by this host's SYN proxy: \(rule.place(decider.rule))"
        ], failed: isStopped))
  }

  private mutating func close() {
    // A hook that is passed a second time, above a bridge's port, may have no table any more.
    if let open, isKnown || !open.tables.isEmpty || !open.details.isEmpty { rows.append(open) }
    open = nil
  }

  private var isVerbose: Bool { style.verbosity == .verbose }

  /// Adds where the journey ended, if the last hop does not say so.
  mutating func finish(_ journey: Journey) {
    if let decider = journey.end.decider { stop(decider, on: journey.way, journey.end) }
    close()
    if let row = EndText(journey, style).row { rows.append(row) }
  }
}
