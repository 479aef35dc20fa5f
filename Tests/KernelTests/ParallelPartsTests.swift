import Kernel
import Testing

struct ParallelPartsTests {
  private struct Part {
    var number: Int
    var rounds = 0
    var sum = 0
  }

  private struct Refused: Error {}

  /// Each part is done once a round, whoever does it, and what was done is there for the caller behind the round.
  @Test(arguments: [0, 1, 2, 7, 100])
  func eachPartIsDoneOnceARound(_ count: Int) {
    let parts = ParallelParts(count) { Part(number: $0) }
    for round in 1...200 {
      var isDone = false
      parts.each(beside: { isDone = true }) { number, part in
        part.rounds += 1
        part.sum += number &* part.number
      }
      #expect(isDone)
      for number in 0..<parts.count {
        parts.with(number) {
          #expect($0.rounds == round)
          #expect($0.sum == round * number * number)
        }
      }
    }
    #expect(parts.count == count)
  }

  /// Where the caller's own work fails nothing is being done any more when that is told, and no part was done twice.
  @Test func aFailureOfTheCallerEndsTheRound() {
    let parts = ParallelParts(64) { Part(number: $0) }
    for _ in 0..<50 {
      #expect(throws: Refused.self) {
        try parts.each(beside: { () throws(Refused) in throw Refused() }) { $1.rounds += 1 }
      }
    }
    let before = (0..<64).map { number in parts.with(number) { $0.rounds } }
    #expect(before.allSatisfy { $0 <= 50 })
    // And the next one is as any other.
    parts.each { $1.rounds += 1 }
    for number in 0..<64 { #expect(parts.with(number) { $0.rounds } == before[number] + 1) }
  }

  /// A part that cannot be made is the caller's to hear of.
  @Test func whatCannotBeMadeIsThrown() {
    #expect(throws: Refused.self) {
      _ = try ParallelParts(3) { number throws(Refused) -> Part in
        if number == 2 { throw Refused() }
        return Part(number: number)
      }
    }
  }
}
