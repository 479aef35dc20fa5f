import Testing
import Trace
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
      answer.transport = .udp(UDPHeader(sourcePort: 444, destinationPort: port))
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
