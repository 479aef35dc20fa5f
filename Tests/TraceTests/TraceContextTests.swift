import Testing

@testable import Trace

/// The context that programs hand on, as W3C Trace Context writes it.
struct TraceContextTests {
  static let example = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

  @Test func readAndWritten() throws {
    let context = try #require(TraceContext(traceParent: Self.example))
    #expect(context.traceID == 0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c)
    #expect(context.spanID == 0xb7ad_6b71_6920_3331)
    #expect(context.flags == 1)
    #expect(context.traceParent == Self.example)
    let small = try #require(TraceContext(traceID: 1, spanID: 2, flags: 0))
    #expect(small.traceParent == "00-00000000000000000000000000000001-0000000000000002-00")
    #expect(TraceContext(traceParent: small.traceParent) == small)
  }

  @Test func whatAVersionToComeAddsIsLeftOut() {
    let text = "01" + Self.example.dropFirst(2) + "-what-follows"
    #expect(TraceContext(traceParent: text) == TraceContext(traceParent: Self.example))
  }

  @Test(arguments: [
    "", "00", "00-", "---", example + "-", example + "-00", example + " ", "0" + example,
    "ff" + example.dropFirst(2), "0g" + example.dropFirst(2), "0" + example.dropFirst(2),
    "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
    "00-00000000000000000000000000000000-b7ad6b7169203331-01",
    "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
    "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1",
    "00-0af7651916cd43dd8448eb211c80319-b7ad6b7169203331-01",
    "00-+af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    "01" + example.dropFirst(2) + ".", String(repeating: "-", count: 100_000),
  ])
  func noTraceParent(_ text: String) {
    #expect(TraceContext(traceParent: text) == nil)
  }

  @Test func aSpanUnderAnother() throws {
    var generator = SystemRandomNumberGenerator()
    let parent = try #require(TraceContext(traceID: 7, spanID: 8, flags: 0))
    let child = TraceContext(under: parent, using: &generator)
    #expect(child.traceID == 7 && child.flags == 0 && child.spanID != 8)
    let first = TraceContext(under: nil, using: &generator)
    #expect(first != TraceContext(under: nil, using: &generator) && first.flags == 1)
  }

  @Test func theSpanOfAProbe() throws {
    let context = try #require(TraceContext(traceParent: Self.example))
    #expect(
      context.probe(3).traceParent == "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7100000003-01")
    let small = try #require(TraceContext(traceID: 1, spanID: 2))
    #expect(small.probe(0) == small)
  }
}
