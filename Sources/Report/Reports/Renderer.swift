package import Trace

/// A way to write a report. What a report consists of is handed over in the order in which it is told, and
/// each call returns the lines that are to be written now. A format has a renderer of its own, in a file of
/// its own; `ReportFormat` lists them.
package protocol Renderer: Sendable {
  /// Whether people read it, who are told more than what was asked for: what was left out, and the sum.
  var isForPeople: Bool { get }

  /// What is told from now on is to look so: a terminal has another size.
  mutating func look(like style: TextStyle)

  /// The report begins. Comes first, and once.
  mutating func begin(_ head: ReportHead)

  /// Probes of a plan follow, as they settle.
  mutating func beginProbes(_ plan: ProbePlan)

  /// What came of a probe: of the plan that was begun, or of one that is told without its plan.
  mutating func probe(_ result: ProbeResult) -> [String]

  /// The plan's probes are over; `counts` are the messages they were told from.
  mutating func endProbes(_ counts: EventCounts) -> [String]

  /// Packets of recorded traffic that belong together.
  mutating func exchange(_ exchange: Exchange) -> [String]

  /// Words for people that belong to no exchange.
  mutating func remark(_ lines: [StyledLine]) -> [String]

  /// The report is over.
  mutating func finish(_ end: ReportEnd) -> [String]
}

/// What a format has no words for, it leaves out.
extension Renderer {
  /// No format is for people that does not say so.
  package var isForPeople: Bool { false }
  /// Nothing: only text has the size of a terminal.
  package mutating func look(like style: TextStyle) {}
  /// Nothing.
  package mutating func begin(_ head: ReportHead) {}
  /// Nothing.
  package mutating func beginProbes(_ plan: ProbePlan) {}
  /// Its packets.
  package mutating func probe(_ result: ProbeResult) -> [String] { exchange(result.exchange) }
  /// Nothing.
  package mutating func endProbes(_ counts: EventCounts) -> [String] { [] }
  /// Nothing.
  package mutating func remark(_ lines: [StyledLine]) -> [String] { [] }
  /// Nothing.
  package mutating func finish(_ end: ReportEnd) -> [String] { [] }
}
