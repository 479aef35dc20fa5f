import Testing

@testable import Trace
import Wire

/// Probes of every protocol are recognised, and so is what answers them.
struct ProbePlanTests {
  private static func plan(
    _ proto: String, v6: Bool = false, size: Int = 56, count: Int = 5, sport: UInt16? = nil
  ) -> ProbePlan {
    ProbePlan(
      source: IPAddress(v6 ? "fd00:69::1" : "192.168.69.1")!,
      destination: IPAddress(v6 ? "2001:db8::29" : "119.29.29.29")!, proto: ProbeProtocol(proto)!,
      identifier: 65000, count: count, interval: 1, timeout: 1, ttl: 64, tos: 0,
      dontFragment: false, size: size, nonce: 0xfeed_face_ffff_ffff, device: "tun0",
      sourcePort: sport, destinationPort: proto == "icmp" ? nil : 443)
  }

  private static func turned(_ packet: Packet) -> Packet {
    var answer = packet
    (answer.source, answer.destination) = (packet.destination, packet.source)
    return answer
  }

  @Test(arguments: ["icmp", "udp", "tcp", "sctp", "gre"], [false, true])
  func probesAreRecognised(proto: String, v6: Bool) throws {
    let plan = Self.plan(proto, v6: v6, size: ProbeProtocol(proto)!.kind.size.usual)
    for sequence in 1...5 {
      let packet = try Packet(plan.packet(sequence: sequence).bytes)
      #expect(plan.sequence(of: packet) == sequence)
      #expect(packet.payload.count == plan.size)
    }
  }

  /// A datagram is a whole DNS question, of the length that was asked for, and its answer is known by the name.
  @Test(arguments: [45, 46, 56, 89, 90, 104, 1400], [false, true])
  func datagramsAreQuestions(size: Int, v6: Bool) throws {
    var plan = Self.plan("udp", v6: v6, size: size)
    plan.nonce = ProbeProtocol("udp")!.kind.nonce(of: plan.nonce)
    let question = plan.packet(sequence: 300).payload
    #expect(question.count == size)
    #expect(question[2..<11] == [1, 0, 0, 1, 0, 0, 0, 0, 0])
    var (place, labels) = (12, 0)
    while question[place] != 0 {
      place += Int(question[place]) + 1
      labels += 1
    }
    #expect(labels == 2)
    #expect(question[(place + 1)...].starts(with: [0, v6 ? 28 : 1, 0, 1]))
    let rest = question[(place + 5)...]
    #expect(rest.isEmpty == (question[11] == 0))
    if !rest.isEmpty {
      let length = rest.dropFirst(9).prefix(2).reduce(0) { $0 << 8 | Int($1) }
      #expect(rest.count == 11 + length)
    }
    // Of a translated port, to a server that is not known.
    var answer = plan.packet(sequence: 300)
    answer.source = plan.source
    answer.destination = plan.destination
    answer.transport = .udp(UDPHeader(sourcePort: 53, destinationPort: 1))
    answer.payload[2] = 0x81
    #expect(plan.sequence(of: answer) == 300)
    // What the server asks for itself.
    answer.payload[1] ^= 1
    #expect(plan.sequence(of: answer) == nil)
  }

  /// What is sent by a connection goes out in segments that the other end takes, and all of them are of its probe.
  @Test(arguments: [nil, 300, 1460], [false, true])
  func dataIsCutIntoSegments(most: UInt16?, v6: Bool) throws {
    var plan = Self.plan("tcp", v6: v6, size: 1400)
    plan.data = ProbePlan.data("hello", size: 1400)
    var syn = TCPHeader(
      sourcePort: 443, destinationPort: 1, sequence: 77, acknowledgment: 1, flags: [.syn, .ack])
    syn.announcedSegment = most
    let segments = plan.dataSegments(2, after: syn)
    let takes = Int(most ?? (v6 ? 1220 : 536))
    #expect(segments.count == (1400 + takes - 1) / takes)
    #expect(segments.allSatisfy { $0.payload.count <= takes && plan.sequence(of: $0) == 2 })
    #expect(segments.flatMap(\.payload) == plan.data)
    plan.entrance = .local
    #expect(plan.dataSegments(2, after: syn).count == 1)
  }

