package import Trace
internal import Wire

/// Journeys and findings as the JSON objects of schema "nftrace/1".
package struct JSONObjects: Sendable {
  /// Whether to tell every rule that was met, not only those that decided.
  private let allRules: Bool

  init(allRules: Bool = false) { self.allRules = allRules }

  /// The members that every object of a command begins with. Scripts look at the schema first.
  package static func head(_ command: String) -> [(String, JSONValue)] {
    [("schema", .string("nftrace/1")), ("command", .string(command))]
  }

  /// The members that are known when a report begins.
  func opening(_ head: ReportHead) -> [(String, JSONValue)] {
    let header = head.header
    let isOfSeveral = head.sites.count > 1
    func members(_ name: String, _ kind: Site.Kind) -> [(String, JSONValue)] {
      let names = head.sites.filter { $0.kind == kind }.map { JSONValue.string($0.name) }
      return isOfSeveral && !names.isEmpty ? [(name, .array(names))] : []
    }
    let backend = header?.backend.map { [("backend", JSONValue.string($0))] } ?? []
    let kernel = header?.kernel
    return Self.head(head.command.rawValue) + [
      ("netns", isOfSeveral ? .null : .string(header?.netnsName)),
      ("kernel", .string(kernel?.isEmpty == true ? nil : kernel)),
      ("session", .string(head.session)), ("target", target(header)),
      ("started", .string(header?.started.map { CalendarText.iso($0) })),
      ("host", .string(header?.host)), ("boot", .string(header?.boot)),
    ] + recorded(head) + backend + members("namespaces", .namespace) + members("hosts", .machine)
  }

  /// With what a session was made that is told again.
  private func recorded(_ head: ReportHead) -> [(String, JSONValue)] {
    guard head.command == .show, let header = head.header, header.started != nil else { return [] }
    return [
      (
        "recorded_by",
        .object([
          ("version", .string(header.version)),
          ("command_line", .string(Provenance.command(header))),
        ])
      )
    ]
  }

  /// The members that are known when it is over.
  func closing(_ findings: [Finding], _ counts: EventCounts) -> [(String, JSONValue)] {
    [("findings", .array(findings.map(finding))), ("events", events(counts))]
  }

  private func target(_ header: SessionHeader?) -> JSONValue {
    guard let probe = header?.probe else {
      // Whose lines a saved log has nobody wrote down.
      guard let header, !header.isKernelLog || !header.targets.isEmpty else { return .null }
      return .object([("subnets", .array(header.targets.map { .string($0) }))])
    }
    return .object(
      [
        ("source", .string("\(probe.source)")), ("destination", .string("\(probe.destination)")),
        ("protocol", .string("\(probe.proto)")),
      ] + (probe.name.map { [("name", JSONValue.string($0))] } ?? [])
        + (probe.context.map { [("traceparent", JSONValue.string($0.traceParent))] } ?? []))
  }

  private func events(_ counts: EventCounts) -> JSONValue {
    var more = counts.lines > 0 ? [("log", JSONValue.int(counts.lines))] : []
    if !counts.clockSteps.isEmpty {
      let micros = counts.clockSteps.map { JSONValue.tenths(Double($0) / 1000) }
      more.append(("clock_steps_us", .array(micros)))
    }
    return .object(
      [
        ("nflog", .int(counts.nflog)), ("trace", .int(counts.trace)),
        ("conntrack", .int(counts.conntrack)), ("drops", .int(counts.drops)),
        ("lost", .int(counts.lost)),
      ] + more)
  }

  /// A probe, in the namespace of this name.
  func probe(_ probe: ProbeResult, netns: String?) -> JSONValue {
    let error = probe.errno.map { [("error", JSONValue.string(ErrorName.words($0)))] } ?? []
    return .object(
      [
        ("sequence", .int(probe.sequence)), ("outcome", .string(probe.outcome.rawValue)),
        ("rtt_us", probe.roundTrip.map { .tenths($0) } ?? .null),
        ("journeys", .array(probe.exchange.journeys.map(journey))),
        ("findings", .array(probe.findings.map(finding))),
        ("entrance", .string(probe.entrance.rawValue)),
        (
          "as",
          .object([
            ("entrance", .string(probe.entrance.rawValue)),
            ("interface", .string(probe.interface)), ("namespace", .string(netns)),
          ])
        ),
      ] + error + (probe.routers.map { [("routers", routers($0))] } ?? [])
        + (probe.found.map { [("found", found($0))] } ?? []))
  }

  /// How far clocks of other machines are ahead.
  func clocks(_ clocks: [ProbeResult.Clock]) -> [(String, JSONValue)] {
    if clocks.isEmpty { return [] }
    let objects = clocks.map { clock in
      JSONValue.object([
        ("host", .string(clock.site.name)), ("ahead_ns", .int(clock.offset.ahead)),
        ("bound_ns", .int(clock.offset.bound)),
      ])
    }
    return [("clocks", .array(objects))]
  }

  /// What a search found for a probe that nothing is known to help.
  private func found(_ found: ChangesFound) -> JSONValue {
    .object([
      (
        "changes",
        .array(
          found.changes.map {
            .object([("command", .string($0.command)), ("about", .string($0.about))])
          })
      ), ("opened", found.opened.map { .array($0.map { .string($0) }) } ?? .null),
      ("tried", .int(found.tried)),
      ("ended_after_s", found.seconds.map { .decimal("\($0)") } ?? .null),
    ])
  }

  /// One packet's journey.
  func journey(_ journey: Journey) -> JSONValue {
    let copy = journey.isCopy ? [("copy", JSONValue.bool(true))] : []
    return .object(
      [
        ("id", .int(journey.id)), ("time", .int(journey.time)),
        ("direction", .string(journey.direction.rawValue)),
        ("packet", packet(journey.packet)), ("hops", .array(hops(journey))),
        ("end", end(journey.end)), ("route", route(journey.route)),
        ("connection", connection(journey.connection)),
      ] + site(journey.site, "netns", "namespace") + copy)
  }

  /// The members that say where something was seen, where that is in one of several places.
  private func site(_ site: Site?, _ namespaceNames: String...) -> [(String, JSONValue)] {
    guard let site else { return [] }
    let names = site.kind == .namespace ? namespaceNames : ["host"]
    return names.map { ($0, .string(site.name)) }
  }

  private func route(_ route: RouteDecision?) -> JSONValue {
    guard let route else { return .null }
    return .object([
      ("device", .string(route.device)), ("via", .string(route.gateway.map { "\($0)" })),
      ("destination", .string(route.destination.map { "\($0)" })),
      ("table", .string(route.tableName)), ("rule", .int(route.rule)),
      ("preferred_source", .string(route.preferredSource.map { "\($0)" })),
    ])
  }

  private func connection(_ connection: Connection?) -> JSONValue {
    guard let connection else { return .null }
    func tuple(_ tuple: ConntrackTuple?) -> JSONValue {
      guard let tuple else { return .null }
      return .object([
        ("source", .string("\(tuple.source)")), ("destination", .string("\(tuple.destination)")),
        ("source_port", .int(tuple.sourcePort)),
        ("destination_port", .int(tuple.destinationPort)), ("icmp_id", .int(tuple.icmpID)),
      ])
    }
    return .object([
      ("id", .int(connection.id)), ("state", .string(connection.state?.rawValue)),
      ("original", tuple(connection.original)), ("reply", tuple(connection.reply)),
      ("replied", .bool(connection.status.contains(.seenReply))),
    ])
  }

  private func packet(_ packet: Packet) -> JSONValue {
    let echo = packet.icmp.flatMap {
      $0.isEchoRequest(packet.proto) || $0.isEchoReply(packet.proto) ? $0 : nil
    }
    let trace = TraceMention.traceID(in: packet).map { [("trace_id", JSONValue.string($0))] } ?? []
    return .object(
      [
        ("family", .int(packet.source.family)), ("protocol", .string("\(packet.proto)")),
        ("source", .string("\(packet.source)")), ("destination", .string("\(packet.destination)")),
        ("source_port", .int(packet.sourcePort)),
        ("destination_port", .int(packet.destinationPort)),
        ("icmp_type", .int(packet.icmp?.type)), ("icmp_code", .int(packet.icmp?.code)),
        ("icmp_id", .int(echo?.identifier)), ("icmp_sequence", .int(echo?.sequence)),
        ("ip_id", .int(packet.identification)), ("ttl", .int(packet.ttl)),
        ("length", .int(packet.length)),
      ] + trace)
  }

  /// Where it was seen, and where a rule ended it, which it did not pass.
  private func hops(_ journey: Journey) -> [JSONValue] {
    let end = journey.end.decider.map { journey.way.lastLeg(to: $0.hop) }
    return journey.way.legs.map { hop($0, since: journey.time, passed: true) }
      + (end.map { [hop($0, since: journey.time, passed: false)] } ?? [])
  }

  private func hop(_ leg: Leg, since start: UInt64, passed: Bool) -> JSONValue {
    let hop = leg.hop
    var members: [(String, JSONValue)] = [
      ("hook", .string(hop.point.hook.rawValue)), ("table", .string(hop.point.table)),
      ("label", .string(hop.point.label)),
      ("priority", hop.point.isGuessed == true ? .null : .int(Int(hop.point.priority))),
      ("time", .int(start.later(by: hop.time))),
      ("time_us", .tenths(Double(hop.time) / 1000)), ("clock", .string(hop.clock.rawValue)),
      ("in", .string(hop.inDevice)),
      ("out", .string(hop.outDevice)), ("source", .string("\(hop.packet.source)")),
      ("destination", .string("\(hop.packet.destination)")),
      ("source_port", .int(hop.packet.sourcePort)),
      ("destination_port", .int(hop.packet.destinationPort)), ("ttl", .int(hop.packet.ttl)),
      ("mark", .int(hop.mark)), ("passed", .bool(passed)),
      ("changes", .array(leg.changes.map(change))),
      ("rules", .array(leg.rules.filter { allRules || $0.decided }.map(rule))),
    ]
    if hop.fragments > 1 { members.append(("fragments", .int(hop.fragments))) }
    return .object(members)
  }

  private func change(_ change: Change) -> JSONValue {
    func value(_ text: String) -> JSONValue { Int(text).map { .int($0) } ?? .string(text) }
    return .object([
      ("field", .string(change.field.rawValue)), ("from", value(change.from)),
      ("to", value(change.to)), ("cause", .string(change.cause.rawValue)),
    ])
  }

  private func rule(_ step: RuleStep) -> JSONValue {
    .object([
      ("family", .string(NFProto.name(step.family))), ("table", .string(step.table)),
      ("chain", .string(step.chain)), ("handle", .int(step.handle)), ("rule", .string(step.text)),
      ("verdict", .string(step.target.map { "\(step.verdict) \($0)" } ?? "\(step.verdict)")),
    ])
  }

  private func end(_ end: End) -> JSONValue {
    let unseen = end.unseen.map { [("unseen", JSONValue.string($0.rawValue))] } ?? []
    return .object(
      [
        ("kind", .string(end.kind.rawValue)), ("hook", .string(end.place.hook.rawValue)),
        ("table", .string(end.place.table)), ("out", .string(end.place.out)),
        ("drop_reason", .string(end.kernelDrop?.reason)),
      ] + unseen)
  }

  func finding(_ finding: Finding) -> JSONValue {
    let at = finding.at.map { place in
      JSONValue.object([
        ("hook", .string(place.hook?.rawValue)), ("table", .string(place.table)),
        ("chain", .string(place.chain)), ("handle", .int(place.handle)),
        ("rule", .string(place.rule)),
      ])
    }
    return .object(
      [
        ("id", .string(finding.id.rawValue)),
        ("owner", finding.owner.map { .string($0.rawValue) } ?? .null),
        ("severity", .string(finding.severity.rawValue)),
        ("confidence", .string(finding.confidence.rawValue)), ("summary", .string(finding.summary)),
        ("evidence", .array(finding.evidence.map { .string(EvidenceText.text($0)) })),
        ("remedy", .string(finding.remedy?.text)),
        ("rehearsed", finding.trial.map { .bool(!$0.isVain) } ?? .null),
        (
          "then",
          .array(
            (finding.trial?.obstacles ?? []).map {
              .object([
                ("id", .string($0.id)), ("summary", .string($0.summary)),
                ("remedy", .string($0.remedy)),
              ])
            })
        ), ("at", at ?? .null),
      ] + site(finding.site, "namespace") + differences(of: finding.trial))
  }

  /// What a verdict of a copy is told with, where there is something.
  private func differences(of trial: RemedyTrial?) -> [(String, JSONValue)] {
    guard let trial, !trial.differences.isEmpty else { return [] }
    return [("differences", .array(trial.differences.map { .string($0) }))]
  }
}
