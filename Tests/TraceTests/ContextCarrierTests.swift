import Testing
import Wire

@testable import Trace

/// What carries a trace beside the payload, and is recognised in what is read.
struct ContextCarrierTests {
  private static let context = TraceContext(
    traceParent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")!

  private static func plan(_ proto: String, _ carriers: [ContextCarrier], version: Int = 4)
    -> ProbePlan
  {
    var plan = ProbePlan(
      source: IPAddress(version == 4 ? "10.0.0.1" : "fd00::1")!,
      destination: IPAddress(version == 4 ? "10.0.0.2" : "fd00::2")!, proto: ProbeProtocol(proto)!,
      identifier: 5, count: 1, interval: 1, timeout: 1, ttl: 64, tos: 0, dontFragment: false,
      size: 0, nonce: 0x1122_3344_5566_7788, device: nil, destinationPort: 80)
    plan.maximumSegment = 1460
    plan.setContext(context, isSizeChosen: false)
    plan.carry(by: carriers)
    return plan
  }

  @Test(arguments: [
    ("tcp", [ContextCarrier.tcpData], "0af7651916cd43dd8448eb211c80319c"),
    ("tcp", [.tcpOption], "0af7651916cd43dd8448eb211c80319c"),
    ("tcp", [.hubble], "0af7651916cd43dd"),
    ("tcp", [.beyla], "0af7651916cd43dd8448eb211c80319c"),
    ("icmp", [.hubble], "0af7651916cd43dd"),
    ("icmp", [], "0af7651916cd43dd8448eb211c80319c"),
    ("udp", [], "0af7651916cd43dd8448eb211c80319c"),
  ])
  func aTraceIsRecognised(_ proto: String, _ carriers: [ContextCarrier], _ id: String) throws {
    let plan = Self.plan(proto, carriers)
    let sent = plan.packet(sequence: 1)
    let read = try Packet(sent.bytes)
    #expect(TraceMention.traceID(in: read) == id)
    #expect(plan.sequence(of: read) == 1)
    // The headers of a router's error about it are further in, by as much.
    let error = Packet(
      source: IPAddress("10.0.0.9")!, destination: plan.source, proto: .icmp,
      transport: .icmp(ICMPHeader(type: 3, rest: 0)), payload: Array(sent.bytes.prefix(60)))
    #expect(plan.sequence(of: try Packet(error.bytes)) == 1)
    let marks = plan.marks.filter { $0.proto == .icmp }
    let octets = Array(error.bytes.dropFirst(20))
    #expect(
      marks.contains { mark in
        mark.fields.allSatisfy { field in
          let start = Int(field.offset)
          guard start + field.least.count <= octets.count else { return false }
          let found = Array(octets[start..<start + field.least.count])
          return !found.lexicographicallyPrecedes(field.least)
            && !field.most.lexicographicallyPrecedes(found)
        }
      })
  }

  @Test func theFlowLabel() throws {
    let packet = try Packet(Self.plan("icmp", [.flowLabel], version: 6).packet(sequence: 1).bytes)
    #expect(packet.flowLabel == 0x0af76)
  }

  /// A session has it, and tells with which command it was sent.
  @Test func aSessionKeepsIt() throws {
    var plan = Self.plan("tcp", [.beyla, .tcpOption])
    plan.entrance = .local
    var header = SessionHeader(command: "ping", version: "1", kernel: "6.1", points: [], table: "t")
    header.probe = plan
    let read = try #require(SessionHeader(json: header.json))
    #expect(read.probe == plan)
    #expect(
      plan.commandLine(in: header)?.hasSuffix("--context beyla --context tcp-option 10.0.0.2")
        == true)
  }

  /// Octets of anybody's are no trace because they are there.
  @Test func otherOptions() throws {
    var packet = Self.plan("icmp", []).packet(sequence: 1)
    packet.payload = Array("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331".utf8)
    for options: [UInt8] in [[148, 4, 0, 0], [136, 4, 0, 0], [136, 0, 0, 0], [1, 1, 136, 40]] {
      packet.options = options
      #expect(TraceMention.traceID(in: try Packet(packet.bytes)) == nil)
    }
  }
}
