import Fixtures
import Report
import Testing
import Trace

/// Recordings that are read beside each other are told as one reader would tell them, however far each is at a time.
struct JoinedReportTests {
  /// What is told of these recordings: lines, and words of damage.
  private struct Told: Equatable {
    var lines: [String] = []
    var damage = 0
    var failure: String?
  }

  private struct Broken: Error {}

  /// A few recordings of the fixtures, of which one may break off with an error.
  private static func recordings(
    _ chance: inout SystemRandomNumberGenerator
  ) throws -> (elements: [[SessionDecoder.Element]], broken: Int?) {
    let count = Int.random(in: 2...5, using: &chance)
    var all: [[SessionDecoder.Element]] = []
    for name in Fixtures.sessions.shuffled(using: &chance).prefix(count) {
      var decoder = SessionDecoder()
      decoder.feed(try Fixtures.octets(name))
      var elements: [SessionDecoder.Element] = []
      while let element = try? decoder.next() { elements.append(element) }
      all.append(elements)
    }
    // All at about one time, so that they get in each other's way.
    let first = all.map { elements in
      elements.lazy.map(\.moment).first { $0 > 0 } ?? 0
    }
    let base = first.max() ?? 0
    for index in all.indices {
      let ahead = Int64(clamping: first[index]) - Int64(clamping: base)
      all[index] = all[index].map { element in
        if case .record(let record) = element {
          .record(record.moved(ahead: ahead))
        } else {
          element
        }
      }
    }
    let broken = Bool.random(using: &chance) ? Int.random(in: 0..<count, using: &chance) : nil
    return (all, broken)
  }

  private static func report(_ places: Int) -> SessionReport {
    SessionReport(
      filter: ExchangeFilter(), style: TextStyle(width: 100), format: .text,
      namespaces: (0..<places).map { Site(machine: "m\($0)", path: nil) })
  }

  private static func oneByOne(_ all: [[SessionDecoder.Element]], _ broken: Int?) -> Told {
    var told = Told()
    var rest = all.map { $0[...] }
    var report = report(all.count)
    do {
      try report.play(
        all.count,
        next: { place throws(any Error) in
          if place == broken, rest[place].isEmpty { throw Broken() }
          return rest[place].popFirst()
        }, put: { lines throws(any Error) in told.lines += lines })
    } catch {
      told.failure = "\(error)"
    }
    return told
  }

  private static func besideEachOther(
    _ all: [[SessionDecoder.Element]], _ broken: Int?, _ chance: inout SystemRandomNumberGenerator
  ) throws -> Told {
    var told = Told()
    var rest = all.map { $0[...] }
    var report = try #require(JoinedReport(report(all.count)))
    var strands = report.strands
    var look: RecordingStrand.Look?
    do {
      while !report.isOver {
        let rooms = report.rooms
        // Whoever is first, and however little of its room it takes.
        for place in all.indices.shuffled(using: &chance) {
          let room = Bool.random(using: &chance) ? rooms[place] : min(rooms[place], 3)
          let outcome = strands[place].step(look, room: room) {
            if place == broken, rest[place].isEmpty { throw Broken() }
            return ([], rest[place].popFirst())
          }
          report.take(outcome, of: place)
        }
        look = report.settle()
        try report.tell({ told.lines += $0 }, complain: { _ in told.damage += 1 })
      }
      try report.finish { told.lines += $0 }
    } catch {
      told.failure = "\(error)"
    }
    return told
  }

  @Test(arguments: 0..<40)
  func whatIsToldDoesNotDependOnWhoIsFirst(_ round: Int) throws {
    var chance = SystemRandomNumberGenerator()
    let (all, broken) = try Self.recordings(&chance)
    let expected = Self.oneByOne(all, broken)
    #expect(!expected.lines.isEmpty || broken != nil)
    for _ in 0..<3 {
      #expect(try Self.besideEachOther(all, broken, &chance) == expected)
    }
  }
}
