internal import Report
package import Trace

/// Prints probes as they settle, and what they sum up to; as JSON, all at the end. One run may follow
/// another, of probes that enter in another way.
package struct PingPrinter {
  private let options: OutputOptions
  /// Of the first run.
  private var header: SessionHeader?
  private var plan: ProbePlan?
  private var results: [ProbeResult] = []
  private var told = 0
  private var counts = EventCounts()
  private var text: PingText?
  private var comparison = PingComparison()

  /// A printer of which nothing was asked yet.
  package init(options: OutputOptions) { self.options = options }

  /// Whether a probe was told.
  package var hasResults: Bool { told > 0 }

  /// Probes of this run that were answered by their destination, or would have got out of a dry run.
  package var succeeded: Int { text?.succeeded ?? 0 }

  /// The run that `header` describes begins.
  package mutating func begin(_ header: SessionHeader) {
    text = PingText(plan: header.probe!, style: options.style, isFirst: self.header == nil)
    plan = header.probe
    self.header = self.header ?? header
  }

  mutating func print(_ result: ProbeResult) throws {
    told += 1
    comparison.add(result, of: plan!)
    try put(text!.add(result))
    if options.json { results.append(result) }
  }

  /// The run is over.
  package mutating func end(_ counts: EventCounts) throws {
    self.counts.add(counts)
    try put(text!.summary(counts))
  }

  /// All runs are over.
  package func finish(session: String?) throws {
    try put(comparison.lines(options.style))
    guard options.json else { return }
    try Output.print(
      JSONReport().run(
        header: header, command: "ping", session: session, probes: results, journeys: nil,
        findings: ProbeResult.findings(of: results, counts), counts: counts
      ))
  }

  private func put(_ lines: [String]) throws {
    if !options.json, !lines.isEmpty { try Output.show(lines.joined(separator: "\n")) }
  }
}
