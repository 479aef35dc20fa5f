import Testing
import Trace
import Wire

/// When a packet was where: by the kernel's stamps, as far as there are any.
@Suite struct JourneyTimesTests {
  /// A message of a packet at a point: when it was read, and when the kernel stamped it.
  private struct Seen {
    var label: String
    var read: UInt64
    var stamp: UInt64?
  }

  private static let base: UInt64 = 1_700_000_000_000_000_000

  /// A packet on its way through this host. Times are in microseconds.
  private func journey(_ seen: [Seen], clock: [(before: Int, step: Int64)] = []) throws -> Journey {
    let script = Script()
    var story = Story(header: script.header)
    for (index, one) in seen.enumerated() {
      let read = Self.base + one.read * 1000
      for set in clock where set.before == index {
        story.take(Record(time: read, .note(.clockSet(set.step))))
      }
      let point = script.point(one.label)
      let isEdge = point.hook == .ingress || point.hook == .egress
      let family = isEdge ? NFProto.netdev : NFProto.ipv4
      var log = LogMessage(
        family: family, hookNumber: UInt8(point.hook.number(family: family)), prefix: point.label,
        inDevice: 3, payload: echo().bytes)
      log.timestamp = one.stamp.map { Self.base + $0 * 1000 }
      story.take(Record(time: read, .log(log.bytes)))
    }
    return try #require(story.finish().first?.journeys.first)
  }

  private func micros(_ journey: Journey) -> [UInt64] { journey.hops.map { $0.time / 1000 } }

  @Test func stampsCountWhereTheKernelHasThem() throws {
    let journey = try journey([
      Seen(label: "INGRESS", read: 900, stamp: 100),
      Seen(label: "PREROUTING", read: 901, stamp: 120),
      Seen(label: "FORWARD", read: 902, stamp: 170), Seen(label: "POSTROUTING", read: 903),
      Seen(label: "EGRESS", read: 904, stamp: 477),
    ])
    #expect(journey.time == Self.base + 100_000)
    // Not stamped in POSTROUTING: it was there by the time it left, however late that was read.
    #expect(micros(journey) == [0, 20, 70, 377, 377])
    #expect(journey.hops.map(\.clock) == [.kernel, .kernel, .kernel, .reading, .kernel])
  }

  @Test func whatWasReadAtOnceWasThereByThen() throws {
    let journey = try journey([
      Seen(label: "OUTPUT", read: 10), Seen(label: "mangle-OUTPUT", read: 30),
      Seen(label: "POSTROUTING", read: 60), Seen(label: "EGRESS", read: 200, stamp: 50),
    ])
    #expect(micros(journey) == [0, 20, 40, 40])
  }

  /// Somebody captures: the kernel stamps a packet as it arrives, and it has that stamp at every hook.
  @Test func arrivalIsNoTimeOfAHop() throws {
    let journey = try journey([
      Seen(label: "INGRESS", read: 110, stamp: 100),
      Seen(label: "PREROUTING", read: 130, stamp: 100),
      Seen(label: "FORWARD", read: 150, stamp: 100), Seen(label: "EGRESS", read: 190, stamp: 180),
    ])
    #expect(journey.hops.map(\.clock) == [.kernel, .reading, .reading, .kernel])
    #expect(micros(journey) == [0, 30, 50, 80])
  }

  /// What is no time of this packet is left out: of this boot, of another clock, or older than a stamp
  /// before.
  @Test func stampsThatCannotBeAreLeftOut() throws {
    let journey = try journey([
      Seen(label: "INGRESS", read: 110, stamp: 100),
      Seen(label: "PREROUTING", read: 130, stamp: 90),
      Seen(label: "FORWARD", read: 150, stamp: 60_000_000), Seen(label: "EGRESS", read: 190),
    ])
    #expect(journey.hops.map(\.clock) == [.kernel, .reading, .reading, .reading])
    #expect(micros(journey) == [0, 30, 50, 90])
    let old = try self.journey([Seen(label: "INGRESS", read: 1_000_000_000, stamp: 5)])
    #expect(old.hops[0].clock == .reading)
  }

  @Test(arguments: [3_600_000_000, -3_600_000_000, 2_000, -2_000] as [Int64])
  func aClockThatIsSetChangesNoDuration(_ micros: Int64) throws {
    func stamp(_ time: Int64) -> UInt64 { UInt64(time + micros + 4_000_000_000) }
    func read(_ time: Int64) -> UInt64 { UInt64(time + 4_000_000_000) }
    let journey = try journey(
      [
        Seen(label: "INGRESS", read: read(10), stamp: read(0)),
        Seen(label: "PREROUTING", read: read(5020), stamp: stamp(5000)),
        Seen(label: "FORWARD", read: read(5040), stamp: stamp(5030)),
        Seen(label: "EGRESS", read: read(5060), stamp: stamp(5050)),
      ], clock: [(before: 1, step: micros * 1000)])
    #expect(self.micros(journey) == [0, 5000, 5030, 5050])
    #expect(journey.time == Self.base + read(0) * 1000)
  }

  /// A message that was stamped before the clock was set, and read after that.
  @Test func stampsOfBeforeAreKnown() throws {
    let journey = try journey(
      [
        Seen(label: "INGRESS", read: 10, stamp: 0), Seen(label: "PREROUTING", read: 30, stamp: 20),
        Seen(label: "FORWARD", read: 50, stamp: 7_200_000_040),
      ], clock: [(before: 1, step: 7_200_000_000_000)])
    #expect(micros(journey) == [0, 20, 40])
  }

  @Test func absoluteTimesAreTheMachines() throws {
    let journey = try journey(
      [Seen(label: "INGRESS", read: 10, stamp: 60_000_000)],
      clock: [(before: 0, step: 60_000_000_000)])
    #expect(journey.time == Self.base + 60_000_000_000)
  }

  @Test func settingTheClockIsSaid() throws {
    var story = Story(header: Script().header)
    story.take(Record(time: 1, .note(.clockSet(2_500_000_000))))
    story.take(Record(time: 2, .note(.clockSet(-1_000_000_000))))
    #expect(story.counts.clockSteps == [2_500_000_000, -3_500_000_000])
    let finding = try #require(Finding.clockSet(story.counts))
    #expect(finding.severity == .note)
    #expect(finding.summary.contains("set back, 2 times, the furthest by 3.500 s"))
    #expect(Finding.clockSet(EventCounts()) == nil)
    // Once it goes on as before, that is no second step.
    var later = Story(header: Script().header, after: story)
    later.take(Record(time: 3, .note(.clockSet(-1_000_000_000))))
    #expect(later.counts.clockSteps.isEmpty)
  }
}
