import Testing
import Trace
import Wire

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
    #expect(finding.id == "rule-drop")
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
    #expect(findings.map(\.id) == ["nat-once-per-flow"])
    #expect(findings.first?.severity == .note)
  }
}
