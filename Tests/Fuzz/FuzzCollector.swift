@testable import Kernel
import Trace
import Wire

/// What a collector answers, and what an environment says of it, of any content.
func fuzzCollector(_ bytes: [UInt8]) {
  for isOver in [false, true] {
    guard let answer = try? HTTPResponse(bytes, isOver: isOver) else { continue }
    _ = Courier.Outcome(taking: answer.body)
  }
  _ = Courier.Outcome(taking: bytes)
  let text = String(decoding: bytes, as: UTF8.self)
  if let address = try? HTTPAddress(url: text) {
    precondition(try! HTTPAddress(url: address.url) == address)
  }
  if let context = TraceContext(traceParent: text) {
    precondition(TraceContext(traceParent: context.traceParent) == context)
  }
}
