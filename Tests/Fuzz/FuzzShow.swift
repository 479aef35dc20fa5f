import Report
import Trace

/// A file of any content, as `show` tells it: text, every step with every rule, JSON, HTML and pictures, alone
/// and as the recordings of two namespaces.
func fuzzShow(_ bytes: [UInt8]) {
  var all = TextStyle(verbosity: .verbose)
  all.allRules = true
  func tell(_ format: ReportFormat, _ sessions: [[UInt8]], _ namespaces: [String] = []) {
    let report = SessionReport(
      filter: ExchangeFilter(), style: all, format: format,
      namespaces: namespaces.map { Site(name: $0) })
    _ = report.lines(of: sessions)
  }
  tell(.text, [bytes])
  all.isDrawn = true
  tell(.text, [bytes])
  all.isDrawn = false
  tell(.json, [bytes])
  tell(.overview, [bytes])
  tell(.jsonFlows, [bytes])
  tell(.svg, [bytes])
  tell(.html, [bytes, bytes], ["a", "b"])
}
