package import Trace
internal import Wire

/// Makes spans and log records of what nftrace tells: a trace of each walk, a span of each packet in it, and a log
/// record of each finding.
///
///     ping DEST (CLIENT)            the command, or the exchange
///       probe 2 (CLIENT)            where there are several
///         request in r1             a packet as one namespace saw it, under the one before it
///           request in r2
///             reply in r2
///
/// Its span ids follow from the context it is given, so that the same report gives the same spans.
package struct OTLPStory: Sendable {
  /// The trace and the span of the command.
  package private(set) var context: TraceContext
  /// The span under which that is, in somebody else's trace.
  private var parent: TraceContext?
  private var ids: SpanIDs
  /// What is not exported yet, by the machine that it is of.
  private var batches: [OTLPBatch] = []
  /// What tells of the machine that runs the command, and of the one whose session is told.
  private let home: OTLPAttributes
  private var resource: OTLPAttributes
  private let version: String
  /// The probes that are told; nil where it is traffic.
  private var plan: ProbePlan?
  /// Whether the command has a span beside its probes', and what is known of that.
  private var root: OTLPSpan?
  /// The network namespace of the session, where one was asked for.
  private var netns: String?
  /// The spans of the probes that were told, where there are several ways.
  private var told: Set<UInt64> = []
  /// When the session began: of what has no time of its own, there is no better.
  private var began: UInt64 = 0

  /// A story of nothing yet. `context` is the command's own span, under `parent`.
  package init(
    _ context: TraceContext, under parent: TraceContext? = nil, resource: OTLPAttributes,
    version: String
  ) {
    self.context = context
    self.parent = parent
    ids = SpanIDs(seed: context.spanID ^ UInt64(truncatingIfNeeded: context.traceID))
    home = resource
    self.resource = resource
    self.version = version
  }

  /// The session that this header describes is told from here on: what follows is of the machine where that was made.
  package mutating func begin(_ header: SessionHeader?) {
    began = header?.started ?? began
    plan = header?.probe
    if let probes = plan?.context, probes != context, root == nil {
      // What its packets carried is what they are found by.
      if probes.traceID != context.traceID { parent = nil }
      context = probes
      ids = SpanIDs(seed: context.spanID ^ UInt64(truncatingIfNeeded: context.traceID))
    }
    netns = header?.netnsName
    resource = header?.host.map(resource(of:)) ?? home
  }

  /// What tells of a machine of this name.
  private func resource(of host: String) -> OTLPAttributes {
    var resource = home
    if .string(host) == home[name: "host.name"] { return resource }
    resource[name: "host.name"] = .string(host)
    resource[name: "host.id"] = nil
    return resource
  }

  private var host: String? {
    if case .string(let name)? = resource[name: "host.name"] { name } else { nil }
  }

  /// What tells of the machine where something was seen: of the session's, where there is no other.
  private func resource(of site: Site?) -> OTLPAttributes {
    guard let site, site.kind == .machine else { return resource }
    return resource(of: site.name)
  }

  private mutating func add(_ span: OTLPSpan, of site: Site? = nil) {
    batches[place(of: site)].spans.append(span)
  }

  private mutating func add(_ record: OTLPLogRecord, of site: Site? = nil) {
    batches[place(of: site)].logs.append(record)
  }

  private mutating func place(of site: Site?) -> Int {
    let resource = resource(of: site)
    if let place = batches.firstIndex(where: { $0.resource == resource }) { return place }
    batches.append(OTLPBatch(resource: resource, version: version))
    return batches.count - 1
  }

  /// A probe is over.
  package mutating func take(_ result: ProbeResult) {
    let isAlone = plan.map { $0.count == 1 && $0.ways ?? 1 == 1 } ?? false
    let own = (plan?.context ?? context).probe(UInt32(clamping: result.sequence))
    var span = OTLPSpan(
      traceID: own.traceID, spanID: own.spanID,
      name: "ping \(destination(result))", kind: .client, start: began, end: began)
    span.flags = context.flags
    if isAlone {
      span.parentID = parent?.spanID ?? 0
    } else {
      span.name = "probe \(result.sequence)"
      span.parentID = context.spanID
      // In another way, it is another probe of the same number.
      if !told.insert(span.spanID).inserted { span.spanID = ids.next() }
    }
    describe(&span, result)
    add(result.exchange, result.findings, under: &span)
    if let micros = result.roundTrip {
      span.end = max(span.end, span.start.later(by: UInt64(nearest: micros * 1000)))
    }
    if !isAlone { spread(root: destination(result), over: span) }
    add(span)
  }

  /// Packets of recorded traffic are told: a trace of their own.
  package mutating func take(_ exchange: Exchange) {
    guard let first = exchange.journeys.first else { return }
    var span = OTLPSpan(
      traceID: ids.nextTrace(), spanID: ids.next(),
      name: "\(first.packet.proto) \(first.packet.destination)", start: first.time, end: first.time)
    span.attributes = Self.ends(of: first.packet)
    // Who sent it has a trace of its own.
    span.attributes.set("nftrace.trace_id", TraceMention.traceID(in: first.packet))
    span.links = [TraceMention.context(in: first.packet)].compactMap(\.self)
    add(exchange, exchange.findings, under: &span)
    add(span, of: exchange.journeys.first?.site)
  }

  /// Log records besides.
  package mutating func add(_ records: [OTLPLogRecord]) { for record in records { add(record) } }

  /// How many spans and log records wait.
  package var count: Int {
    batches.reduce(0) { $0 + $1.spans.count + $1.logs.count }
  }

  /// What is to be exported so far; the rest comes in others. The command's own span comes last, when all `isOver`.
  package mutating func takeBatches(isOver: Bool = false) -> [OTLPBatch] {
    if isOver, let root { add(root) }
    if isOver { root = nil }
    defer { batches = [] }
    return batches
  }

  // MARK: Spans

  private func destination(_ result: ProbeResult) -> String {
    guard let plan else {
      return result.exchange.request.map { "\($0.packet.destination)" } ?? "a destination"
    }
    let host = plan.name ?? "\(plan.destination)"
    return plan.destinationPort.map { host.contains(":") ? "[\(host)]:\($0)" : "\(host):\($0)" }
      ?? host
  }

  /// What is known of a probe.
  private func describe(_ span: inout OTLPSpan, _ result: ProbeResult) {
    if let packet = result.exchange.request?.packet {
      span.attributes = Self.ends(of: packet)
    } else if let plan {
      span.attributes.set("destination.address", "\(plan.destination)")
      span.attributes.set("destination.port", plan.destinationPort)
    }
    span.attributes.set("nftrace.sequence", result.sequence)
    span.attributes.set("nftrace.outcome", result.outcome.rawValue)
    span.attributes.set("nftrace.entrance", result.entrance.rawValue)
    span.attributes.set("network.interface.name", result.interface)
    span.attributes.set("nftrace.answered_by", result.answeredBy.map { "\($0)" })
    if let micros = result.roundTrip { span.attributes[name: "nftrace.rtt_us"] = .double(micros) }
    switch result.outcome {
    case .lost, .rejected, .localError:
      let cause = result.findings.first { $0.severity == .error }
      fail(
        &span, cause?.id.rawValue ?? result.outcome.rawValue,
        cause?.summary ?? result.errno.map { ErrorName.words($0) } ?? "no answer came")
      // Some stores take no log records, in which it stands as well.
      span.attributes.set("nftrace.remedy", cause?.remedy?.text)
    case .replied, .sent, .unknown: break
    }
  }

  private func fail(_ span: inout OTLPSpan, _ type: String, _ words: String) {
    span.error = words
    span.attributes.set("error.type", type)
  }

  /// The command's span is as long as its probes are.
  private mutating func spread(root name: String, over span: OTLPSpan) {
    var root =
      self.root
      ?? OTLPSpan(
        traceID: context.traceID, spanID: context.spanID, parentID: parent?.spanID ?? 0,
        name: "ping \(name)", kind: .client, start: span.start, end: span.end)
    root.flags = context.flags
    root.start = min(root.start, span.start)
    root.end = max(root.end, span.end)
    for name in ["destination.address", "destination.port", "network.transport", "network.type"]
    where root.attributes[name: name] == nil {
      root.attributes[name: name] = span.attributes[name: name]
    }
    if root.error == nil, let error = span.error {
      root.error = error
      root.attributes[name: "error.type"] = span.attributes[name: "error.type"]
    }
    self.root = root
  }

  /// Adds the spans of packets, one under the other, and what was found about them.
  private mutating func add(
    _ exchange: Exchange, _ findings: [Finding], under span: inout OTLPSpan
  ) {
    if let first = exchange.journeys.map(\.time).min() { (span.start, span.end) = (first, first) }
    var above = span.spanID
    var places: [(site: Site?, id: UInt64)] = []
    for journey in exchange.journeys {
      var next = self.span(of: journey, in: span, under: above)
      let cause = findings.first {
        $0.severity == .error && ($0.site == nil || $0.site == journey.site)
      }
      if journey.end.isLost {
        fail(&next, cause?.id.rawValue ?? journey.end.kind.rawValue, Self.words(journey))
        places.append((journey.site, next.spanID))
      }
      span.end = max(span.end, next.end)
      above = next.spanID
      add(next, of: journey.site)
    }
    for finding in findings {
      let place = places.first { finding.site == nil || $0.site == finding.site }
      let lost = finding.severity == .error ? place?.id : nil
      add(
        Self.record(finding, at: span.end, trace: span.traceID, span: lost ?? span.spanID),
        of: finding.site)
    }
  }

  private static func words(_ journey: Journey) -> String {
    EndText(journey, TextStyle(unicode: false)).short
  }

  private mutating func span(
    of journey: Journey, in span: OTLPSpan, under parent: UInt64
  ) -> OTLPSpan {
    let place = journey.site?.name ?? netns ?? host ?? "this host"
    var next = OTLPSpan(
      traceID: span.traceID, spanID: ids.next(), parentID: parent,
      name: "\(journey.direction.rawValue) in \(place)", start: journey.time,
      end: journey.time.later(by: journey.places.map(\.time).max() ?? 0))
    next.flags = span.flags
    next.attributes = Self.ends(of: journey.packet)
    next.attributes.set("network.interface.name", journey.inDevice ?? journey.end.place.out)
    next.attributes.set("nftrace.interface.in", journey.inDevice)
    next.attributes.set("nftrace.interface.out", journey.end.place.out)
    next.attributes.set(place: journey.site, else: netns)
    next.attributes.set("nftrace.journey", journey.id)
    next.attributes.set("nftrace.direction", journey.direction.rawValue)
    next.attributes.set("nftrace.end", journey.end.kind.rawValue)
    next.attributes.set("nftrace.end.hook", journey.end.place.hook.rawValue)
    next.attributes.set("nftrace.end.table", journey.end.place.table)
    next.attributes.set("nftrace.drop_reason", journey.end.kernelDrop?.reason)
    next.attributes.set("nftrace.route.via", journey.route?.gateway.map { "\($0)" })
    let last = journey.end.decider.map { [journey.way.lastLeg(to: $0.hop)] } ?? []
    next.events = (journey.way.legs + last).compactMap { Self.event($0, since: journey.time) }
    return next
  }

  /// What was changed or decided on the way to a hop; nil where nothing was.
  private static func event(_ leg: Leg, since start: UInt64) -> OTLPSpan.Event? {
    let rules = leg.rules.filter(\.decided)
    guard !rules.isEmpty || !leg.changes.isEmpty else { return nil }
    let point = leg.hop.point
    var attributes = OTLPAttributes()
    attributes.set("nftrace.hook", point.hook.rawValue)
    attributes.set("nftrace.table", point.table)
    attributes.set("nftrace.clock", leg.hop.clock.rawValue)
    if !rules.isEmpty { attributes[name: "nftrace.rule"] = .strings(rules.map(words)) }
    if !leg.changes.isEmpty {
      attributes[name: "nftrace.change"] = .strings(
        leg.changes.map { "\($0.field.rawValue) \($0.from) -> \($0.to) (\($0.cause.rawValue))" })
    }
    return OTLPSpan.Event(
      time: start.later(by: leg.hop.time), name: point.label, attributes: attributes)
  }

  /// A rule, and what it said: "inet filter forward handle 5: tcp dport 80 drop".
  private static func words(_ step: RuleStep) -> String {
    let chain = "\(NFProto.name(step.family)) \(step.table) \(step.chain)"
    let place = step.isPolicy ? " policy" : step.handle.map { " handle \($0)" } ?? ""
    let verdict = step.target.map { "\(step.verdict) \($0)" } ?? "\(step.verdict)"
    return "\(chain)\(place): \(step.text ?? verdict)"
  }

  // MARK: Attributes

  /// Who sent a packet to whom, in OpenTelemetry's words:
  /// https://opentelemetry.io/docs/specs/semconv/registry/attributes/network/
  static func ends(of packet: Packet) -> OTLPAttributes {
    var attributes = OTLPAttributes()
    attributes.set("source.address", "\(packet.source)")
    attributes.set("source.port", packet.sourcePort)
    attributes.set("destination.address", "\(packet.destination)")
    attributes.set("destination.port", packet.destinationPort)
    attributes.set("network.transport", "\(packet.proto)")
    attributes.set("network.type", packet.source.family == 4 ? "ipv4" : "ipv6")
    return attributes
  }

  /// What was found, as a log record.
  static func record(
    _ finding: Finding, at time: UInt64, trace: UInt128 = 0, span: UInt64 = 0
  ) -> OTLPLogRecord {
    let severity: OTLPLogRecord.Severity =
      switch finding.severity {
      case .error: .error
      case .warning: .warn
      case .note: .info
      }
    var record = OTLPLogRecord(
      time: time, observed: time, severity: severity, event: "nftrace.finding",
      body: finding.summary, traceID: trace, spanID: span)
    record.attributes.set("nftrace.finding", finding.id.rawValue)
    record.attributes.set("nftrace.confidence", finding.confidence.rawValue)
    record.attributes.set("nftrace.remedy", finding.remedy?.text)
    record.attributes.set(place: finding.site)
    record.attributes.set("nftrace.owner", finding.owner?.rawValue)
    record.attributes.set("nftrace.hook", finding.at?.hook?.rawValue)
    record.attributes.set("nftrace.table", finding.at?.table)
    record.attributes.set("nftrace.chain", finding.at?.chain)
    record.attributes.set("nftrace.handle", finding.at?.handle)
    record.attributes.set("nftrace.rule", finding.at?.rule)
    if !finding.evidence.isEmpty {
      record.attributes[name: "nftrace.evidence"] = .strings(
        finding.evidence.map(EvidenceText.text))
    }
    return record
  }
}

extension OTLPAttributes {
  /// In which network namespace something was seen; in `netns` where there is one place. Of which machine it is, the
  /// resource says.
  mutating func set(place site: Site?, else netns: String? = nil) {
    if site?.kind != .machine { set("nftrace.netns", site?.name ?? netns) }
  }
}

/// Numbers of spans that follow from a seed and are hardly ever the same: SplitMix64, which is public domain
/// (https://prng.di.unimi.it/splitmix64.c).
struct SpanIDs: Sendable {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  /// The id of another span; never 0.
  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = (state ^ state >> 30) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
    mixed ^= mixed >> 31
    return mixed == 0 ? next() : mixed
  }

  /// The id of another trace; never 0.
  mutating func nextTrace() -> UInt128 { UInt128(next()) << 64 | UInt128(next()) }
}
