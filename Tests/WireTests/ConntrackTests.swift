import Recordings
import Testing
import Wire

@Suite struct ConntrackTests {
  static func message(_ name: String) throws -> ConntrackMessage {
    let recording = Recordings.conntrack[name]
    return try #require(try ConntrackMessage(NetlinkMessage.all(in: recording.bytes)[0]))
  }

  /// "SOURCE:PORT > DESTINATION:PORT", or the ICMP identifier's place in it.
  static func text(_ tuple: ConntrackTuple) -> String {
    func end(_ address: IPAddress, _ port: UInt16?) -> String {
      port.map { "\(address) \($0)" } ?? "\(address)"
    }
    let icmp = tuple.icmpType.map { " type \($0) code \(tuple.icmpCode ?? 255)" } ?? ""
    return "\(tuple.proto) " + end(tuple.source, tuple.sourcePort) + " > "
      + end(tuple.destination, tuple.destinationPort) + icmp
  }

  @Test(arguments: [
    (
      "IPv4 echo, new", ConntrackMessage.Event.new, 0x198 as UInt32,
      "icmp 192.168.69.100 > 198.51.100.10 type 8 code 0",
      "icmp 198.51.100.10 > 172.20.0.2 type 0 code 0"
    ),
    (
      "IPv4 echo, update", .update, 0x19a, "icmp 192.168.69.100 > 198.51.100.10 type 8 code 0",
      "icmp 198.51.100.10 > 172.20.0.2 type 0 code 0"
    ),
    (
      "IPv6 echo, new", .new, 0x198, "icmpv6 fd00:69::100 > 2001:db8::10 type 128 code 0",
      "icmpv6 2001:db8::10 > fd00:20::2 type 129 code 0"
    ),
    (
      "IPv4 DNAT, new", .new, 0x1b8, "udp 192.168.69.100 30003 > 192.168.69.1 7002",
      "udp 198.51.100.10 5353 > 172.20.0.2 30003"
    ),
    (
      "IPv6 DNAT, new", .new, 0x1b8, "udp fd00:69::100 30003 > fd00:69::1 7002",
      "udp 2001:db8::10 5353 > fd00:20::2 30003"
    ),
    (
      "IPv6 DNAT, update", .update, 0x1ba, "udp fd00:69::100 30003 > fd00:69::1 7002",
      "udp 2001:db8::10 5353 > fd00:20::2 30003"
    ),
    (
      "TCP DNAT, new", .new, 0x1b8, "tcp 192.168.69.100 30013 > 192.168.69.1 7010",
      "tcp 198.51.100.10 8080 > 172.20.0.2 30013"
    ),
    (
      "redirect, new", .new, 0x1a8, "udp 192.168.69.100 30005 > 198.51.100.10 7003",
      "udp 192.168.69.1 53 > 192.168.69.100 30005"
    ),
    (
      "TCP reset, destroy", .destroy, 0x398, "tcp 192.168.69.100 30014 > 198.51.100.10 8081",
      "tcp 198.51.100.10 8081 > 172.20.0.2 30014"
    ),
    (
      "flush, destroy 5", .destroy, 0x3ba, "udp fd00:69::100 30003 > fd00:69::1 7002",
      "udp 2001:db8::10 5353 > fd00:20::2 30003"
    ),
    (
      "loopback, new", .new, 0x188, "icmp 127.0.0.1 > 127.0.0.1 type 8 code 0",
      "icmp 127.0.0.1 > 127.0.0.1 type 0 code 0"
    ),
    (
      "dump, update", .update, 0x18a, "icmp 10.9.0.1 > 10.9.0.2 type 8 code 0",
      "icmp 10.9.0.2 > 10.9.0.1 type 0 code 0"
    ),
  ])
  func connections(
    name: String, event: ConntrackMessage.Event, status: UInt32, original: String, reply: String
  ) throws {
    let message = try Self.message(name)
    #expect(message.event == event)
    #expect(message.status.rawValue == status)
    #expect(message.family == (message.original.source.family == 6 ? NFProto.ipv6 : NFProto.ipv4))
    #expect(Self.text(message.original) == original)
    #expect(Self.text(message.reply) == reply)
    #expect(message.id != nil && message.timeout != nil)
    #expect(message.zone == nil)
    #expect(message.original.icmpID == message.reply.icmpID)
  }

  @Test func sourceNATChoosesAPort() throws {
    let reply = try Self.message("SNAT, new").reply
    #expect(40000...40100 ~= reply.destinationPort ?? 0)
    #expect(try Self.message("SNAT, new").status.contains([.sourceNAT, .confirmed]))
  }

  @Test func zonesAreKept() throws {
    #expect(try Self.message("zone, new").zone == 7)
  }

  @Test(arguments: Recordings.conntrack)
  func writtenAndReadAgain(recording: Recording) throws {
    let message = try Self.message(recording.name)
    #expect(try ConntrackMessage(message.message) == message)
    #expect(ConntrackMessage.isOne(message.message.type))
  }

  @Test(arguments: Recordings.conntrack)
  func everyTruncationIsReadOrRefused(recording: Recording) {
    for part in prefixes(recording.payload) { #expect(survives(part)) }
  }

  @Test func withoutBothTuplesThereIsNoConnection() throws {
    let message = try Self.message("IPv4 echo, new").message
    let attributes = try NetlinkAttribute.all(in: message.payload, from: 4)
    for type: UInt16 in [1, 2] {
      let payload = NetfilterHeader(family: 2).bytes + attributes.filter { $0.type != type }.bytes
      #expect(try ConntrackMessage(NetlinkMessage(type: 0x0100, payload: payload)) == nil)
    }
  }

  @Test func aTupleOfTwoFamiliesIsNone() throws {
    var message = try Self.message("UDP over IPv4, new")
    message.reply.destination = .v6(1)
    #expect(try ConntrackMessage(message.message) == nil)
  }
}
