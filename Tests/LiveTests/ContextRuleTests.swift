import FoundationEssentials
import Testing

extension LiveTests {
  /// The rules of docs/machines.md that find a trace, behind every translation.
  @Suite(
    .timeLimit(.minutes(3)),
    .enabled(if: MachineNet.canBe, "needs sshd: scripts/install-dependencies test"))
  struct ContextRuleTests {
    /// What the table there has: the carrier, empty for the payload of an echo or a datagram, and the rule.
    private static func rules() throws -> [(carrier: String, rule: String)] {
      let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
      let text = try String(
        contentsOf: root.appending(path: "docs/machines.md"), encoding: .utf8)
      return text.split(separator: "\n").filter { $0.hasPrefix("| ") }.compactMap { line in
        let cells = line.split(separator: "|").map { cell in
          cell.split(separator: "`", omittingEmptySubsequences: false).dropFirst().first.map(
            String.init) ?? ""
        }
        return cells.count == 3 && !cells[2].isEmpty ? (cells[0], cells[2]) : nil
      }
    }

    @Test func theDocumentedRulesCount() async throws {
      let rules = try Self.rules()
      #expect(rules.count == 7)
      let net = try await MachineNet()
      let body = rules.enumerated().map { "\($0.element.rule) counter comment \"r\($0.offset)\"" }
      try await net.run(
        """
        ip netns exec ${B}s nft -f - <<'END'
        table inet cnt { chain pre { type filter hook prerouting priority -310;
        \(body.joined(separator: "\n"))
        }; }
        END
        """)
      let trace = ["--traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"]
      let (tcp, udp) = (["-p", "tcp", "--dport", "22"], ["-p", "udp"])
      for (carrier, words) in [
        ("", []), ("", udp), ("tcp-data", tcp), ("tcp-option", tcp), ("hubble", []), ("beyla", tcp),
      ] {
        let context = carrier.isEmpty ? [] : ["--context", carrier]
        let outcome = try await net.ping(words + context + trace)
        #expect(outcome.code == (words == udp ? 1 : 0) && outcome.error == "", "\(outcome)")
      }
      let listed = try await net.run("ip netns exec ${B}s nft list chain inet cnt pre")
      let counts = rules.indices.map { index in
        listed.split(separator: "\n").first { $0.contains("\"r\(index)\"") }.flatMap {
          $0.split(separator: " ").drop { $0 != "packets" }.dropFirst().first
        }
      }
      // An echo has it in its payload with the option as well; what ends a connection has the option, too. The flow label is
      // of another version.
      #expect(counts == ["2", "1", "1", "1", "1", "2", "0"], "\(listed)")
    }

    /// IPv6's flow label.
    @Test(.enabled(if: RouterRow.canBe)) func theFlowLabelCounts() async throws {
      let rule = try #require(try Self.rules().first { $0.carrier == "flow-label" }?.rule)
      let row = try await RouterRow()
      try await row.run(
        "ip netns exec ${B}s nft 'table inet c { chain p { type filter hook prerouting priority -310; \(rule) counter; }; }'"
      )
      let outcome = try await row.ping(
        "--context flow-label --traceparent 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01 \(RouterRow.server)"
      )
      #expect(outcome.code == 0 && outcome.error == "", "\(outcome)")
      #expect(
        try await row.run("ip netns exec ${B}s nft list chain inet c p").contains("packets 1 "))
    }
  }
}
