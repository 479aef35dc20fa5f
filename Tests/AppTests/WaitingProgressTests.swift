import Simulator
import Testing
import Trace

@testable import App

/// What somebody reads who waits for an answer.
struct WaitingProgressTests {
  private let heard = HeardOutput()
  private let second: UInt64 = 1_000_000_000

  private func plan() throws -> ProbePlan {
    try #require(try RecordedSession("healthy-nft-v4").header.probe)
  }

  @Test func whoWaitsIsToldForHowLong() throws {
    var waiting = WaitingProgress(try plan())
    let pauses = Output.$place.withValue(heard) {
      let pauses = [0, 600_000_000, 3 * second].map {
        waiting.look($0, until: 6 * second, timeout: 6)
      }
      waiting.end()
      waiting.end()
      return pauses
    }
    #expect(pauses == [600_000_000, second, second])
    #expect(
      heard.progress == [
        "waiting 5 s for 203.0.113.7, ^C stops", "waiting 3 s for 203.0.113.7, ^C stops", nil,
      ])
  }

  /// A second passes without a word, and where no probe is out there is nothing to wait for.
  @Test func nothingIsSaidOfAShortWait() throws {
    var waiting = WaitingProgress(try plan())
    Output.$place.withValue(heard) {
      #expect(waiting.look(second / 2, until: second, timeout: 1) == .max)
      #expect(waiting.look(second, until: nil, timeout: 6) == .max)
      waiting.end()
    }
    #expect(heard.progress.isEmpty)
  }
}
