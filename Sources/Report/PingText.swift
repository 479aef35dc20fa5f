public import Trace
internal import Wire

/// The text of a ping: each probe as it settles, then what they sum up to.
public struct PingText: Sendable {
  private let plan: ProbePlan
  private let style: TextStyle
  private var times: [Double] = []
  private var sent = 0
  private var refused = 0
  /// The path of the probe printed last, to tell only what is different.
  private var lastPath: [String] = []

  public init(plan: ProbePlan, style: TextStyle) {
    self.plan = plan
    self.style = style
  }

  /// Probes that were answered by their destination.
  public var received: Int { times.count }

  /// Takes in a probe; returns the lines to print for it.
  public mutating func add(_ probe: ProbeResult) -> [String] {
    sent += 1
    switch probe.outcome {
    case .replied: times.append(probe.roundTrip ?? 0)
    case .rejected: refused += 1
    default: break
    }
    let headline = Headline(plan: plan, style: style).line(probe)
    let path = Self.path(probe)
    defer { lastPath = path }
    if style.verbosity == .quiet { return [plan.count > 1 ? numbered(probe, headline) : headline] }
    if plan.count > 1, sent > 1 {
      let again = path == lastPath
      let line = numbered(probe, again ? "\(headline) (same path)" : headline)
      if again { return [line] }
      return ["", line, ""] + timelines(probe)
    }
    return [plan.count > 1 ? numbered(probe, headline) : headline, ""] + timelines(probe)
  }

  private func numbered(_ probe: ProbeResult, _ line: String) -> String {
    "seq \(probe.sequence)  \(line)"
  }

  private func timelines(_ probe: ProbeResult) -> [String] {
    let origin = probe.exchange.journeys.first?.start ?? 0
    let timeline = Timeline(style: style, origin: origin)
    var lines: [String] = []
    for journey in probe.exchange.journeys {
      let all = timeline.lines(journey)
      lines.append(all[0])
      lines.append("")
      if lines.count == 2 { lines.append(timeline.columns) }
      lines += all[2...]
      lines.append("")
    }
    return Array(lines.dropLast())
  }

  /// What makes two probes' paths the same, for a reader: places, interfaces, addresses.
  private static func path(_ probe: ProbeResult) -> [String] {
    [probe.outcome.rawValue]
      + probe.exchange.journeys.flatMap { journey in
        journey.hops.map {
          "\($0.point.label) \($0.inDevice ?? "") \($0.outDevice ?? "") \($0.packet.source) "
            + "\($0.packet.destination) \($0.packet.ttl) \($0.passed)"
        } + ["\(journey.end.kind)"]
      }
  }

  /// The last lines: one for one probe, ping(8)'s statistics for several.
  public func summary(_ counts: EventCounts) -> [String] {
    guard style.verbosity != .quiet else { return [] }
    var lines: [String] = [""]
    let lost = sent > 0 ? (sent - received) * 100 / sent : 0
    let sums =
      "\(sent) packet\(sent == 1 ? "" : "s") transmitted, \(received) received, "
      + (refused > 0 ? "\(refused) refused, " : "") + "\(lost)% packet loss"
    if sent == 1 {
      lines.append(sums + (times.first.map { ", rtt \(Wording.pingTime($0)) ms" } ?? ""))
    } else {
      lines.append("--- \(plan.destination) nftrace ping statistics ---")
      lines.append(sums)
      if let statistics { lines.append(statistics) }
    }
    if counts.lost > 0 {
      lines.append(
        style.paint(
          "\(counts.lost) events were lost: the kernel had no room for them, and the timeline may "
            + "have gaps", .yellow))
    }
    return lines
  }

  /// Minimum, average, maximum and standard deviation, as ping(8) has them.
  private var statistics: String? {
    guard let least = times.min(), let most = times.max() else { return nil }
    let average = times.reduce(0, +) / Double(times.count)
    let squares = times.reduce(0) { $0 + $1 * $1 } / Double(times.count)
    let deviation = max(0, squares - average * average).squareRoot()
    let all = [least, average, most, deviation].map(Wording.pingTime).joined(separator: "/")
    return "rtt min/avg/max/mdev = \(all) ms"
  }
}

/// The first line of a probe's report: the answer in words.
struct Headline {
  let plan: ProbePlan
  let style: TextStyle

  func line(_ probe: ProbeResult) -> String {
    let target = plan.destination
    switch probe.outcome {
    case .replied:
      let time = probe.roundTrip.map { " in \(Wording.milliseconds($0))" } ?? ""
      return style.paint("\(target) answered\(time)", .green) + way(probe.exchange.request)
    case .rejected:
      let what = probe.answer.map { Wording.name($0) } ?? "an error"
      let who = probe.answeredBy.map { " from \($0)" } ?? ""
      return style.paint("\(target) did not answer: \(what)\(who)", .red)
    case .sent: return "sent to \(target)"
    case .localError: return style.paint("\(target): the probe could not be sent", .red)
    case .lost:
      return style.paint("\(target) did not answer: ", .red) + fate(probe.exchange)
    }
  }

  private func way(_ request: Journey?) -> String {
    guard let request, let first = request.hops.first else { return "" }
    var words = ""
    let input = request.hops.lazy.compactMap(\.inDevice).first
    switch request.end.kind {
    case .transmitted:
      let out = request.end.out ?? request.hops.last?.outDevice
      words += ", forwarded \(input ?? "?") \(style.arrow) \(out ?? "?")"
      if first.point.hook == .output { words = ", sent from this host through \(out ?? "?")" }
    case .delivered: words += ": it is an address of this host"
    default: break
    }
    let changes = request.hops.flatMap(\.changes)
    if let change = changes.first(where: { $0.field == .source }) {
      words += ", source translated to \(change.to)"
    }
    if let change = changes.first(where: { $0.field == .destination }) {
      words += ", destination translated to \(change.to)"
    }
    return words
  }

  private func fate(_ exchange: Exchange) -> String {
    guard let request = exchange.request ?? exchange.journeys.first else {
      return "the probe was not seen at any hook"
    }
    if let reply = exchange.reply { return "its answer " + fate(reply) }
    return fate(request)
  }

  private func fate(_ journey: Journey) -> String {
    switch journey.end.kind {
    case .transmitted:
      let out = journey.end.out ?? "?"
      let source = journey.hops.last?.packet.source
      return "left through \(out)" + (source.map { " as \($0)" } ?? "") + ", and nothing came back"
    case .delivered: return "was delivered to this host"
    case .dropped, .rejected:
      return journey.hops.last.map { "\(Wording.drop($0)) at \($0.point.label)" } ?? "was dropped"
    case .unknown: return Wording.lost(journey)
    }
  }
}
