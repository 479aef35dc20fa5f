internal import Trace
internal import Wire

/// The text of a ping: each probe as it settles, then what they sum up to.
struct PingText: Sendable {
  private let plan: ProbePlan
  /// The network namespace that was asked in, as it was named; nil for the caller's own.
  private let netns: String?
  /// Where that is a copy, what was tried there.
  private let rehearsal: Rehearsal?
  var style: TextStyle
  private var times: [Double] = []
  private var sent = 0
  private var refused = 0
  /// Probes that the end of the session leaves open.
  private var cut = 0
  /// Probes that would have left.
  private var through = 0
  /// The path of the probe printed last, to tell only what is different.
  private var lastPath: [String] = []
  /// Whether the line before belongs to a timeline.
  private var isBelowBody = false

  /// The place where the probes enter, and the clocks of the others, as the last probe knows them.
  private let here: Site?
  private var clocks: [ProbeResult.Clock] = []
  /// The machines, and those of them that no packet came to.
  private let watching: [Site]
  private var unseeing: Set<Site>

  /// Whether another ping's text stands above.
  private let isFirst: Bool

  /// The text of a ping of which nothing was told yet.
  init(plan: ProbePlan, header: SessionHeader?, style: TextStyle, isFirst: Bool = true) {
    self.isFirst = isFirst
    netns = header?.netns
    here = header?.sites.first
    watching = header?.sites.filter { $0.kind == .machine } ?? []
    unseeing = Set(watching)
    rehearsal = header?.rehearsal
    self.plan = plan
    self.style = style
  }

  /// Probes that were answered by their destination.
  private var received: Int { times.count }
  /// Probes that came to what was hoped for: an answer, or the way out where none is expected.
  private var succeeded: Int { times.count + through }

  /// Takes in a probe that is told otherwise.
  mutating func count(_ probe: ProbeResult) {
    sent += 1
    clocks = probe.clocks.isEmpty ? clocks : probe.clocks
    unseeing.subtract(probe.exchange.journeys.compactMap(\.site))
    switch probe.outcome {
    case .replied: times.append(probe.roundTrip ?? 0)
    case .rejected: refused += 1
    case .sent: through += 1
    case .unknown: cut += 1
    default: break
    }
  }

  /// What came of a probe, in a line.
  func headline(_ probe: ProbeResult) -> StyledLine {
    let words = time(probe) + Headline(style: style).line(probe, plan: plan)
    return plan.data == nil ? words : numbered(probe, words)
  }

  /// Takes in a probe; returns the lines for it.
  mutating func lines(_ probe: ProbeResult) -> [StyledLine] {
    count(probe)
    let headline = headline(probe)
    let path = Self.path(probe)
    defer { lastPath = path }
    let again = path == lastPath && sent > 1
    let gap: [StyledLine] = isBelowBody ? [""] : []
    isBelowBody = !again && style.verbosity != .quiet
    if style.verbosity == .quiet {
      let missing = probe.findings.filter { $0.id == .machineMissing }.compactMap(\.site?.name)
      let line =
        time(probe) + Headline(style: style).quietLine(probe, plan: plan)
        + (missing.isEmpty
          ? "" : " (\(missing.map { Escape.name($0) }.joined(separator: ", ")) missing)")
      return [plan.count > 1 ? numbered(probe, line) : line]
    }
    let line = plan.count > 1 && plan.data == nil ? numbered(probe, headline) : headline
    if again { return gap + ["\(line) (same path)"] }
    let lead: [StyledLine] = sent > 1 || !isFirst ? [""] : []
    return lead + [line] + (sent == 1 ? [asker(probe)] + trial : []) + [""] + body(probe)
  }

  /// When it was sent, where that is told.
  private func time(_ probe: ProbeResult) -> StyledLine {
    let first = probe.exchange.journeys.first?.time
    return first.flatMap { style.time.text($0) }.map { StyledLine($0, .faint) + "  " } ?? ""
  }

  /// As whom was asked.
  func asker(_ probe: ProbeResult) -> StyledLine {
    let device = plan.device.map(Escape.name) ?? "?"
    let name = netns.map { "netns \(Escape.name($0))" }
    let place =
      rehearsal == nil
      ? name.map { ", in \($0)" } ?? "" : ", in a copy of \(name ?? "this network namespace")"
    switch plan.entrance {
    case .local: return "asked as this host, \(plan.source)\(place)"
    case .tun: return "asked as \(plan.source) behind \(device)\(place)"
    case .arriving:
      return
        "asked as \(plan.source) \(plan.isFromAfar ? "from beyond" : "behind") \(device)\(place)"
        + (probe.isClientAbsent ? " (nobody there has it; -s names a client)" : "")
    }
  }

  /// What was tried in a copy before, and what is not the same there.
  private var trial: [StyledLine] {
    guard let rehearsal else { return [] }
    return rehearsal.commands.map { "with      \(Escape.text($0))" }
      + rehearsal.differences.map { StyledLine("differs   \(Escape.text($0))", .faint) }
  }

