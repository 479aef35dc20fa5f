import Report
import Trace

/// Prints probes as they settle, and what they sum up to; as JSON, all at the end.
struct PingPrinter {
  private let header: SessionHeader
  private let options: SharedOptions
  private let command: String
  private var results: [ProbeResult] = []
  private var text: PingText

  /// A printer for the ping that `header` describes.
  init(header: SessionHeader, options: SharedOptions, command: String = "ping") {
    self.header = header
    self.options = options
    self.command = command
    text = PingText(plan: header.probe!, style: options.style)
  }

  /// Probes that were answered by their destination, or would have got out of a dry run.
  var succeeded: Int { text.succeeded }

  mutating func print(_ result: ProbeResult) throws {
    let lines = text.add(result)
    if options.json {
      results.append(result)
    } else if !lines.isEmpty {
      try Output.print(lines.joined(separator: "\n"))
    }
  }

  mutating func finish(counts: EventCounts, session: String?) throws {
    if options.json {
      try Output.print(
        JSONReport().run(
          header: header, command: command, session: session, probes: results,
          journeys: command == "show" ? results.flatMap(\.exchange.journeys) : nil,
          findings: ProbeResult.findings(of: results, counts), counts: counts
        ).pretty)
    } else {
      let lines = text.summary(counts)
      if !lines.isEmpty { try Output.print(lines.joined(separator: "\n")) }
    }
  }
}
