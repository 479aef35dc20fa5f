import Fixtures
import Report
import Testing
import Trace
import Wire

/// What is told of a recording of which not all is asked for.
struct WantedExchangesTests {
  private static let recordings = Fixtures.sessions.filter { $0.hasPrefix("recorded-") }

  /// The exchanges that a report tells.
  private static func told(
    _ name: String, _ filter: ExchangeFilter = ExchangeFilter(), last: Int? = nil
  ) throws -> [Exchange] {
    var told: [Exchange] = []
    var report = SessionReport(filter: filter, style: TextStyle(), last: last)
    report.listener = { if case .exchange(let exchange) = $0 { told.append(exchange) } }
    _ = report.lines(of: [try Fixtures.octets(name)])
    return told
  }

  /// The last few are those that are last when all are told.
  @Test(arguments: recordings)
  func theLast(_ name: String) throws {
    let all = try Self.told(name)
    for last in [1, 2, 1000] {
      #expect(try Self.told(name, last: last) == all.suffix(last))
    }
  }

  /// A packet, and what goes to an address or a port, is told as it is when all is told.
  @Test(arguments: recordings)
  func those(_ name: String) throws {
    let all = try Self.told(name)
    for journey in all.flatMap(\.journeys).prefix(8) {
      let packet = journey.packet
      let filters = [
        ExchangeFilter(packet: journey.id),
        ExchangeFilter(to: Prefix("\(packet.destination)")),
        ExchangeFilter(from: Prefix("\(journey.way.last.packet.source)")),
        ExchangeFilter(port: packet.destinationPort ?? 9),
      ]
      for filter in filters {
        #expect(try Self.told(name, filter) == all.filter(filter.matches))
      }
    }
  }
}
