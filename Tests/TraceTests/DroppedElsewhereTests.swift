import Fixtures
import Testing
import Wire

@testable import Trace

/// A probe that left, and that another network namespace of this machine dropped.
@Suite struct DroppedElsewhereTests {
  /// What is found of a recorded probe that a server dropped, when the kernel tells of this drop as well.
  private func finding(
    _ change: (inout SessionHeader) -> Void = { _ in },
    _ drop: (Packet) -> DropEvent
  ) throws -> Finding {
    var decoder = SessionDecoder()
    decoder.feed(try Fixtures.octets("server-drops-v4"))
    var ping: PingStory?
    var results: [ProbeResult] = []
    while let element = try decoder.next() {
      switch element {
      case .header(var header?):
        header.namespace = "5-1"
        change(&header)
        ping = PingStory(header: header)
      case .header: break
      case .record(let record):
        results += ping?.replay(record) ?? []
        guard case .sent(let octets) = record.content else { continue }
        let event = drop(try Packet(octets))
        results += ping?.replay(Record(time: record.time, .netlink(event.message))) ?? []
      }
    }
    results += ping?.finishReplay() ?? []
    return try #require(results.first?.findings.first)
  }

  private func event(
    _ packet: Packet, reason: String = "NETFILTER_DROP", namespace: UInt32 = 77,
    place: String? = "web"
  ) -> DropEvent {
    var event = DropEvent(
      time: 1 << 60, reasonNumber: 8, reasonName: reason, location: "nft_do_chain+0x3e8", device: 2,
      namespace: namespace, packet: packet.bytes)
    event.place = place
    return event
  }

  @Test func aRuleThere() throws {
    let finding = try finding({ $0.netns = "host" }) { probe in event(probe) }
    #expect(finding.id == .noReply && finding.confidence == .certain)
    #expect(finding.remedy == nil)
    let summary = finding.summary
    #expect(summary.contains("network namespace web of this machine dropped it"))
    #expect(summary.contains("NETFILTER_DROP"))
    #expect(summary.contains("'nftrace ping --netns host --netns web --tun tun7 -s "))
    #expect(
      finding.evidence.contains(
        .droppedElsewhere(in: "web", reason: "NETFILTER_DROP", place: "nft_do_chain+0x3e8")))
  }

  /// Who named no namespace starts nftrace in it: also by 'ip netns exec', from a shell that is in another.
  @Test func fromTheNamespaceItIsStartedIn() throws {
    let finding = try finding { probe in event(probe) }
    #expect(finding.summary.contains("--netns /proc/self/ns/net --netns web"))
  }

  /// Of names that no shell takes, and of a namespace without any, there is no command line.
  @Test(arguments: ["a;b", "-x", nil])
  func withoutAName(place: String?) throws {
    let finding = try finding { probe in event(probe, place: place) }
    #expect(finding.summary.contains("the same command with another --netns behind the first"))
    #expect(finding.summary.contains(place.map { Escape.name($0) } ?? "net:[77]"))
  }

  @Test func theAnswer() throws {
    let finding = try finding { probe in
      var answer = probe
      (answer.source, answer.destination) = (probe.destination, IPAddress("10.9.9.9")!)
      answer.transport = .icmp(ICMPHeader(type: 0, rest: probe.icmp!.rest))
      return event(answer)
    }
    #expect(finding.summary.contains("of this machine dropped the answer"))
  }

  /// What is somebody else's, is a bridge's copy for another host, or was dropped in this namespace itself,
  /// says nothing of that kind.
  @Test func others() throws {
    let foreign = try finding { probe in
      var other = probe
      other.payload[0] ^= 0xff
      return event(other)
    }
    let copy = try finding { probe in event(probe, reason: "OTHERHOST") }
    for finding in [foreign, copy] {
      #expect(finding.id == .noReply && finding.confidence == .likely)
      #expect(!finding.summary.contains("namespace"))
    }
    let here = try finding { probe in event(probe, namespace: 5, place: nil) }
    #expect(!here.summary.contains("namespace"))
  }
}
