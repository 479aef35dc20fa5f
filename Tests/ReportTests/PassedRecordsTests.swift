import Fixtures
import Report
import Testing
import Trace

/// What is only counted, once all is told that was asked for.
struct PassedRecordsTests {
  /// A recording in which the same comes three times, three seconds apart.
  private static func session(_ name: String) throws -> [UInt8] {
    var decoder = SessionDecoder()
    decoder.feed(try Fixtures.octets(name))
    var octets: [UInt8] = []
    var records: [Record] = []
    while let element = try decoder.next() {
      switch element {
      case .header(let header?): octets += SessionFile.beginning(header)
      case .header(nil): break
      case .record(let record): records.append(record)
      }
    }
    for round in 0..<3 {
      for var record in records {
        record.time += UInt64(round) * 3_000_000_000
        octets += SessionFile.bytes(record)
      }
    }
    return octets
  }

  private static func report(
    of octets: [UInt8], _ packet: Int, _ format: ReportFormat, passesOver: Bool
  ) -> (lines: [String], passed: Int) {
    var decoder = SessionDecoder()
    decoder.feed(octets)
    var report = SessionReport(
      filter: ExchangeFilter(packet: packet), style: TextStyle(), format: format)
    var (lines, passed): ([String], Int) = ([], 0)
    report.play(
      1, next: { _ in try? decoder.next() },
      passOver: !passesOver
        ? nil
        : { _, records in
          passed += 1
          return (try? decoder.next(passing: &records)) ?? nil
        }, put: { lines += $0 })
    return (lines, passed)
  }

  /// A packet is told as it is when all behind it is looked at; and so are the sums.
  @Test(
    arguments: ["recorded-udp-closed-port-v4", "recorded-flow-offloaded-v4"],
    [ReportFormat.text, .json, .flows])
  func oneOfMany(_ name: String, _ format: ReportFormat) throws {
    let octets = try Self.session(name)
    for packet in [1, 99_999] {
      let whole = Self.report(of: octets, packet, format, passesOver: false)
      let quick = Self.report(of: octets, packet, format, passesOver: true)
      #expect(quick.lines == whole.lines)
      #expect(packet > 2 ? quick.passed == 0 : quick.passed > 0)
    }
  }
}
