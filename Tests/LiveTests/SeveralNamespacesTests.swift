import FoundationEssentials
import Testing

extension LiveTests {
  /// `--netns` more than once: a router and the server behind it, both looked into.
  @Suite(.timeLimit(.minutes(2)))
  struct SeveralNamespacesTests {
    /// Runs a script with `$BOTH`, the options that name both. Whatever it sets up is torn down.
    private func run(
      _ net: RouterNet, code wanted: Int32 = 0, _ script: String
    ) async throws -> Outcome {
      let outcome = try await Programs.shell(
        """
        R=\(net.router) S=\(net.server) SERVER=\(net.plan.server)
        BOTH="--netns $R --netns $S"
        trap '"$NFTRACE" teardown $BOTH >/dev/null 2>&1 || true' EXIT
        \(script)
        """)
      #expect(outcome.code == wanted, "\(outcome)")
      return outcome
    }

    @Test(arguments: [RouterPlan().withoutTun(), RouterPlan.ipv6.withoutTun()])
    func aPacketThatCrossesBothIsOneWalk(_ plan: RouterPlan) async throws {
      let net = try await RouterNet(plan)
      let outcome = try await run(
        net,
        """
        "$NFTRACE" setup $BOTH --netns /run/netns/$R $SERVER >/dev/null
        ip netns exec $R ping -q -c 1 -W 1 $SERVER >/dev/null
        ip netns exec $S ping -q -c 1 -W 1 $SERVER >/dev/null
        sleep 0.5
        "$NFTRACE" show --last 99 $BOTH
        echo == JSON; "$NFTRACE" show --json $BOTH
        """)
      let parts = outcome.output.split(separator: "== JSON")
      let lines = parts[0].split(separator: "\n")
      #expect(lines.count { $0.hasPrefix("#") } == 2, "\(outcome)")
      // Where it comes from stands above.
      #expect(lines.first?.hasPrefix("recorded since ") == true, "\(outcome)")
      #expect(
        lines.first { $0.hasPrefix("#") }?.hasSuffix(
          "answered, through netns \(net.router) → \(net.server)") == true,
        "\(outcome)")
      let headings = lines.filter { $0.hasPrefix("→") || $0.hasPrefix("←") }
      let places = [net.router, net.server, net.server, net.router]
      #expect(
        headings.prefix(4).map { $0.contains("request") } == [true, true, false, false],
        "\(outcome)")
      for (heading, place) in zip(headings, places) {
        #expect(heading.hasSuffix("in netns \(place)"), "\(outcome)")
      }
      struct Report: Decodable {
        var namespaces: [String]
        var journeys: [Journey]
        struct Journey: Decodable {
          var id: Int
          var netns: String
        }
      }
      let report = try JSONDecoder().decode(Report.self, from: Data(parts[1].utf8))
      #expect(report.namespaces == [net.router, net.server])
      #expect(report.journeys.prefix(4).map(\.netns) == places)
      #expect(report.journeys.map(\.id) == Array(1...report.journeys.count))
    }

    /// What is found in one says so, once, and is put right from a shell of the machine: live and as recorded.
    @Test(arguments: [RouterPlan().withoutTun(), RouterPlan.ipv6.withoutTun()])
    func aFindingSaysWhere(_ plan: RouterPlan) async throws {
      let net = try await RouterNet(plan)
      let outcome = try await run(
        net,
        """
        ip netns exec $S nft 'add table inet f; add chain inet f i { type filter hook input priority 0; }
          add rule inet f i icmp type echo-request drop
          add rule inet f i icmpv6 type echo-request drop'
        "$NFTRACE" setup $BOTH $SERVER >/dev/null
        ip netns exec $R ping -q -c 1 -W 1 $SERVER >/dev/null || true
        ip netns exec $R bash -c "echo x >/dev/udp/$SERVER/99" || true
        sleep 1.5
        "$NFTRACE" show --last 99 $BOTH; "$NFTRACE" show $BOTH --html "$DIR/page" 2>/dev/null
        echo == PAGE; cat "$DIR/page"
        echo == JSON; "$NFTRACE" show --json $BOTH 2>/dev/null
        echo == PING; "$NFTRACE" ping $BOTH $SERVER || true
        """)
      let parts = outcome.output.components(separatedBy: "\n== ")
      let place = "in netns \(net.server): "
      let enter = "remedy    ip netns exec \(net.server) nft insert rule inet f i "
      try #require(parts.count == 4, "\(outcome)")
      for part in [parts[0], parts[3]] {
        #expect(part.contains("cause     \(place)a rule of chain"), "\(outcome)")
        #expect(part.contains(enter), "\(outcome)")
      }
      // The other namespace saw the refusal too, and has nothing to add.
      #expect(parts[0].ranges(of: "refused it").count == 1, "\(outcome)")
      #expect(
        parts[0].contains("port unreachable from \(plan.server), through netns"), "\(outcome)")
      let page = parts[1].replacing(/<[^>]*>/, with: "")
      #expect(page.contains(place) && page.contains("ip netns exec \(net.server) nft"))
      #expect(parts[2].contains("\"namespace\": \"\(net.server)\""), "\(parts[2])")
    }

    /// What goes wrong in one is named with it, and leaves nothing in the other.
    @Test func allOrNothing() async throws {
      let net = try await RouterNet(RouterPlan().withoutTun())
      let before = try await net.state()
      let outcome = try await run(
        net, code: 2,
        """
        "$NFTRACE" setup $BOTH $SERVER --tun peer0 --forward
        """)
      #expect(outcome.error.contains("in the network namespace \(net.server)"), "\(outcome)")
      #expect(outcome.error.contains("nothing is set up in any of them"), "\(outcome)")
      #expect(outcome.error.contains("peer0 is no TUN device"), "\(outcome)")
      try await net.expectState(before, "refused in the second")
      let nobody = try await run(
        net, code: 2, #""$NFTRACE" setup $BOTH --netns nftrace-nobody $SERVER"#)
      #expect(nobody.error.contains("network namespace nftrace-nobody"), "\(nobody)")
      try await net.expectState(before, "no such namespace")
    }

    /// By name, path and process it is the same one, and then all is as with one.
    @Test func theSameIsOne() async throws {
      let net = try await RouterNet(RouterPlan().withoutTun())
      let outcome = try await run(
        net,
        """
        ip netns exec $R sleep 20 & trap "kill $!" EXIT
        until ip netns pids $R | grep -q .; do sleep 0.02; done
        "$NFTRACE" status --json --netns $R --netns /run/netns/$R --netns "$(ip netns pids $R)"
        """)
      #expect(outcome.output.contains("\"netns\": \"\(net.router)\""), "\(outcome)")
      #expect(!outcome.output.contains("\n  \"namespaces\""), "\(outcome)")
    }

    @Test func statusAndTeardownOfBoth() async throws {
      let net = try await RouterNet(RouterPlan().withoutTun())
      let before = try await net.state()
      let outcome = try await run(
        net,
        """
        "$NFTRACE" setup $BOTH --forward --tun tun5 192.0.2.0/24
        "$NFTRACE" status -q $BOTH
        "$NFTRACE" teardown $BOTH
        """)
      for name in [net.router, net.server] {
        #expect(outcome.output.contains("\(name): watching 192.0.2.0/24 at "), "\(outcome)")
        #expect(outcome.output.contains("network namespace \(name)\nwatching"), "\(outcome)")
        #expect(outcome.output.contains("\(name): no longer watching"), "\(outcome)")
      }
      try await net.expectState(before, "torn down")
    }

    /// Both live, one of them recorded and the other not; when that one is gone, the first goes on.
    @Test func followedUntilOneIsGone() async throws {
      let net = try await RouterNet(RouterPlan().withoutTun())
      let outcome = try await run(
        net,
        """
        "$NFTRACE" setup --netns $R $SERVER 127.0.0.9 >/dev/null
        "$NFTRACE" setup --netns $S --no-record $SERVER >/dev/null
        "$NFTRACE" show --follow $BOTH >$DIR/both 2>&1 & p=$!
        sleep 1; ip netns exec $R ping -q -c 1 -W 1 $SERVER >/dev/null; sleep 3
        ip netns del $S; sleep 1.5
        ip netns exec $R ping -q -c 1 -W 1 127.0.0.9 >/dev/null
        sleep 2; kill -INT $p; code=0; wait $p || code=$?
        cat $DIR/both; [ $code = 130 ]
        "$NFTRACE" teardown --netns $R >/dev/null
        """)
      let text = outcome.output
      #expect(text.contains("answered, through netns \(net.router) → \(net.server)"), "\(outcome)")
      #expect(
        text.contains("netns \(net.server): the network namespace is gone; the others go on"),
        "\(outcome)")
      #expect(text.contains("127.0.0.9: answered"), "\(outcome)")
    }

    @Test func whereSeveralMakeNoSense() async throws {
      for words in [
        ["intercept", "192.0.2.1"], ["record", "/nowhere/file"],
      ] {
        let outcome = try await Programs.nftrace(words + ["--netns", "1", "--netns", "2"])
        #expect(
          outcome.code == 2 && outcome.error.contains("--netns is given 2 times"), "\(outcome)")
      }
      let file = try await Programs.nftrace(["show", "--netns", "1", "--netns", "2", "file"])
      #expect(file.code == 2 && file.error.contains("several --netns and FILE"), "\(file)")
    }
  }
}
