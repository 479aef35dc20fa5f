import Testing
import Trace
import Wire

/// A packet that was captured is recognised when it is sent again, and so is what answers it.
struct LikeProbeTests {
  static func packet(
    _ proto: IPProtocol, _ transport: Transport, v6: Bool, payload: [UInt8] = []
  ) -> Packet {
    Packet(
      source: IPAddress(v6 ? "fd00:69::1" : "192.168.69.1")!,
      destination: IPAddress(v6 ? "2001:db8::29" : "119.29.29.29")!, proto: proto, ttl: 63,
      identification: v6 ? nil : 7, dontFragment: v6, transport: transport, payload: payload)
  }

  /// As they are found in captures: a SYN, data, datagrams with and without octets, an echo, another protocol.
  static func packets(v6: Bool) -> [Packet] {
    func tcp(_ flags: TCPHeader.Flags, _ acknowledgment: UInt32) -> Transport {
      .tcp(
        TCPHeader(
          sourcePort: 40000, destinationPort: 443, sequence: 0xffff_ffff,
          acknowledgment: acknowledgment, flags: flags))
    }
    let udp = Transport.udp(UDPHeader(sourcePort: 40000, destinationPort: 443))
    let echo = Transport.icmp(ICMPHeader(type: v6 ? 128 : 8, rest: 0x1234_0007))
    let sctp = Transport.sctp(
      SCTPHeader(
        sourcePort: 40000, destinationPort: 443, verificationTag: 0, chunk: .initiation,
        initiateTag: 99))
    return [
      packet(.tcp, tcp(.syn, 0), v6: v6),
      packet(.tcp, tcp([.psh, .ack], 500), v6: v6, payload: Array(repeating: 65, count: 400)),
      packet(.udp, udp, v6: v6, payload: Array("a question".utf8)),
      packet(.udp, udp, v6: v6), packet(.sctp, sctp, v6: v6),
      packet(v6 ? .icmpv6 : .icmp, echo, v6: v6, payload: Array("56 octets".utf8)),
      packet(v6 ? .icmpv6 : .icmp, echo, v6: v6),
      packet(IPProtocol(rawValue: 47), .other, v6: v6, payload: Array("encapsulated".utf8)),
    ]
  }

  private static func plan(_ packet: Packet) throws -> ProbePlan {
    var plan = ProbePlan(
      source: packet.source, destination: packet.destination, proto: .icmp, identifier: 1,
      count: 1, interval: 1, timeout: 1, ttl: 64, tos: 0, dontFragment: false, size: 0, nonce: 1,
      device: nil)
    try plan.send(packet.bytes)
    return plan
  }

  /// What a session that was kept of the plan says.
  private static func kept(_ plan: ProbePlan) throws -> ProbePlan {
    let header = SessionHeader(
      command: "ping", version: "", kernel: "", points: [], table: "", probe: plan)
    return try #require(SessionHeader(json: header.json)?.probe)
  }

  private static func turned(_ packet: Packet) -> Packet {
    var answer = packet
    (answer.source, answer.destination) = (packet.destination, packet.source)
    answer.transport = packet.transport.turned
    return answer
  }

  @Test(arguments: [false, true])
  func theProbeIsRecognised(v6: Bool) throws {
    for packet in Self.packets(v6: v6) {
      for plan in [try Self.plan(packet), try Self.kept(Self.plan(packet))] {
        #expect(plan.proto == ProbeProtocol(like: packet))
        #expect(plan.sequence(of: try Packet(packet.bytes)) == 1)
        // NAT may have been at it, and a rule hands out no more than the first octets.
        var other = packet
        other.source = IPAddress(v6 ? "2001:db8::1" : "203.0.113.1")!
        #expect(plan.sequence(of: try Packet(Array(other.bytes.prefix(128)))) == 1)
        #expect(plan.sourcePort == packet.sourcePort && plan.ttl == 63)
      }
    }
  }

