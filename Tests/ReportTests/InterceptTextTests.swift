import Report
import Testing
import Trace
import Wire

struct InterceptTextTests {
  private func plan(_ proto: String, _ version: Int = 4) -> ProbePlan {
    ProbePlan(
      source: IPAddress(version == 4 ? "10.0.0.1" : "fd00::1")!,
      destination: IPAddress(version == 4 ? "10.0.0.2" : "fd00::2")!, proto: ProbeProtocol(proto)!,
      identifier: 7, count: 1,
      interval: 1, timeout: 1, ttl: 64, tos: 0, dontFragment: false, size: 8, nonce: 1, device: nil,
      sourcePort: 1024, destinationPort: 53)
  }

  private func octets(_ proto: String, _ version: Int = 4) throws -> [UInt8] {
    plan(proto, version).packet(sequence: 1).bytes
  }

  private func line(
    _ before: [UInt8], _ after: [UInt8]? = nil, _ fate: Interception.Fate = .passed
  ) -> String {
    InterceptText.line(time: 0, before: before, after: after ?? before, fate: fate)
  }

  @Test func packets() throws {
    let echo = try octets("icmp")
    #expect(
      line(echo) == "00:00:00.000000 10.0.0.1 > 10.0.0.2 icmp echo request 7/1, ttl 64, tos 0, "
        + "\(echo.count) octets")
    #expect(line(try octets("udp")).contains(" 10.0.0.1:1024 > 10.0.0.2:53 udp, ttl 64"))
    #expect(line(try octets("tcp", 6)).contains(" [fd00::1]:1024 > [fd00::2]:53 tcp SYN, ttl 64"))
    var reply = echo
    reply[20] = 0
    #expect(line(reply).contains(" icmp echo reply 7/1,"))
    reply[20] = 3
    reply[21] = 1
    #expect(line(reply).contains(" icmp type 3 code 1,"))
    var fragment = try octets("udp")
    fragment.replaceSubrange(4..<8, with: [0x12, 0x34, 0, 2])
    #expect(line(fragment).contains(" udp fragment 4660 at 16, "))
    #expect(line([1, 2, 3]) == "00:00:00.000000 3 octets that are no packet")
  }

  @Test func fates() throws {
    let before = try octets("udp")
    #expect(line(before, before, .foreign).hasSuffix(": not of this traffic, dropped"))
    #expect(line(before, before, .dropped).hasSuffix(" octets: dropped"))
    #expect(line(before, before, .answered).hasSuffix(" octets: answered"))
    #expect(line(before, before, .unchangeable).hasSuffix(": cannot be changed so, passed"))
    // What goes on has one more than it will leave with.
    var after = before
    after[8] = 65
    #expect(line(before, after, .changed).hasSuffix(" octets: nothing new"))
    after[8] = 10
    after[1] = 16
    after[15] = 9
    after[19] = 8
    #expect(
      line(before, after, .changed).hasSuffix(
        " octets: ttl 9, tos 16, source 10.0.0.9, dest 10.0.0.8:53"))
  }

  @Test func dumps() {
    #expect(InterceptText.hex([]) == "")
    #expect(
      InterceptText.hex(Array(0..<17))
        == "\t0x0000:  0001 0203 0405 0607 0809 0a0b 0c0d 0e0f\n\t0x0010:  10")
  }

  @Test func sums() throws {
    var counts = Interception().counts
    func line(_ nanoseconds: UInt64 = 0) -> String {
      InterceptText.sum(counts, nanoseconds: nanoseconds).lines.map(\.text).joined(separator: "\n")
    }
    #expect(line(1_250_000_000) == "0 packets, 0 octets in 1.2 s: none")
    (counts.packets, counts.octets, counts.passed) = (1, 1, 1)
    #expect(line() == "1 packet, 1 octet in 0.0 s: 1 passed")
    (counts.packets, counts.changed, counts.refused, counts.orphans) = (4, 2, 1, 3)
    #expect(
      line().hasSuffix(
        ": 1 passed, 2 changed, 1 not taken back by the kernel, "
          + "3 fragments whose first was not seen"))
    #expect(
      InterceptText.sum(counts, nanoseconds: 1_250_000_000).object.line
        == "{\"seconds\":1.3,\"packets\":{\"packets\":4,\"octets\":1,\"passed\":1,\"changed\":2,"
        + "\"answered\":0,\"dropped\":0,\"unchangeable\":0,\"refused\":1,\"orphans\":3}}")
  }
}
