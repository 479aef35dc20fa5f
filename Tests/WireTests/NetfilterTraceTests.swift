import Recordings
import Testing
import Wire

@Suite struct NetfilterTraceTests {
  static func message(_ name: String) throws -> TraceMessage {
    try TraceMessage(Recordings.trace[name].payload)
  }

  @Test(
    arguments: [
      ("IPv4 echo, seen/pre rule", .rule, 10, "continue", nil),
      ("IPv4 echo, seen/pre end", .rule, nil, "continue", nil),
      ("IPv4 echo, seen/pre policy", .policy, nil, "accept", nil),
      ("policy drop, v/strict policy", .policy, nil, "drop", nil),
      ("IPv4 echo, v/forward rule", .rule, 8, "jump", "sub"),
      ("IPv4 echo, v/sub rule", .rule, 6, "return", nil),
      ("drop, v/forward rule", .rule, 10, "goto", "last"),
      ("drop, v/last rule", .rule, 7, "drop", nil),
      ("reject, v/strict rule", .rule, 14, "drop", nil),
      ("IPv4 DNAT, t/pre rule", .rule, 7, "accept", nil),
      ("IPv6 DNAT, t/pre rule", .rule, 4, "accept", nil),
      ("queue, filter/FORWARD rule", .rule, 3, "queue to 9", nil),
      ("bridge, seen/forward rule", .rule, 2, "continue", nil),
    ] as [(String, TraceMessage.Kind, UInt64?, String, String?)])
  func steps(
    name: String, kind: TraceMessage.Kind, handle: UInt64?, verdict: String, target: String?
  ) throws {
    let message = try Self.message(name)
    #expect(message.kind == kind)
    #expect(message.handle == handle)
    #expect(message.verdict.description == verdict)
    #expect(message.target == target)
    #expect(name.contains(" \(message.table)/\(message.chain) "))
    #expect((message.policy == nil) == (kind != .policy))
    #expect(message.id != 0)
  }

  @Test func theFirstStepInAChainCarriesPacketAndConnection() throws {
    let message = try Self.message("IPv4 echo, v/forward rule 2")
    #expect(message.startsChain)
    #expect(message.inDevice == 3 && message.outDevice == 2)
    #expect(message.mark == 0x11)
    #expect(message.linkHeader == [2, 0, 0, 0, 0x20, 2, 2, 0, 0, 0, 0x20, 1, 8, 0])
    #expect(message.conntrackDirection == 1)
    #expect(message.conntrackState == 2)
    #expect(message.conntrackStatus == 0x19a)
    let packet = try Packet(
      #require(message.networkHeader) + #require(message.transportHeader))
    #expect(packet.source == IPAddress("198.51.100.10"))
    #expect(packet.destination == IPAddress("192.168.69.100"))
    #expect(packet.icmp?.isEchoReply(.icmp) == true)
    // The same connection as conntrack has it.
    let created = try NetlinkMessage.all(in: Recordings.conntrack["IPv4 echo, new"].bytes)
    #expect(try ConntrackMessage(created[0])?.id == message.conntrackID)
    #expect(try !Self.message("IPv4 echo, v/forward end").startsChain)
    #expect(try Self.message("IPv4 echo, v/forward end").conntrackID == nil)
  }

  @Test func headersAreAsLongAsTheyAre() throws {
    let tcp = try Self.message("TCP over IPv4, seen/forward rule")
    #expect(tcp.networkHeader?.count == 20 && tcp.transportHeader?.count == 20)
    let udp = try Self.message("UDP over IPv4, v/strict rule")
    #expect(udp.transportHeader?.count == 15)
    let v6 = try Self.message("IPv6 echo, v/strict rule")
    #expect(v6.networkHeader?.count == 40)
    let egress = try Self.message("IPv4 local, seen/egress rule")
    #expect(egress.linkHeader == nil && egress.networkHeader?.count == 20)
  }

  @Test func aLaterIPv6FragmentStartsAChainWithoutNetworkHeader() throws {
    let message = try Self.message("IPv6 fragments, seen/pre rule 2")
    #expect(message.networkHeader == nil)
    #expect(message.startsChain)
  }

  @Test func queuesHaveNumbers() throws {
    let queue = try Self.message("queue, filter/FORWARD rule").verdict
    #expect(queue.queueNumber == 9)
    #expect(!queue.bypasses)
    let bypassing = try Self.message("queue with bypass, filter/FORWARD rule").verdict
    #expect(bypassing.queueNumber == 9)
    #expect(bypassing.bypasses)
    #expect(Verdict.queue.queueNumber == 0)
    #expect(Verdict.accept.queueNumber == nil && !Verdict.accept.bypasses)
    #expect(Verdict(rawValue: -253).queueNumber == nil)
  }

  @Test func verdictsHaveTheNamesOfNFT() {
    let known: [Verdict] = [
      .drop, .accept, .stolen, .queue, .continue, .break, .jump, .goto, .return,
    ]
    #expect(
      known.map(\.description) == [
        "drop", "accept", "stolen", "queue to 0", "continue", "break", "jump", "goto", "return",
      ])
    #expect(Verdict(rawValue: 4).description == "verdict 4")
    #expect(Verdict(rawValue: -6).description == "verdict -6")
    #expect(Verdict(rawValue: .min).description == "verdict -2147483648")
  }

  @Test(arguments: Recordings.trace)
  func writtenAndReadAgain(recording: Recording) throws {
    let message = try TraceMessage(recording.payload)
    #expect(try TraceMessage(message.bytes) == message)
    let header = (message.networkHeader ?? []) + (message.transportHeader ?? [])
    // ARP has a network header as well.
    if message.networkHeader != nil, message.linkHeader?.suffix(2) != [8, 6] {
      #expect(throws: Never.self) { try Packet(header) }
    }
  }

  @Test(arguments: Recordings.trace)
  func everyTruncationIsReadOrRefused(recording: Recording) {
    for part in prefixes(recording.payload) { #expect(survives(part)) }
  }

  @Test func anUnknownKindOfStepIsRefused() {
    let header = NetfilterHeader(family: 1).bytes
    #expect(throws: WireError("unknown trace type [0, 0, 0, 4]", at: 4)) {
      try TraceMessage(header + [NetlinkAttribute(4, network: UInt32(4))].bytes)
    }
    #expect(throws: WireError.self) { try TraceMessage(header + [NetlinkAttribute(4, [3])].bytes) }
  }
}
