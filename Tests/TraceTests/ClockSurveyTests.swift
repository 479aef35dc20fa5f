import Testing

@testable import Trace
@testable import Wire

/// Looks through sessions of very many packets, of which some are kept.
struct ClockSurveyTests {
  /// UDP of IPv4 with this number.
  private func packet(_ number: Int, ttl: UInt8, from source: UInt8 = 1) -> [UInt8] {
    let (high, low) = (UInt8(number >> 8 & 255), UInt8(number & 255))
    return [0x45, 0, 0, 36, high, low, 0x40, 0, ttl, 17, 0, 0, 192, 0, 2, source, 198, 51, 100, 1]
      + [0x9c, 0x40, 0, 53, 0, 16, source, 0] + [high, low, 1, 2, 3, 4, 5, 6]
  }

  private func message(_ packet: [UInt8], hook: UInt8) -> [UInt8] {
    LogMessage(
      family: 2, hookNumber: hook, prefix: "", inDevice: hook == 0 ? 2 : nil,
      outDevice: hook == 4 ? 3 : nil, payload: packet
    ).bytes
  }

  private let ahead: Int64 = 3_600_000_000_123

  /// A packet each millisecond passes the first place and then the second, or the other way round; the second's clock is
  /// an hour ahead. What can be passed over is not taken in.
  private func survey(_ packets: Int, most: Int) -> ClockSurvey {
    var survey = ClockSurvey(sessions: 2, most: most)
    for place in 0...1 {
      for number in 0..<packets {
        let goes = number % 2 == 0
        let isFirst = goes == (place == 0)
        let began = UInt64(1_800_000_000_000_000_000 + number * 1_000_000)
        let start = began + (isFirst ? 0 : UInt64(200_000 + number % 7 * 1000))
        for (hook, ttl, after) in [(0, 64, 0), (4, 63, 50_000)] as [(UInt8, UInt8, UInt64)] {
          let payload = message(packet(number, ttl: isFirst ? ttl : ttl - 1), hook: hook)
          let time = (start + after).moved(by: place == 0 ? 0 : ahead)
          let octets = [7, 7, 7] + payload
          let whole = PacketInFile(interface: 0, time: time, octets: 3..<octets.count)
          if survey.pass(whole, in: octets, as: .nflog, from: place) { continue }
          survey.take(Record(time: time, .log(payload)), from: place)
        }
      }
    }
    return survey
  }

  /// The bound of a sample is true, and no narrower than that of all.
  @Test func someOfManyPackets() throws {
    let all = survey(2000, most: 30_000)
    let some = survey(2000, most: 100)
    #expect(all.share == 1)
    #expect(some.share >= 16 && some.share <= 128)
    #expect(all.spans == some.spans)
    let whole = try #require(all.offsets(from: 0).known[1])
    let sample = try #require(some.offsets(from: 0).known[1])
    #expect(sample.atLeast <= whole.atLeast && sample.atMost >= whole.atMost)
    #expect((sample.ahead - ahead).magnitude <= sample.bound)
    #expect((whole.ahead - ahead).magnitude <= whole.bound)
  }

  /// NAT and routing do not change which packets are looked at; others have other numbers.
  @Test func theSamplePassesNAT() {
    func number(_ packet: [UInt8]) -> UInt64? {
      PacketSample.number(packet, in: packet.indices)
    }
    #expect(number(packet(7, ttl: 64)) == number(packet(7, ttl: 60, from: 9)))
    #expect(Set((0..<1000).map { number(packet($0, ttl: 64)) }).count == 1000)
    // What has no room for any is never passed over.
    #expect(number([0x45, 0]) == nil)
    #expect(number([0x60] + Array(repeating: 0, count: 60)) == nil)
    for length in 0..<36 { _ = number(Array(packet(7, ttl: 64).prefix(length))) }
  }

  /// Where a packet is in a message, also behind the header of its link, and in what is cut off.
  @Test func wherePacketsAre() {
    let octets = packet(7, ttl: 64)
    let payload = message(octets, hook: 0)
    let place = LogMessage.packet(payload, in: payload.indices)
    #expect(place.map { Array(payload[$0]) } == octets)
    for length in 0..<payload.count { _ = LogMessage.packet(payload, in: 0..<length) }
    let link = Array(repeating: 9, count: 12) + [8, 0] as [UInt8]
    let sent = LogMessage(
      family: NFProto.netdev, hookNumber: 1, prefix: "", payload: link + octets
    ).bytes
    #expect(LogMessage.packet(sent, in: sent.indices).map { Array(sent[$0]) } == octets)
  }
}
