import Report
import Trace

/// A kernel log of any content, as `show --backend log` tells it; in pieces it says the same.
func fuzzKernelLog(_ bytes: [UInt8]) {
  var all = TextStyle(verbosity: .verbose)
  all.allRules = true
  for format in [.text, .json] as [ReportFormat] {
    let report = SessionReport(filter: ExchangeFilter(), style: all, format: format)
    _ = report.lines(ofKernelLog: bytes, version: "fuzz")
  }
  var (whole, pieces) = (KernelLogDecoder(version: "fuzz"), KernelLogDecoder(version: "fuzz"))
  whole.feed(bytes)
  whole.finish()
  while whole.next() != nil {}
  for start in stride(from: 0, to: bytes.count, by: 61) {
    pieces.feed(bytes[start..<min(start + 61, bytes.count)].map { $0 })
    while pieces.next() != nil {}
  }
  pieces.finish()
  while pieces.next() != nil {}
  precondition(whole.lines == pieces.lines && whole.damage == pieces.damage)
}
