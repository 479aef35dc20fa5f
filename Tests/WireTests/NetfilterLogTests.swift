import Recordings
import Testing
import Wire

@Suite struct NetfilterLogTests {
  static let client: [UInt8] = [2, 0, 0, 0, 0x69, 0x64]

  static func message(_ name: String) throws -> LogMessage {
    try LogMessage(Recordings.log[name].payload)
  }

  /// Hook, input and output device, mark, and whether there are a timestamp and an owner.
  @Test(
    arguments: [
      ("IPv4 echo, ingress c0", Hook.ingress, 2, nil, 0, true, 0),
      ("IPv4 echo, inet-ingress", .ingress, 2, nil, 0, false, 0),
      ("IPv4 echo, raw-PREROUTING", .prerouting, 2, nil, 0, true, nil),
      ("IPv4 echo, conntrack-PREROUTING", .prerouting, 2, nil, 0x11, true, nil),
      ("IPv4 echo, filter-FORWARD", .forward, 2, 3, 0x11, true, nil),
      ("IPv4 echo, nat-POSTROUTING", .postrouting, 2, 3, 0x11, false, nil),
      ("IPv4 echo, egress s0", .egress, nil, 3, 0x11, true, nil),
      ("IPv6 echo, egress s0", .egress, nil, 3, 0x11, true, nil),
      ("IPv4 local, filter-OUTPUT", .output, nil, 3, 0, false, 0),
      ("IPv4 local, filter-INPUT", .input, 3, nil, 0x11, true, nil),
      ("IPv6 local, filter-OUTPUT", .output, nil, 3, 0, false, 0),
      ("loopback, nat-POSTROUTING", .postrouting, nil, 1, 0, false, 0),
    ] as [(String, Hook, UInt32?, UInt32?, UInt32, Bool, UInt32?)])
  func places(
    name: String, hook: Hook, inDevice: UInt32?, outDevice: UInt32?, mark: UInt32, hasTime: Bool,
    owner: UInt32?
  ) throws {
    let message = try Self.message(name)
    #expect(name.hasSuffix(", " + message.prefix))
    #expect(message.hook == hook)
    #expect(message.inDevice == inDevice)
    #expect(message.outDevice == outDevice)
    #expect(message.mark == mark)
    #expect((message.timestamp != nil) == hasTime)
    #expect(message.uid == owner)
    #expect(message.gid == owner)
    #expect(message.physicalInDevice == nil)
    #expect(message.physicalOutDevice == nil)
  }

  @Test func everyFieldOfOneMessage() throws {
    var expected = LogMessage(
      family: NFProto.ipv4, group: 5, hookNumber: 0, hardwareProtocol: 0x0800,
      prefix: "raw-PREROUTING", inDevice: 2, sequence: 61,
      payload: try Self.message("IPv4 echo, raw-PREROUTING").payload)
    expected.timestamp = 1_795_222_716_407_768_000
    expected.hardwareType = 1
    expected.hardwareAddress = Self.client
    #expect(try Self.message("IPv4 echo, raw-PREROUTING") == expected)
    #expect(expected.payload.count == 84)
  }

  @Test func bridgePortsAreNamedApartFromTheBridge() throws {
    let bridged = try Self.message("bridge, bridge 2")
    #expect(bridged.family == NFProto.bridge)
    #expect(bridged.hook == .forward)
    #expect(bridged.inDevice == 4 && bridged.outDevice == 4)
    #expect(bridged.physicalInDevice == 5 && bridged.physicalOutDevice == 6)
    let routed = try Self.message("bridge, filter-FORWARD")
    #expect(routed.family == NFProto.ipv4)
    #expect(routed.physicalInDevice == 5 && routed.physicalOutDevice == 6)
    #expect(try Self.message("bridge, bridge").hardwareProtocol == 0x0806)
  }

  @Test(arguments: Recordings.log)
  func writtenAndReadAgain(recording: Recording) throws {
    let message = try LogMessage(recording.payload)
    #expect(try LogMessage(message.bytes) == message)
  }

  @Test(arguments: Recordings.log)
  func everyTruncationIsReadOrRefused(recording: Recording) {
    for part in prefixes(recording.payload) { #expect(survives(part)) }
    // Without the packet header, the first attribute, there is no message.
    for part in prefixes(recording.payload).prefix(12) {
      #expect(throws: WireError.self) { try LogMessage(part) }
    }
  }

  @Test func whatIsMissingOrImpossibleIsSaid() {
    let header = NetfilterHeader(family: 2).bytes
    #expect(throws: WireError("needs 1 octets, 0 left", at: 0)) { try LogMessage([]) }
    #expect(throws: WireError("no NFLOG packet header", at: 4)) { try LogMessage(header) }
    #expect(throws: WireError("NFLOG packet header of 3 octets", at: 4)) {
      try LogMessage(header + [NetlinkAttribute(1, [8, 0, 0])].bytes)
    }
  }

  /// Seconds and microseconds that are no time, or beyond 64 bits of nanoseconds.
  @Test(
    arguments: [
      (1, 999_999, 1_999_999_000), (1, 1_000_000, nil), (.max, 0, nil),
      (18_446_744_073, 709_551, 18_446_744_073_709_551_000),
      (18_446_744_073, 709_552, nil), (18_446_744_074, 0, nil),
    ] as [(UInt64, UInt64, UInt64?)])
  func timestamps(seconds: UInt64, micros: UInt64, nanoseconds: UInt64?) throws {
    var value: [UInt8] = []
    value.append(bigEndian: seconds)
    value.append(bigEndian: micros)
    let attributes = [NetlinkAttribute(1, [8, 0, 0, 0]), NetlinkAttribute(3, value)]
    let message = try LogMessage(NetfilterHeader(family: 2).bytes + attributes.bytes)
    #expect(message.timestamp == nanoseconds)
  }

  @Test func aHardwareAddressIsNoLongerThanItsOctets() throws {
    let attributes = [
      NetlinkAttribute(1, [8, 0, 0, 0]), NetlinkAttribute(8, [0, 99, 0, 0, 1, 2, 3]),
    ]
    let message = try LogMessage(NetfilterHeader(family: 2).bytes + attributes.bytes)
    #expect(message.hardwareAddress == [1, 2, 3])
  }

  @Test func hooksHaveTheNumbersOfTheirFamily() {
    for family in [NFProto.inet, NFProto.ipv4, NFProto.ipv6, NFProto.bridge, NFProto.netdev] {
      let hooks: [Hook] =
        family == NFProto.netdev
        ? [.ingress, .egress] : [.prerouting, .input, .forward, .output, .postrouting, .ingress]
      for (number, hook) in hooks.enumerated() {
        #expect(Hook(number: number, family: family) == hook)
        #expect(hook.number(family: family) == UInt32(number))
      }
      #expect(Hook(number: hooks.count, family: family) == nil)
      #expect(Hook(number: -1, family: family) == nil)
    }
    let names = [1, 2, 3, 5, 7, 10, 12].map { NFProto.name($0) }
    #expect(names == ["inet", "ip", "arp", "netdev", "bridge", "ip6", "family 12"])
  }
}
