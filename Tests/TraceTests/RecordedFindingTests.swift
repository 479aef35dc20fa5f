import Testing
import Wire

@testable import Trace

/// What is said about recorded traffic, of which nobody could be asked when it was lost.
@Suite struct RecordedFindingTests {
  @Test func aRuleThatDropped() throws {
    var script = Script()
    script.see(echo(), at: "PREROUTING", id: 5, in: 3)
    script.see(echo(ttl: 63), at: "mangle-FORWARD", id: 5, in: 3, out: 2)
    script.step(
      TraceMessage(
        family: NFProto.ipv4, id: 5, kind: .rule, table: "filter", chain: "FORWARD", handle: 7,
        verdict: .drop))
    let finding = try #require(script.story().first?.findings.first)
    #expect(finding.id == .ruleDrop)
    #expect(finding.at?.handle == 7)
  }

  @Test func whatGotThroughHasNone() throws {
    var script = Script()
    for label in ["INGRESS", "PREROUTING", "FORWARD", "nat-POSTROUTING", "EGRESS"] {
      script.see(echo(), at: label, id: 5, in: 3, out: 2)
    }
    #expect(script.story().flatMap(\.findings) == [])
  }

  /// A translated packet of a known connection met no NAT rule: that is explained.
  @Test func natOncePerFlow() throws {
    var script = Script()
    script.see(echo(), at: "PREROUTING", id: 5, in: 3)
    script.see(echo(), at: "conntrack-PREROUTING", id: 5, in: 3, connection: (9, 2, 0))
    script.see(echo(ttl: 63), at: "FORWARD", id: 5, in: 3, out: 2)
    script.see(echo(from: "203.0.113.1", ttl: 63), at: "nat-POSTROUTING", id: 5, out: 2)
    script.see(echo(from: "203.0.113.1", ttl: 63), at: "EGRESS", id: 5, out: 2)
    let findings = script.story().flatMap(\.findings)
    #expect(findings.map(\.id) == [.natOncePerFlow])
    #expect(findings.first?.severity == .note)
  }

  /// A later packet of a flow that nobody answered yet: conntrack had its entry all the same.
  @Test func natOncePerUnansweredFlow() throws {
    for (status, ids) in [(UInt32(0x18), [FindingID.natOncePerFlow]), (0, [])] {
      var script = Script()
      script.see(echo(), at: "PREROUTING", id: 5, in: 3)
      script.see(
        echo(), at: "conntrack-PREROUTING", id: 5, in: 3, connection: (9, 8, 0), status: status)
      script.see(echo(ttl: 63), at: "FORWARD", id: 5, in: 3, out: 2)
      script.see(echo(from: "203.0.113.1", ttl: 63), at: "nat-POSTROUTING", id: 5, out: 2)
      script.see(echo(from: "203.0.113.1", ttl: 63), at: "EGRESS", id: 5, out: 2)
      #expect(script.story().flatMap(\.findings).map(\.id) == ids, "\(status)")
    }
  }

  /// No flowtable can be had in the kernel that the fixtures are recorded with: the messages are as
  /// net/netfilter/nf_tables_trace.c and nf_conntrack_netlink.c write them, with the bits of enum
  /// ip_conntrack_status in <linux/netfilter/nf_conntrack_common.h>.
  @Test(arguments: [
    (UInt32(0x400e), false), (0xc00e, true), (0x800e, true),
  ])
  func flowOffloaded(_ status: UInt32, _ toHardware: Bool) throws {
    // NFTA_TRACE_CT_STATUS of a packet behind the rule "flow add @f".
    var script = Script()
    script.see(echo(), at: "PREROUTING", id: 5, in: 3)
    script.see(
      echo(), at: "conntrack-PREROUTING", id: 5, in: 3, connection: (9, 2, 0), status: 0xe)
    script.see(
      echo(ttl: 63), at: "filter-FORWARD", id: 5, in: 3, out: 2, connection: (9, 2, 0),
      status: status)
    script.see(echo(ttl: 63), at: "EGRESS", id: 5, out: 2)
    let traced = script.story().flatMap(\.findings)
    #expect(traced.map(\.id) == [.flowOffloaded] && traced.first?.severity == .note)
    #expect(traced.first?.evidence == [.offloaded(toHardware: toHardware)])

    // CTA_STATUS of the connection, from a kernel without the former (before 6.16 there is none).
    script = Script()
    script.see(echo(), at: "PREROUTING", id: 5, in: 3, connection: (9, 2, 0))
    script.see(echo(ttl: 63), at: "EGRESS", id: 5, out: 2)
    script.records.append(Record(time: script.time, .netlink(connection(9, status).message)))
    #expect(script.story().flatMap(\.findings).map(\.id) == [.flowOffloaded])
  }

