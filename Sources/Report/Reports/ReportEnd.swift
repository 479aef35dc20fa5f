package import Trace

/// What is known of a report when it is over.
package struct ReportEnd: Sendable {
  /// The messages it was told from.
  package var counts: EventCounts
  /// What is to be said of the recording, not of a packet in it.
  package var findings: [Finding]
  /// How the clocks of several recordings differ from that of the first.
  package var clocks: [ProbeResult.Clock] = []
  /// The file that was written, where a command wrote one.
  package var session: String?

  /// The end of these fields.
  package init(counts: EventCounts, findings: [Finding] = [], session: String? = nil) {
    self.counts = counts
    self.findings = findings
    self.session = session
  }
}
