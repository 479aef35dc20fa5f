import Fixtures
import Foundation
import Testing
import Wire

@testable import Report
@testable import Trace

/// What fits where there are few columns, and stands below one another.
struct NarrowTests {
  private static func lines(_ name: String, _ width: Int) throws -> [String] {
    var style = TextStyle(width: width)
    style.isTerminal = true
    return try GoldenTests.render(name, style: style).split(separator: "\n").map(String.init)
  }

  /// No line is wider than the terminal, but one whose words have no room in it.
  @Test(arguments: [34, 40, 50, 59]) func linesFit(_ width: Int) throws {
    for name in GoldenTests.names {
      for line in try Self.lines(name, width) where TextLayout.columns(line) > width {
        let words = line.split(separator: " ").filter { $0 != "\\" }
        let widest = words.map { TextLayout.columns($0) }.max() ?? 0
        #expect(words.count <= 2 || widest + 14 > width, "\(name): \(line)")
      }
    }
  }

  /// Hooks stand below one another, however long a time is.
  @Test(arguments: [40, 60, 80]) func timesAreOneColumn(_ width: Int) throws {
    for name in GoldenTests.names {
      var column: Int?
      for line in try Self.lines(name, width) {
        let words = line.split(separator: " ")
        if words.prefix(2) == ["µs", "hook"] {
          column = line.distance(
            from: line.startIndex, to: line.range(of: "hook")!.lowerBound)
        } else if let column, line.hasPrefix(" "), words.count > 1,
          Double(words[0].drop { $0 == "≤" }) != nil, words[0].contains("."),
          words[1].allSatisfy(\.isUppercase)
        {
          let hook = line.range(of: words[1])!.lowerBound
          #expect(line.distance(from: line.startIndex, to: hook) == column, "\(name): \(line)")
        }
      }
    }
  }

  /// In a picture as well, hooks have their names in one piece.
  @Test(arguments: [44, 60, 80]) func namesOfHooksStayWhole(_ width: Int) throws {
    var style = TextStyle(width: width)
    style.isTerminal = true
    style.isDrawn = true
    for name in GoldenTests.names {
      for line in try GoldenTests.render(name, style: style).split(separator: "\n") {
        for hook in ["PREROUTING", "POSTROUTING"] {
          let begun = line.ranges(of: hook.prefix(6)).count
          #expect(begun == line.ranges(of: hook).count, "\(name): \(line)")
        }
        #expect(TextLayout.columns(line) <= width || line.contains("."), "\(name): \(line)")
      }
    }
  }

  /// A host sends a refusal after a rule said so, whenever nftrace came to read of either.
  @Test func refusalsFollowWhatIsRefused() throws {
    for name in GoldenTests.names {
      guard let session = try? ReplayedSession(name) else { continue }
      for exchange in session.results.map(\.exchange) + session.exchanges {
        for (request, answer) in zip(exchange.journeys, exchange.journeys.dropFirst()) {
          guard case .rejected(let decider) = request.end, request.site == answer.site,
            answer.direction != .request, answer.way.first.point.hook == .output
          else { continue }
          #expect(request.start + decider.hop.time <= answer.start, "\(name)")
        }
      }
    }
  }

  @Test func positionsAreNamedWhereSomethingStands() {
    let point = ObservationPoint(
      hook: .postrouting, priority: 101, table: "nat", label: "nat-POSTROUTING", chain: "c")
    func name(_ passed: [PassedChain]?, _ point: ObservationPoint) -> String {
      var hop = Hop(point: point, time: 0, packet: EndTextTests.packet)
      hop.passed = passed
      return hop.name
    }
    #expect(name(nil, point) == "nat-POSTROUTING")
    #expect(name([], point) == "POSTROUTING")
    let chain = PassedChain(family: 2, table: "nat", chain: "post", isNAT: true)
    #expect(name([chain], point) == "nat-POSTROUTING")
    let conntrack = ObservationPoint(
      hook: .output, priority: -199, table: "conntrack", label: "conntrack-OUTPUT", chain: "c")
    #expect(name([], conntrack) == "conntrack-OUTPUT")
  }
}
