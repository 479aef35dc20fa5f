import Fixtures
import Testing
import Trace
import Wire

@testable import Report

/// Which of the packets that are dropped are told as log records.
struct DropSamplesTests {
  /// An exchange of a recording in which a rule dropped something, so many minutes later.
  private func drop(after minutes: UInt64 = 0) throws -> Exchange {
    for name in Fixtures.sessions where name.hasPrefix("recorded-") {
      let exchanges = try ReplayedSession(name).exchanges
      let stopped = exchanges.first { $0.journeys.contains { $0.end.isStopped } }
      if var found = stopped {
        found.journeys = [found.journeys.first { $0.end.isStopped }!]
        for index in found.journeys.indices {
          found.journeys[index].start += minutes * 60_000_000_000
        }
        return found
      }
    }
    throw NoSuchSession()
  }

  private struct NoSuchSession: Error {}

  @Test func theFirstFewOfAMinute() throws {
    var samples = DropSamples(perMinute: 2)
    let told = try (0..<5).map { _ in samples.take(try drop()).count }
    #expect(told == [1, 1, 0, 0, 0])
    let next = try #require(samples.take(try drop(after: 1)).first)
    #expect(next.attributes[name: "nftrace.left_out"] == .int(3))
    let last = try #require(samples.take(try drop(after: 1)).first)
    #expect(last.attributes[name: "nftrace.left_out"] == nil)
  }

  @Test func whatIsToldOfOne() throws {
    var samples = DropSamples(perMinute: 1)
    let record = try #require(samples.take(try drop()).first)
    #expect(record.event == "nftrace.drop" && record.severity == .warn && record.time > 0)
    for name in [
      "source.address", "destination.address", "network.transport", "nftrace.table",
      "nftrace.chain",
      "nftrace.hook", "nftrace.finding", "nftrace.cause",
    ] {
      #expect(record.attributes[name: name] != nil, "\(name)")
    }
  }

  @Test func whatGotThroughIsNotTold() throws {
    var samples = DropSamples(perMinute: 1000)
    for name in Fixtures.sessions {
      for exchange in try ReplayedSession(name).exchanges {
        let lost = exchange.journeys.count { $0.end.isLost }
        #expect(samples.take(exchange).count <= lost)
      }
    }
  }
}