  @Test(arguments: [0, 100])
  func segmentsThatAnswerAreRecognised(size: Int) throws {
    let plan = Self.plan("tcp", size: size)
    let request = plan.packet(sequence: 3)
    let header = try #require(request.tcp)
    #expect(header.flags == .syn)
    for octets in [0, size] {
      var answer = Self.turned(request)
      answer.payload = []
      answer.transport = .tcp(
        TCPHeader(
          sourcePort: 443, destinationPort: 1, sequence: 77,
          acknowledgment: header.sequence + 1 + UInt32(octets), flags: [.syn, .ack]))
      #expect(plan.sequence(of: answer) == 3)
    }
    var other = Self.turned(request)
    other.transport = .tcp(
      TCPHeader(
        sourcePort: 443, destinationPort: 1, sequence: 77, acknowledgment: header.sequence,
        flags: [.syn, .ack]))
    #expect(plan.sequence(of: other) == nil)
    let reset = try #require(plan.end(sequence: 3, answer: nil))
    #expect(reset.tcp?.flags == .rst)
    #expect(reset.tcp?.sequence == header.sequence + 1)
  }

  /// An INIT-ACK and an ABORT carry the tag of the INIT that they answer.
  @Test(arguments: [SCTPHeader.Chunk.initiationAnswer, .abort])
  func chunksThatAnswerAreRecognised(_ chunk: SCTPHeader.Chunk) throws {
    let plan = Self.plan("sctp", size: 0)
    for sequence in 1...5 {
      let request = plan.packet(sequence: sequence)
      guard case .sctp(let header) = request.transport else { throw Unexpected(request) }
      var answer = Self.turned(request)
      func answering(_ tag: UInt32) throws -> Packet {
        answer.transport = .sctp(
          SCTPHeader(
            sourcePort: 443, destinationPort: header.sourcePort, verificationTag: tag,
            chunk: chunk, initiateTag: chunk == .abort ? nil : 7))
        return try Packet(answer.bytes)
      }
      let tag = try #require(header.initiateTag)
      #expect(plan.sequence(of: try answering(tag)) == sequence)
      #expect(plan.sequence(of: try answering(tag &+ 5)) != sequence)
      #expect(plan.sequence(of: try answering(0)) == nil)
    }
  }

  private struct Unexpected: Error {
    let packet: Packet
    init(_ packet: Packet) { self.packet = packet }
  }

  @Test func datagramsThatAnswerAreRecognised() throws {
    let plan = Self.plan("udp")
    for sequence in 1...5 {
      let request = plan.packet(sequence: sequence)
      let port = try #require(request.sourcePort)
      var answer = Self.turned(request)
      answer.payload = [1, 2, 3]
      answer.transport = .udp(UDPHeader(sourcePort: 443, destinationPort: port))
      #expect(plan.sequence(of: answer) == sequence)
      // From another port of the host that was asked it belongs to the probe as well.
      answer.transport = .udp(UDPHeader(sourcePort: 444, destinationPort: port))
      #expect(plan.sequence(of: answer) == sequence)
      answer.source = IPAddress("192.0.2.77")!
      #expect(plan.sequence(of: answer) == nil)
    }
  }

  @Test func anAnswerToAPortThatProbesShareBelongsToTheLatest() throws {
    let plan = Self.plan("udp", sport: 5000)
    var answer = Self.turned(plan.packet(sequence: 1))
    answer.payload = []
    answer.transport = .udp(UDPHeader(sourcePort: 443, destinationPort: 5000))
    #expect(plan.sequence(of: answer, latest: 2) == 2)
  }