  /// Before Linux 6.16 the status is in no message, and the way past the hooks says it. A bridge
  /// takes packets past them as well, and leaves the TTL as it is.
  @Test(arguments: [(63, [.flowOffloaded]), (64, [])] as [(UInt8, [FindingID])])
  func forwardedPastTheHooks(_ ttl: UInt8, _ ids: [FindingID]) throws {
    var script = Script()
    script.see(echo(), at: "INGRESS", id: 5, in: 3)
    script.see(echo(from: "203.0.113.1", ttl: ttl), at: "EGRESS", id: 5, out: 2)
    #expect(script.story().flatMap(\.findings).map(\.id) == ids)

    script = Script()
    script.see(echo(), at: "INGRESS", id: 5, in: 3)
    script.see(echo(), at: "PREROUTING", id: 5, in: 3)
    script.see(echo(from: "203.0.113.1", ttl: ttl), at: "EGRESS", id: 5, out: 2)
    #expect(!script.story().flatMap(\.findings).map(\.id).contains(.flowOffloaded))
  }

  @Test func ordinaryConnectionsAreNotOffloaded() throws {
    var script = Script()
    script.see(
      echo(), at: "PREROUTING", id: 5, in: 3, connection: (9, 2, 0), status: 0xffff_3fff)
    script.see(echo(ttl: 63), at: "EGRESS", id: 5, out: 2)
    script.records.append(Record(time: script.time, .netlink(connection(9, 0x3fff).message)))
    #expect(script.story().flatMap(\.findings) == [])
  }

  private func connection(_ id: UInt32, _ status: UInt32) -> ConntrackMessage {
    let (here, there) = (IPAddress("192.0.2.1")!, IPAddress("198.51.100.9")!)
    return ConntrackMessage(
      family: NFProto.ipv4, event: .update,
      original: ConntrackTuple(source: here, destination: there, proto: .icmp, icmpID: 7),
      reply: ConntrackTuple(source: there, destination: here, proto: .icmp, icmpID: 7),
      status: ConntrackMessage.Status(rawValue: status), id: id)
  }

  /// An ICMP error is told with the packet it quotes, with conntrack and without.
  @Test(arguments: [nil, UInt32(9)])
  func refusalsBelongToWhatTheyRefuse(_ connectionID: UInt32?) throws {
    func packet(identification: UInt16) -> Packet {
      Packet(
        source: IPAddress("192.0.2.1")!, destination: IPAddress("198.51.100.9")!,
        proto: IPProtocol(rawValue: 253), identification: identification, transport: .absent,
        payload: Array("experiment".utf8))
    }
    var script = Script()
    for (id, identification) in [(UInt32(5), UInt16(7)), (6, 8)] {
      let known = connectionID.map { ($0 + id, UInt32(8), UInt8(0)) }
      script.see(
        packet(identification: identification), at: "PREROUTING", id: id, in: 3, connection: known)
      script.see(packet(identification: identification), at: "nat-INPUT", id: id, in: 3)
    }
    var error = Packet(
      source: IPAddress("198.51.100.9")!, destination: IPAddress("192.0.2.1")!, proto: .icmp,
      identification: 30, transport: .icmp(ICMPHeader(type: 3, code: 2, rest: 0x28)),
      payload: packet(identification: 7).bytes)
    error = try Packet(error.bytes)
    script.see(
      error, at: "OUTPUT", id: 9, out: 3, connection: connectionID.map { ($0 + 5, 4, 1) })
    script.see(error, at: "EGRESS", id: 9, out: 3)
    let exchanges = script.story()
    #expect(exchanges.map(\.journeys.count) == [2, 1])
    #expect(exchanges.map { $0.findings.map(\.id) } == [[.unknownProtocol], []])
    #expect(exchanges[0].findings.first?.confidence == .certain)
  }

  /// The kernel's word on a drop has the time at which it happened; what it said of the packet before
  /// may have been read later.
  @Test func dropReasonsOlderThanWhatWasRead() throws {
    var script = Script()
    script.see(echo(), at: "PREROUTING", id: 5, in: 3)
    let drop = DropEvent(
      time: script.time - 5_000_000, reasonNumber: 2, reasonName: "IP_CSUM", location: nil,
      device: 3, namespace: 0, packet: echo().bytes)
    script.records.append(Record(time: script.time, .netlink(drop.message)))
    #expect(script.story().first?.request?.end.kernelDrop?.reason == "IP_CSUM")
  }
}
