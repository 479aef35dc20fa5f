import FoundationEssentials
import Testing

extension LiveTests {
  /// What the world around a copy answers, and what it does not: as the kernel of a router takes it.
  @Suite(.timeLimit(.minutes(4)))
  struct FarAnswerTests {
    private func write(_ name: String, _ text: String) throws -> String {
      _ = try? FileManager.default.createDirectory(
        atPath: Programs.directory, withIntermediateDirectories: true)
      let path = "\(Programs.directory)/\(name)"
      try text.write(toFile: path, atomically: true, encoding: .utf8)
      return path
    }

    private func check(_ ruleset: String, _ tests: String) async throws -> Outcome {
      try await Programs.nftrace([
        "check", "--ruleset", try write("far.nft", ruleset), try write("far.yaml", tests),
      ])
    }

    /// Rules of a chain without a name are named, have their line and their text; so have those behind it.
    @Test func chainsWithoutNames() async throws {
      let ruleset = try write(
        "nameless.nft",
        """
        table inet fw {
          chain forward { type filter hook forward priority 0; policy drop;
            ct state established accept
            meta l4proto tcp jump {
              tcp dport 22 accept comment "ssh"
              tcp dport 23 drop
            }
            udp dport 53 accept comment "dns"
            log prefix "x" drop comment "last"
          }
        }

        """)
      let tests = try write(
        "nameless.yaml",
        """
        topology: {interfaces: {a: 10.1.0.1/24, b: 10.2.0.1/24}}
        tests:
          - {from: a 10.1.0.2, to: 10.2.0.2 tcp/22, expect: accept, by: ssh}
          - {from: a 10.1.0.2, to: 10.2.0.2 udp/53, expect: accept, by: dns}
          - {from: a 10.1.0.2, to: 10.2.0.2 tcp/24, expect: drop, by: last}
          - {from: a 10.1.0.2, to: 10.2.0.2 tcp/22, expect: drop}
        """)
      let words = ["check", "--ruleset", ruleset, tests, "--coverage"]
      let text = try await Programs.nftrace(words)
      #expect(text.code == 1 && text.output.contains("3 of 4 tests as expected"), "\(text)")
      #expect(text.output.contains("\(ruleset):5\n"), "\(text)")
      #expect(text.output.contains("  \(ruleset):6  tcp dport 23 drop"), "\(text)")
      let github = try await Programs.nftrace(words + ["--github"])
      #expect(github.output.contains("::error file=\(ruleset),line=5,"), "\(github)")
    }

    private static let forwarding = """
      table inet fw {
        chain forward { type filter hook forward priority 0; policy drop;
          ct state established accept
          iifname a accept
        }
      }

      """

    /// Whatever is asked, its answer comes back, if it may.
    @Test(arguments: [("10.1.0.2", "10.2.0.2"), ("fd01::2", "fd02::2")])
    func everybodyAnswers(_ from: String, _ to: String) async throws {
      let kinds = ["icmp", "tcp/80", "udp/53", "sctp/36412", "gre", "esp", "89"]
      let tests = """
        topology: {interfaces: {a: [10.1.0.1/24, "fd01::1/64"], b: [10.2.0.1/24, "fd02::1/64"]}}
        tests:
          - {from: a \(from), to: "\(to) [\(kinds.joined(separator: ", "))]", expect: accept, reply: REPLY}

        """
      let both = try await check(
        Self.forwarding, tests.replacing("REPLY", with: "accept"))
      #expect(both.code == 0 && both.output.contains("7 of 7"), "\(both)")
      let one = try await check(
        Self.forwarding.replacing("ct state established accept", with: ""),
        tests.replacing("REPLY", with: "drop"))
      #expect(one.code == 0 && one.output.contains("7 of 7"), "\(one)")
    }

    /// Who is asked by a neighbour answers him, and not by the router: unless that hides who asks.
    @Test(arguments: [false, true], ["lan0", "br5"])
    func neighboursAnswerEachOther(_ isMasqueraded: Bool, _ device: String) async throws {
      let net = try await RouterNet()
      try await net.inRouter(
        """
        ip link add lan0 type veth peer name g0 netns $S; ip netns exec $S ip link set g0 up
        \(device == "lan0" ? "" : "ip link add br5 type bridge; ip link set lan0 master br5")
        ip link set lan0 up; ip link set \(device) up
        ip addr add 10.11.0.1/24 dev \(device)
        # IP's rules would see what is for the bridge itself as what is bridged.
        sysctl -qw net.bridge.bridge-nf-call-iptables=0 2>/dev/null || true
        nft 'table ip n {
          chain p { type nat hook prerouting priority dstnat; ip daddr 198.51.100.9 dnat to 10.11.0.9; }
          chain q { type nat hook postrouting priority srcnat; }
        }'
        """)
      let masquerade = "nft add rule ip n q ip saddr 10.11.0.0/24 oifname \(device) masquerade"
      let outcome = try await Programs.nftrace([
        "ping", "--netns", net.router, "--in", device, "-s", "10.11.0.8", "--with",
        isMasqueraded ? masquerade : "true", "-p", "tcp", "--dport", "80", "198.51.100.9",
      ])
      #expect(outcome.code == (isMasqueraded ? 0 : 1), "\(outcome)")
      #expect(
        outcome.output.contains("in the client's own subnet") != isMasqueraded, "\(outcome)")
    }

    /// An address of a link, by which a source is translated, has to be somebody's: who answers asks for it there.
    @Test(arguments: ["10.2.0.9", "10.9.0.1"])
    func whoIsAskedForIsThere(_ target: String) async throws {
      let tests = """
        topology: {interfaces: {a: 10.1.0.1/24, b: 10.2.0.1/24}, routes: [default via 10.2.0.9]}
        tests: [{from: a 10.1.0.2, to: \(target) tcp/80, expect: accept, CAUSE}]

        """
      for (source, cause) in [
        ("10.2.0.1", "reply: accept"), ("10.2.0.7", "reply: drop, cause: unroutable-snat"),
        // Routed here, as far as anybody knows.
        ("192.0.2.7", "reply: accept"),
      ] {
        let outcome = try await check(
          "table ip n { chain q { type nat hook postrouting priority srcnat; snat to \(source); }; }\n",
          tests.replacing("CAUSE", with: cause))
        #expect(outcome.code == 0, "\(outcome)")
      }
    }

    /// What is longer than a link takes comes in pieces, and its answer as well.
    @Test(arguments: [("10.1.0.2", "10.2.0.2"), ("fd01::2", "fd02::2")])
    func fragmentsAreAnswered(_ from: String, _ to: String) async throws {
      let net = try await RouterNet()
      try await net.inRouter(
        """
        for name in a b; do
          ip link add name $name type veth peer name far$name netns $S
          ip link set dev $name up; ip netns exec $S ip link set dev far$name up
        done
        ip addr add 10.1.0.1/24 dev a; ip addr add 10.2.0.1/24 dev b
        ip -6 addr add fd01::1/64 dev a nodad; ip -6 addr add fd02::1/64 dev b nodad
        sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
        """)
      for kind in [["-p", "icmp"], ["-p", "udp", "--dport", "53"]] {
        let outcome = try await Programs.nftrace(
          [
            "ping", "--netns", net.router, "--in", "a", "-s", from, "--with", "true", "--size",
            "4000", "--no-df",
          ] + kind + [to])
        #expect(outcome.code == 0, "\(outcome)")
      }
    }
  }
}
