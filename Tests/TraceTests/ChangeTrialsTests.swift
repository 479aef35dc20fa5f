import Testing

@testable import Trace

@Suite struct ChangeTrialsTests {
  /// A place in which changes by these names are needed, and some of them take others with them.
  private struct World: ChangeTrial {
    var isThrough: Bool
    var obstacle: String
    var candidates: [ChangeCandidate]
    var likeliest: ChangeCandidate?
  }

  private static let narrow: ChangeCandidate = ChangeCandidate("nft narrow")
  private static let middle: ChangeCandidate = ChangeCandidate("nft middle")
  private static let wide: ChangeCandidate = ChangeCandidate("nft wide")
  private static let other: ChangeCandidate = ChangeCandidate("ip other")

  private static func lost(
    _ obstacle: String, _ candidates: [ChangeCandidate], likeliest: ChangeCandidate? = nil
  ) -> World {
    World(
      isThrough: false, obstacle: obstacle, candidates: candidates, likeliest: likeliest)
  }

  private static let through = World(isThrough: true, obstacle: "", candidates: [])
  private static let first = lost("rule", [narrow, middle, wide])

  private static func commands(_ steps: [ChangeTrials<World>.Step]?) -> [String]? {
    steps?.map(\.change.command)
  }

  @Test func theNarrowestThatWorksIsTaken() {
    var trials = ChangeTrials<World>(mostTried: 9, mostTogether: 3)
    var tried: [[ChangeCandidate]] = []
    let steps = trials.run(from: Self.first) { changes in
      tried.append(changes)
      // The first does not help, and the other two would.
      return changes == [Self.narrow] ? Self.first : Self.through
    }
    #expect(Self.commands(steps) == ["nft middle"])
    #expect(tried == [[Self.narrow], [Self.middle]] && trials.count == 2 && !trials.isCut)
  }

  /// One that gets it through by itself is better than a narrower one that leads to something else.
  @Test func oneIsBetterThanTwo() {
    var trials = ChangeTrials<World>(mostTried: 9, mostTogether: 3)
    let steps = trials.run(from: Self.first) { changes in
      changes == [Self.narrow] ? Self.lost("answer", [Self.other]) : Self.through
    }
    #expect(Self.commands(steps) == ["nft middle"])
  }

  @Test func whatComesBehindIsCuredAsWell() {
    for (likeliest, expected) in [
      (nil, ["nft narrow", "ip other"]), (Self.wide, ["nft wide", "ip other"]),
    ] {
      var trials = ChangeTrials<World>(mostTried: 9, mostTogether: 3)
      var first = Self.first
      first.likeliest = likeliest
      let steps = trials.run(from: first) { changes in
        changes.count == 1 ? Self.lost("route", [changes[0], Self.other]) : Self.through
      }
      #expect(Self.commands(steps) == expected)
    }
  }

  @Test func whatLeadsNowhereEnds() {
    var trials = ChangeTrials<World>(mostTried: 9, mostTogether: 3)
    // A command fails, and with another one the same stops it.
    let steps = trials.run(from: Self.first) { $0 == [Self.narrow] ? nil : Self.first }
    #expect(Self.commands(steps) == nil)
    #expect(trials.count == 3 && !trials.isCut)
  }

  @Test func thereAreBounds() {
    var few = ChangeTrials<World>(mostTried: 2, mostTogether: 3)
    #expect(Self.commands(few.run(from: Self.first) { _ in Self.first }) == nil)
    #expect(few.count == 2 && few.isCut)
    var short = ChangeTrials<World>(mostTried: 9, mostTogether: 3)
    var calls = 0
    let steps = short.run(from: Self.first, until: { calls == 1 }) { _ in
      calls += 1
      return Self.first
    }
    #expect(Self.commands(steps) == nil && short.isCut && calls == 1)
  }
}