  /// RFC 792 has an error quote no more than eight octets of the transport header.
  @Test(arguments: ["udp", "tcp", "sctp"], [false, true])
  func shortQuotationsAreRecognised(proto: String, v6: Bool) throws {
    let plan = Self.plan(proto, v6: v6)
    let request = plan.packet(sequence: 2)
    let quoted = Array(request.bytes.prefix((v6 ? 40 : 20) + 8))
    var error = Self.turned(request)
    error.proto = v6 ? .icmpv6 : .icmp
    error.transport = .icmp(ICMPHeader(type: v6 ? 1 : 3, code: v6 ? 4 : 3))
    error.payload = quoted
    #expect(plan.sequence(of: try Packet(error.bytes)) == 2)
  }

  @Test func everyProbeHasAPortOfItsOwn() {
    let plan = Self.plan("udp", count: 1000)
    let ports = (1...1000).compactMap { plan.packet(sequence: $0).sourcePort }
    #expect(Set(ports).count == 1000)
    #expect(ports.allSatisfy { (32768...60999).contains($0) })
  }

  @Test(arguments: ["gre", "47", "ESP", "200"])
  func anyProtocolCanBeSent(_ text: String) throws {
    let proto = try #require(ProbeProtocol(text))
    let plan = Self.plan(text)
    let packet = try Packet(plan.packet(sequence: 3).bytes)
    #expect(packet.proto == IPProtocol(text))
    #expect(plan.sequence(of: packet) == 3)
    var error = Self.turned(packet)
    error.proto = .icmp
    error.transport = .icmp(ICMPHeader(type: 3, code: 2))
    error.payload = packet.bytes
    #expect(plan.sequence(of: try Packet(error.bytes)) == 3)
    var other = packet
    other.proto = .tcp
    #expect(plan.sequence(of: other) == nil)
    #expect(!proto.kind.isAnswered)
  }

  @Test func namesAndNumbersMeanTheSameProtocol() {
    #expect(ProbeProtocol("6") == ProbeProtocol("tcp"))
    #expect(ProbeProtocol("ipv6-icmp") == .icmp && ProbeProtocol("icmpv6") == .icmp)
    #expect(ProbeProtocol("47") == ProbeProtocol("gre"))
    #expect(ProbeProtocol("256") == nil && ProbeProtocol("-1") == nil && ProbeProtocol("") == nil)
  }
}

/// Connections that carry data.
struct DataProbeTests {
  private static func plan(v6: Bool = false, text: String = "GET /", size: Int? = nil) -> ProbePlan
  {
    let data = ProbePlan.data(text, size: size)
    var plan = ProbePlan(
      source: IPAddress(v6 ? "fd00:69::1" : "192.168.69.1")!,
      destination: IPAddress(v6 ? "2001:db8::29" : "119.29.29.29")!, proto: .tcp,
      identifier: 65000, count: 4, interval: 1, timeout: 1, ttl: 64, tos: 0, dontFragment: true,
      size: data.count, nonce: 0xfeed_face_ffff_ffff, device: "tun0", destinationPort: 80)
    plan.data = data
    plan.maximumSegment = 1400
    return plan
  }

  private static func answer(
    _ packet: Packet, _ flags: TCPHeader.Flags, acknowledging octets: Int, _ payload: [UInt8] = []
  ) -> Packet {
    let header = packet.tcp!
    var answer = packet
    (answer.source, answer.destination) = (packet.destination, packet.source)
    answer.payload = payload
    answer.transport = .tcp(
      TCPHeader(
        sourcePort: 80, destinationPort: header.sourcePort, sequence: 77,
        acknowledgment: flags.contains(.ack) ? header.sequence &+ UInt32(octets) : 0, flags: flags))
    return answer
  }