  @Test(arguments: [false, true])
  func othersAreNot(v6: Bool) throws {
    let packets = Self.packets(v6: v6)
    for packet in packets where !packet.payload.isEmpty || packet.tcp != nil {
      let plan = try Self.plan(packet)
      var other = packet
      other.payload = Array("something else".utf8)
      if case .tcp(var header) = packet.transport {
        header.sequence = 77
        header.acknowledgment = 5000
        other.transport = .tcp(header)
      }
      #expect(plan.sequence(of: other) == nil, "\(packet)")
    }
  }

  /// Eight octets behind the IP header are all that an error must quote.
  @Test(arguments: [false, true], [8, 200])
  func errorsAreRecognised(v6: Bool, octets: Int) throws {
    for packet in Self.packets(v6: v6) {
      var error = Self.turned(packet)
      error.proto = v6 ? .icmpv6 : .icmp
      error.transport = .icmp(ICMPHeader(type: v6 ? 1 : 3, code: v6 ? 4 : 3))
      error.payload = Array(packet.bytes.prefix((v6 ? 40 : 20) + octets))
      for plan in [try Self.plan(packet), try Self.kept(Self.plan(packet))] {
        #expect(plan.sequence(of: try Packet(error.bytes)) == 1, "\(packet)")
      }
    }
  }

  @Test(arguments: [false, true])
  func answersAreRecognised(v6: Bool) throws {
    func tcp(_ flags: TCPHeader.Flags, _ sequence: UInt32, _ acknowledgment: UInt32) -> Transport {
      .tcp(
        TCPHeader(
          sourcePort: 443, destinationPort: 40000, sequence: sequence,
          acknowledgment: acknowledgment, flags: flags))
    }
    let packets = Self.packets(v6: v6)
    // Its numbers begin again behind the last.
    for (index, transport) in [
      (0, tcp([.syn, .ack], 9, 0)), (0, tcp([.rst, .ack], 0, 0)), (1, tcp(.ack, 500, 399)),
      (1, tcp(.rst, 500, 0)),
    ] {
      let plan = try Self.kept(Self.plan(packets[index]))
      var answer = Self.turned(packets[index])
      (answer.transport, answer.payload) = (transport, [])
      #expect(plan.sequence(of: answer) == 1, "\(transport)")
    }
    let plan = try Self.plan(packets[1])
    var late = Self.turned(packets[1])
    (late.transport, late.payload) = (tcp(.ack, 500, 5000), [])
    #expect(plan.sequence(of: late) == nil)

    let question = try Self.plan(packets[2])
    var answer = Self.turned(packets[2])
    #expect(question.sequence(of: answer) == 1)
    answer.payload = [1]
    #expect(question.sequence(of: answer) == 1)
    answer.transport = .udp(UDPHeader(sourcePort: 443, destinationPort: 1))
    #expect(question.sequence(of: answer) == nil)
  }

  /// Only what began a connection is to be ended.
  @Test func theEnd() throws {
    let packets = Self.packets(v6: false)
    let reset = try #require(try Self.plan(packets[0]).end(sequence: 1, answer: nil))
    #expect(reset.tcp?.flags == .rst && reset.tcp?.sequence == 0 && reset.payload.isEmpty)
    for packet in packets.dropFirst() {
      #expect(try Self.plan(packet).end(sequence: 1, answer: nil) == nil)
    }
  }

  /// Where a capture was made the checksum may be still to come.
  @Test(arguments: [false, true])
  func checksumsAreMade(v6: Bool) {
    for packet in Self.packets(v6: v6) where packet.tcp != nil || packet.proto == .udp {
      let right = packet.bytes
      var wrong = right
      let place = (v6 ? 40 : 20) + (packet.tcp == nil ? 6 : 16)
      wrong[place] ^= 0x55
      #expect(Packet.withChecksum(wrong) == right)
    }
  }
}
