internal import Report
package import Trace

/// Prints probes as they settle, and what they sum up to; as JSON, all at the end. One run may follow
/// another, of probes that enter in another way.
package struct PingPrinter {
  private var renderer: (any Renderer)?
  private var style: TextStyle
  /// The same, told in other ways.
  private let files: [ReportFile]
  /// Where it is exported to as well.
  private let export: OTLPExport?
  private var isBegun = false
  private var plan: ProbePlan?
  private var counts = EventCounts()
  /// Whether a probe was told.
  package private(set) var hasResults = false
  /// Probes of this run that were answered by their destination, or would have got out of a dry run.
  package private(set) var succeeded = 0

  /// The probe that was told last.
  package private(set) var last: ProbeResult?
  /// What helps, of the first finding that says so.
  package private(set) var remedy: String?
  /// Why the first probe was lost that was, if that is known.
  package private(set) var cause: Finding?

  /// A printer of which nothing was asked yet. `files` are written as well, and to `export` it is exported.
  package init(options: OutputOptions, files: [ReportFile] = [], export: OTLPExport? = nil) {
    self.files = files
    self.export = export
    style = options.style
    renderer = (options.json ? ReportFormat.json : .text).renderer(options.style)
  }

  /// One that prints nothing.
  package init() {
    renderer = nil
    style = TextStyle()
    files = []
    export = nil
  }

  /// The run that `header` describes begins.
  package mutating func begin(_ header: SessionHeader) {
    let head = ReportHead(.ping, header: header, sites: header.sites)
    if !isBegun { renderer?.begin(head) }
    renderer?.beginProbes(header.probe!)
    for file in files {
      if !isBegun { file.renderer.begin(head) }
      file.renderer.beginProbes(header.probe!)
    }
    export?.take(.header(header))
    isBegun = true
    succeeded = 0
    plan = header.probe
  }

  mutating func print(_ result: ProbeResult) throws {
    hasResults = true
    last = result
    remedy = remedy ?? result.findings.lazy.compactMap(\.remedy?.text).first
    cause = cause ?? result.findings.first { $0.severity == .error }
    let isAll = plan?.data == nil || plan?.carriesData(result.sequence) == true
    if isAll, result.outcome == .replied || result.outcome == .sent { succeeded += 1 }
    lookAtTerminal()
    try put(renderer?.probe(result))
    for file in files { try file.write(file.renderer.probe(result)) }
    export?.take(.probe(result))
  }

  /// The run is over.
  package mutating func end(_ counts: EventCounts) throws {
    self.counts.add(counts)
    lookAtTerminal()
    try put(renderer?.endProbes(counts))
    for file in files { try file.write(file.renderer.endProbes(counts)) }
  }

  /// All runs are over.
  package mutating func finish(session: String?) throws {
    let end = ReportEnd(counts: counts, session: session)
    try put(renderer?.finish(end))
    for file in files {
      try file.write(file.renderer.finish(end))
      file.finish()
    }
  }

  /// Has what is told next fit a terminal that has another size by now.
  private mutating func lookAtTerminal() {
    let now = Output.fitted(style)
    guard now.width != style.width || now.height != style.height else { return }
    style = now
    renderer?.look(like: now)
  }

  private func put(_ lines: [String]?) throws {
    if let lines, !lines.isEmpty { try Output.show(lines.joined(separator: "\n")) }
  }
}