  @Test(arguments: [false, true])
  func handshakeAndDataAreProbesOfOneConnection(v6: Bool) throws {
    let plan = Self.plan(v6: v6)
    for connection in 1...2 {
      let syn = try Packet(plan.packet(sequence: 2 * connection - 1).bytes)
      let data = try Packet(plan.packet(sequence: 2 * connection).bytes)
      #expect(syn.tcp?.flags == .syn)
      // The options of the SYN: a maximum segment size, selective acknowledgments, a scaled window.
      #expect(
        plan.packet(sequence: 2 * connection - 1).bytes.suffix(12) == [
          2, 4, 5, 120, 1, 1, 4, 2, 1, 3, 3, 7,
        ])
      #expect(syn.payload.isEmpty)
      #expect(data.payload == Array("GET /".utf8))
      #expect(data.tcp?.sequence == syn.tcp!.sequence + 1)
      #expect(data.sourcePort == syn.sourcePort)
      #expect(plan.sequence(of: syn) == 2 * connection - 1)
      #expect(plan.sequence(of: data) == 2 * connection)
      #expect(
        plan.sequence(of: Self.answer(syn, [.syn, .ack], acknowledging: 1)) == 2 * connection - 1)
      #expect(plan.sequence(of: Self.answer(data, .ack, acknowledging: 5)) == 2 * connection)
      // The server may have taken a part of it.
      #expect(plan.sequence(of: Self.answer(data, .ack, acknowledging: 3)) == 2 * connection)
      // What refuses a segment that acknowledges something carries no number of ours.
      #expect(plan.sequence(of: Self.answer(data, .rst, acknowledging: 0)) == 2 * connection)
    }
    #expect(plan.packet(sequence: 1).sourcePort != plan.packet(sequence: 3).sourcePort)
  }

  @Test func connectionsThatStandAreEndedWithTheNextNumber() throws {
    let plan = Self.plan()
    let data = plan.packet(sequence: 2)
    let lost = try #require(plan.end(sequence: 2, answer: nil)?.tcp)
    #expect(lost.flags == .rst)
    #expect(lost.sequence == data.tcp!.sequence)
    let answer = Self.answer(data, .ack, acknowledging: 5)
    #expect(plan.end(sequence: 2, answer: answer)?.tcp?.sequence == data.tcp!.sequence + 5)
  }

  @Test func textIsFilledToTheSizeThatWasAskedFor() {
    #expect(ProbePlan.data("GET /", size: nil) == Array("GET /".utf8))
    let data = ProbePlan.data("GET /", size: 100)
    #expect(data.count == 100)
    #expect(data.starts(with: Array("GET /".utf8)))
  }
}

/// Probes that come in fragments.
struct FragmentedProbeTests {
  private static func plan(v6: Bool, size: Int, dontFragment: Bool = false) -> ProbePlan {
    var plan = ProbePlan(
      source: IPAddress(v6 ? "fd00:69::1" : "192.168.69.1")!,
      destination: IPAddress(v6 ? "2001:db8::29" : "119.29.29.29")!, proto: .icmp,
      identifier: 65000, count: 3, interval: 1, timeout: 1, ttl: 64, tos: 0,
      dontFragment: dontFragment, size: size, nonce: 0xfeed_face_ffff_ffff, device: "tun0")
    plan.fragment(atMost: 1500)
    return plan
  }

  @Test(arguments: [false, true])
  func fragmentsMakeUpTheProbeAndAreRecognised(v6: Bool) throws {
    let plan = Self.plan(v6: v6, size: 4000)
    for sequence in 1...3 {
      let octets = plan.packet(sequence: sequence).bytes
      let parts = plan.parts(of: octets, sequence)
      #expect(parts.count == 3)
      var whole: [UInt8] = []
      for (index, part) in parts.enumerated() {
        #expect(part.count <= 1500)
        let packet = try Packet(part)
        let fragment = try #require(packet.fragment)
        #expect(packet.length == part.count)
        #expect(fragment.offset == whole.count)
        #expect(fragment.more == (index < parts.count - 1))
        #expect(plan.sequence(of: packet) == sequence)
        whole += part[(v6 ? 48 : 20)...]
      }
      #expect(whole == Array(octets[(v6 ? 40 : 20)...]))
    }
  }

  @Test func whatFitsOrMayNotBeCutComesWhole() {
    let short = Self.plan(v6: false, size: 1000)
    #expect(short.parts(of: short.packet(sequence: 1).bytes, 1).count == 1)
    let whole = Self.plan(v6: false, size: 4000, dontFragment: true)
    #expect(whole.parts(of: whole.packet(sequence: 1).bytes, 1).count == 1)
  }
}
