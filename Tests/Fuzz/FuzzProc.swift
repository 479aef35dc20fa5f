@testable import Kernel
import Trace
import Wire

/// Texts of /proc and of other programs, of any content.
func fuzzProc(_ bytes: [UInt8]) {
  let text = String(decoding: bytes, as: UTF8.self)
  var counters: [String: UInt64] = [:]
  Counters.addTable(text, to: &counters)
  Counters.addPairs(text, to: &counters)
  Counters.addConntrack(text, to: &counters)
  Counters.addDevices(text, to: &counters)
  _ = ProcessIdentity.start(inStat: text)
  _ = ProcessIdentity.isOver(inStat: text)
  _ = RuleTexts.withoutCounters(text)
  _ = DropRecord.location(text)
  _ = DropRecord.event(bytes, clockDifference: .max, reasons: [:], hasReasons: true)
}
