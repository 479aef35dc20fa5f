import Testing
import Trace

@Suite struct MessageRateTests {
  @Test func onlyWholeWindowsCount() {
    var rate = MessageRate()
    rate.take(1, at: 1_000_000_000)
    #expect(rate.perSecond < 30_000)
    // A burst shorter than a window is not much yet.
    rate.take(5000, at: 1_001_000_000)
    #expect(rate.perSecond < 30_000)
    rate.take(0, at: 1_020_000_000)
    #expect(rate.perSecond == 250_000)
    // And nothing is nothing.
    rate.take(0, at: 1_040_000_000)
    #expect(rate.perSecond == 0)
  }
}
