internal import Trace

/// A report as one JSON object of schema "nftrace/1". The packets of recorded traffic are written as they
/// come; the probes of a ping all at the end.
struct JSONReport: Renderer {
  private let objects: JSONObjects
  private var head = ReportHead(.show)
  private var stream: JSONStream?
  private var probes: [ProbeResult] = []
  /// What the last probe says of the clocks of other machines.
  private var clocks: [ProbeResult.Clock] = []
  /// What routers wrote into the probes of a session that is shown.
  private var routers: [JSONValue] = []
  /// Findings so far, none of them twice.
  private var findings: [Finding] = []
  /// Different findings that are kept for the end.
  private static let mostFindings = 256

  /// The flows, where these are told and not their packets.
  private var flows: FlowTable?

  /// A report; `allRules` is whether to tell every rule that was met, not only those that decided, and `isOfFlows`
  /// whether to tell flows and no packets.
  init(allRules: Bool, isOfFlows: Bool = false) {
    objects = JSONObjects(allRules: allRules)
    flows = isOfFlows ? FlowTable() : nil
  }

  mutating func begin(_ head: ReportHead) { self.head = head }

  mutating func probe(_ result: ProbeResult) -> [String] {
    keep(result.findings)
    if !result.clocks.isEmpty { clocks = result.clocks }
    flows?.add(result.exchange)
    if flows != nil { return [] }
    switch head.command {
    case .ping:
      probes.append(result)
      return []
    case .show:
      if let told = result.routers, routers.count < Self.mostFindings {
        routers.append(objects.routers(told, ofProbe: result.sequence))
      }
      return add(result.exchange.journeys)
    }
  }

  mutating func exchange(_ exchange: Exchange) -> [String] {
    keep(exchange.findings)
    flows?.add(exchange)
    if flows != nil { return [] }
    return add(exchange.journeys)
  }

  mutating func finish(_ end: ReportEnd) -> [String] {
    let closing =
      objects.clocks(clocks + end.clocks)
      + objects.closing(
        ProbeResult.findings(of: findings + end.findings, end.counts), end.counts)
    switch head.command {
    case .ping:
      head.session = end.session ?? head.session
      let netns = head.header?.netnsName
      let probes = JSONValue.array(probes.map { objects.probe($0, netns: netns) })
      return [JSONValue.object(objects.opening(head) + [("probes", probes)] + closing).pretty()]
    case .show:
      let flows = flows.map { [("flows", JSONValue.array($0.objects))] } ?? []
      let told = routers.isEmpty ? [] : [("routers", JSONValue.array(routers))]
      return withStream { $0.finish(flows + told + closing) }
    }
  }

  private mutating func keep(_ found: [Finding]) {
    for finding in found where findings.count < Self.mostFindings {
      let isTold = findings.contains {
        $0.id == finding.id && $0.at == finding.at && $0.site == finding.site
      }
      if !isTold { findings.append(finding) }
    }
  }

  private mutating func add(_ journeys: [Journey]) -> [String] {
    let objects = objects
    return withStream { $0.add(journeys.map(objects.journey)) }
  }

  private mutating func withStream(_ body: (inout JSONStream) -> [String]) -> [String] {
    if stream == nil { stream = JSONStream("journeys", opening: objects.opening(head)) }
    return body(&stream!)
  }
}