  /// The findings, then the path.
  private func body(_ probe: ProbeResult) -> [StyledLine] {
    let findings = FindingText(style: style).lines(probe.findings) + search(probe)
    let timeline = Timeline.all(
      probe.exchange, style, isUnanswered: probe.outcome == .lost)
    let routers = RouterText(style: style).lines(probe)
    return findings + (findings.isEmpty || timeline.isEmpty ? [] : [""]) + timeline
      + (routers.isEmpty ? [] : [""] + routers)
  }

  /// Where no command is known to help, what was searched for, and what searches on.
  private func search(_ probe: ProbeResult) -> [StyledLine] {
    guard rehearsal == nil, probe.isWithoutRemedy else { return [] }
    var lines: [StyledLine] = []
    if let found = probe.found { lines = FindingText(style: style).lines(found) }
    guard style.verbosity == .verbose, probe.found?.changes.isEmpty != false,
      let command = plan.search(in: netns)
    else { return lines }
    return lines
      + style.broken(command: command.text, behind: 12, indent: TextLayout.space(14))
      .enumerated()
      .map { $0 == 0 ? "  " + StyledLine("search", .strong) + "    " + $1 : $1 }
  }

  private func numbered(_ probe: ProbeResult, _ line: StyledLine) -> StyledLine {
    guard plan.data != nil else { return "seq \(probe.sequence)  \(line)" }
    let step = plan.carriesData(probe.sequence) ? "data" : "handshake"
    let number = plan.count > plan.probesPerConnection ? "seq \(probe.sequence)  " : ""
    return "\(number)\(step): \(line)"
  }

  /// What makes two probes' paths the same, for a reader: places, interfaces, addresses, and what is
  /// to be said about them.
  private static func path(_ probe: ProbeResult) -> [String] {
    [probe.outcome.rawValue] + probe.findings.map(\.id.rawValue)
      + probe.exchange.journeys.flatMap { journey in
        journey.places.map {
          "\($0.point.label) \($0.inDevice ?? "") \($0.outDevice ?? "") \($0.packet.source) "
            + "\($0.packet.destination) \($0.packet.ttl)"
        } + ["\(journey.end.kind)"]
      }
  }

  /// The last lines: one for one probe, ping(8)'s statistics for several.
  func closing(_ counts: EventCounts) -> [StyledLine] {
    guard style.verbosity != .quiet else { return [] }
    if plan.dryRun {
      return [
        "", "dry run: \(sent) packet\(sent == 1 ? "" : "s"), \(through) would have got through",
      ]
    }
    var lines: [StyledLine] = [""]
    let lost = sent > cut ? (sent - cut - succeeded) * 100 / (sent - cut) : 0
    let sums = [
      "\(sent) packet\(sent == 1 ? "" : "s") transmitted",
      through > 0 ? "\(through) not expected to be answered" : nil,
      through < sent ? "\(received) received" : nil,
      refused > 0 ? "\(refused) refused" : nil, cut > 0 ? "\(cut) cut off" : nil,
      cut > 0 && cut == sent ? nil : "\(lost)% packet loss",
    ].compactMap { $0 }.joined(separator: ", ")
    if sent == 1 {
      lines.append(
        StyledLine(sums + (times.first.map { ", rtt \(Phrases.pingTime($0)) ms" } ?? "")))
    } else {
      lines.append("--- \(plan.target) nftrace ping statistics ---")
      lines.append(StyledLine(sums))
      if let statistics { lines.append(StyledLine(statistics)) }
    }
    for site in watching where unseeing.contains(site) {
      lines.append(StyledLine("\(Escape.name(site.name)) watched as well, and saw nothing of it"))
    }
    if let here, !clocks.isEmpty { lines += ClockText(style: style).lines(clocks, against: here) }
    if let changer = counts.rulesetChanger {
      lines.append(
        StyledLine(
          "\(Escape.name(changer)) changed the ruleset meanwhile; what is told is what each packet met",
          .caution)
      )
    }
    if counts.lost > 0 {
      lines.append(
        StyledLine(
          "\(counts.lost) events were lost: the kernel had no room for them, and the timeline may "
            + "have gaps", .caution))
    }
    if let set = Finding.clockSet(counts) { lines.append(StyledLine(set.summary, .caution)) }
    return lines
  }

  /// Minimum, average, maximum and standard deviation, as ping(8) has them.
  private var statistics: String? {
    guard let least = times.min(), let most = times.max() else { return nil }
    let average = times.reduce(0, +) / Double(times.count)
    let squares = times.reduce(0) { $0 + $1 * $1 } / Double(times.count)
    let deviation = max(0, squares - average * average).squareRoot()
    let all = [least, average, most, deviation].map(Phrases.pingTime).joined(separator: "/")
    return "rtt min/avg/max/mdev = \(all) ms"
  }
}
