import Testing

extension LiveTests {
  /// Ways in other than a TUN device: from this host, as if received on an interface; and none that
  /// leads out.
  struct EntranceTests {
    private static let plans = [
      RouterPlan().withoutTun().with("iptables -t nat -A POSTROUTING -o $UPLINK -j MASQUERADE"),
      RouterPlan.ipv6.withoutTun().with(
        "ip6tables -t nat -A POSTROUTING -o $UPLINK -j MASQUERADE"),
    ]
    private static let protocols = [[], ["-p", "udp"], ["-p", "tcp", "--dport", "81"]]

    @Test(arguments: plans, protocols)
    func thisHostSends(plan: RouterPlan, words: [String]) async throws {
      let net = try await RouterNet(plan)
      let before = try await net.state()
      let outcome = try await net.ping(["--local", "--json"] + words)
      let report = try RunReport(outcome)
      let probe = try #require(report.probes?.first)
      #expect(probe.outcome == (words.isEmpty ? "replied" : "rejected"), "\(outcome)")
      #expect(probe.journeys.map(\.direction).first == "request")
      #expect(probe.journeys.first?.hops.first?.hook == "output")
      #expect(probe.journeys.first?.end.out == plan.uplink)
      #expect(probe.journeys.last?.end.kind == "delivered")
      try await net.expectState(before, "after --local")
    }

    /// A packet is one, though it is seen at a bridge and at its port.
    @Test(arguments: [0, 1]) func throughABridge(netfilter: Int) async throws {
      let net = try await RouterNet(
        RouterPlan().with(
          """
          sysctl -qw net.bridge.bridge-nf-call-iptables=\(netfilter)
          ip link add br0 type bridge
          ip link set br0 address $(cat "/sys/class/net/$UPLINK/address")
          ip addr flush dev "$UPLINK"; ip link set "$UPLINK" master br0; ip link set br0 up
          ip addr add $ROUTER/$LENGTH dev br0; ip route add default via $GATEWAY
          iptables -t nat -A POSTROUTING -s $SUBNET -j MASQUERADE
          """))
      let report = try await net.report([])
      let journeys = try #require(report.probes?.first).journeys
      #expect(journeys.map(\.direction) == ["request", "reply"])
      #expect(journeys.map(\.end.kind) == ["transmitted", "transmitted"])
      #expect(journeys.first?.end.out == "br0")
      let edges = journeys.map { journey in
        journey.hops.filter { $0.hook == "ingress" || $0.hook == "egress" }
          .map { "\($0.hook) \($0.in ?? $0.out ?? "?")" }
      }
      let (tun, uplink) = (net.plan.tun, net.plan.uplink)
      #expect(
        edges == [
          ["ingress \(tun)", "egress br0", "egress \(uplink)"],
          ["ingress \(uplink)", "ingress br0", "egress \(tun)"],
        ])
    }

    @Test(arguments: [
      ("ip route add blackhole 203.0.113.5", "Invalid argument (EINVAL)", "blackhole-route"),
      ("ip route add prohibit 203.0.113.5", "Permission denied (EACCES)", "prohibit-route"),
      ("ip route add unreachable 203.0.113.5", "No route to host (EHOSTUNREACH)", "unreachable"),
      ("ip route del default", "Network is unreachable (ENETUNREACH)", "no-route"),
      (
        "iptables -A OUTPUT -d 203.0.113.5 -j DROP", "Operation not permitted (EPERM)", "rule-drop"
      ),
      (
        "iptables -t mangle -A POSTROUTING -d 203.0.113.5 -j DROP",
        "Operation not permitted (EPERM)", "rule-drop"
      ),
    ])
    func theKernelRefuses(firewall: String, error: String, finding: String) async throws {
      let net = try await RouterNet(RouterPlan().withoutTun())
      try await net.inRouter(firewall)
      let outcome = try await net.ping(["--local", "--json"], to: "203.0.113.5")
      #expect(outcome.code == 1)
      #expect(try RunReport(outcome).probes?.map(\.outcome) == ["local-error"])
      #expect(outcome.output.contains(error), "\(outcome)")
      #expect(outcome.output.contains(finding), "\(outcome)")
    }

    /// The refusal of a rule in OUTPUT comes back before the rule has dropped the packet.
    @Test func aRuleOfThisHostRefuses() async throws {
      let net = try await RouterNet(
        RouterPlan().withoutTun().with(
          "iptables -A OUTPUT -p tcp --dport 80 -j REJECT --reject-with tcp-reset"))
      let outcome = try await net.ping(["--local", "--json", "-p", "tcp", "--dport", "80"])
      #expect(try RunReport(outcome).probes?.map(\.outcome) == ["rejected"])
      #expect(outcome.output.contains("rule-reject"), "\(outcome)")
    }

    /// The probe arrives by the uplink, and is answered to a neighbour there.
    @Test(arguments: plans, protocols)
    func itArrives(plan: RouterPlan, words: [String]) async throws {
      let net = try await RouterNet(plan)
      let before = try await net.state()
      let outcome = try await net.ping(
        ["--in", plan.uplink, "-s", plan.gateway, "--json"] + words, to: plan.router)
      let probe = try #require(try RunReport(outcome).probes?.first)
      #expect(probe.outcome == (words.isEmpty ? "replied" : "rejected"), "\(outcome)")
      #expect(probe.journeys.first?.hops.first?.hook == "ingress")
      #expect(probe.journeys.first?.hops.first?.in == plan.uplink)
      #expect(probe.journeys.first?.end.kind == "delivered")
      #expect(probe.journeys.last?.end.kind == "transmitted")
      try await net.expectState(before, "after --in")
    }

    /// Nobody said who asks: that whom nftrace picks is not there is no reason of a loss. Whom somebody names has to be.
    @Test func aClientThatIsNotThere() async throws {
      let net = try await RouterNet(
        RouterPlan().withoutTun().with(
          """
          ip link add lan0 type veth peer name lan1; ip addr add 10.66.1.1/24 dev lan0
          ip link set lan0 up; ip link set lan1 up; sysctl -qw net.ipv4.ip_forward=1
          iptables -t nat -A POSTROUTING -o $UPLINK -j MASQUERADE
          """))
      for words in [[], ["-p", "tcp", "--dport", "81"]] {
        let outcome = try await net.ping(["--in", "lan0"] + words)
        #expect(outcome.output.contains("(nobody there has it; -s names a client)"))
        #expect(!outcome.output.contains("ARP"), "\(outcome)")
        #expect(outcome.code == (words.isEmpty ? 0 : 1) && outcome.output.contains("out lan0"))
      }
      let named = try await net.ping(["--in", "lan0", "-s", "10.66.1.2"])
      #expect(named.code == 1 && named.output.contains("does not answer ARP on lan0"), "\(named)")
      let dropped = try await net.run(
        """
        ip netns exec $R iptables -t mangle -A POSTROUTING -o lan0 -j DROP
        ip netns exec $R "$NFTRACE" ping --in lan0 $SERVER --json || true
        """)
      #expect(dropped.contains("\"reply-filtered\"") && dropped.contains("\"netns\": \"nft"))
    }

    /// Nothing leaves, and conntrack keeps nothing.
    @Test(arguments: plans, protocols)
    func aDryRunLeavesNothing(plan: RouterPlan, words: [String]) async throws {
      let net = try await RouterNet(plan)
      try await net.inRouter("conntrack -F 2>&1")
      let captured = try await net.run(
        """
        ip netns exec $S nft "table inet seen { chain in { type filter hook prerouting priority -350
          \(plan.version == 4 ? "ip" : "ip6") daddr $SERVER counter
        }
        }"
        for way in "--tun-address $TUN_ADDRESS" --local "--in $UPLINK -s $GATEWAY"; do
          "$NFTRACE" ping --netns $R --dry-run $way \(words.joined(separator: " ")) $SERVER
        done
        ip netns exec $S nft list table inet seen
        ip netns exec $R conntrack -L -f \(plan.version == 4 ? "ipv4" : "ipv6") 2>/dev/null
        """)
      #expect(
        captured.ranges(of: "it would leave through \(plan.uplink)").count == 3, "\(captured)")
      #expect(captured.ranges(of: "1 would have got through").count == 3)
      #expect(captured.contains("counter packets 0 "))
      #expect(!captured.contains("src="))
    }

    @Test func aDryRunSaysWhereItDies() async throws {
      let net = try await RouterNet(
        RouterPlan().withoutTun().with("iptables -A FORWARD -d $SERVER -j DROP"))
      let outcome = try await net.ping([
        "--dry-run", "--json", "-W", "0.3", "--tun-address", net.plan.tunAddress,
      ])
      #expect(outcome.code == 1)
      #expect(outcome.output.contains("rule-drop"), "\(outcome)")
    }

    /// What a chain of the user's drops did not get out of his device, wherever the chain stands:
    /// of two with the last priority there is the older one has the last word.
    @Test(arguments: [0, Int32.max]) func anAnswerThatItsDeviceDoesNotLetOut(
      priority: Int32
    ) async throws {
      let net = try await RouterNet(
        RouterPlan().with(
          """
          iptables -t nat -A POSTROUTING -s $SUBNET -j MASQUERADE
          nft "table netdev last { chain out {
            type filter hook egress device \\"$TUN\\" priority \(priority)
            icmp type echo-reply drop
          }
          }"
          """))
      let outcome = try await net.ping(["--json", "-W", "0.3"])
      #expect(outcome.code == 1, "\(outcome)")
      #expect(try RunReport(outcome).probes?.first?.outcome == "lost")
    }

    /// One probe from this host and one through the device, and where the two ways differ.
    @Test(arguments: plans) func bothWays(plan: RouterPlan) async throws {
      let net = try await RouterNet(plan)
      let before = try await net.state()
      let file = "\(Programs.directory)/both-\(UInt32.random(in: 0 ... .max)).pcapng"
      let outcome = try await net.ping(
        ["--local", "--tun-address", plan.tunAddress, "-w", file])
      #expect(outcome.code == 0 && outcome.error.isEmpty, "\(outcome)")
      let told = outcome.output.split(separator: "\n").prefix(3).map(String.init)
      #expect(told[0].contains("this host") && told[0].contains("OUTPUT, out \(plan.uplink)"))
      #expect(told[0].contains("from \(plan.router): answered"), "\(told)")
      #expect(told[1].contains("PREROUTING, out \(plan.uplink)"), "\(told)")
      #expect(told[1].contains("→ \(plan.router): answered"), "\(told)")
      #expect(told[2].contains("differ in") && told[2].hasSuffix("first hook, source, NAT"))
      #expect(try await Programs.nftrace(["show", file]).output == outcome.output)
      try await net.expectState(before, "both ways")
    }

    /// It is answered if both ways are.
    @Test func oneOfTwoWays() async throws {
      let net = try await RouterNet(RouterPlan().with("iptables -A FORWARD -d $SERVER -j DROP"))
      let outcome = try await net.ping(["--local", "--json", "-W", "0.3"])
      #expect(outcome.code == 1)
      let probes = try RunReport(outcome).probes
      #expect(probes?.map(\.entrance) == ["local", "tun"])
      #expect(probes?.map(\.outcome) == ["replied", "lost"], "\(outcome)")
      let text = try await net.ping(["--local", "-W", "0.3"]).output
      #expect(text.contains("dropped in filter FORWARD\n  differ in  first hook, source, outcome"))
    }

    /// A bridge forgets the neighbour that was made up, and keeps those there are.
    @Test func aBridgeForgetsWhoIsNobody() async throws {
      let net = try await RouterNet(RouterPlan().withoutTun())
      let told = try await net.inRouter(
        """
        ip link add br0 type bridge; ip addr add 10.9.9.1/24 dev br0; ip link set br0 up
        ip link add p0 type veth peer name g0; ip link set p0 master br0 up; ip link set g0 up
        bridge fdb add 02:00:00:00:00:07 dev p0 master dynamic
        "$NFTRACE" ping --in p0 -s 10.9.9.7 -W 0.2 10.9.9.1 >/dev/null || true
        "$NFTRACE" ping --in p0 -s 10.9.9.7 --source-mac 02:00:00:00:00:07 -W 0.2 10.9.9.1 >/dev/null || true
        bridge fdb show br br0 | grep -c -e 02:6e:66:74:72:01 || true
        bridge fdb show br br0 | grep -c -e 02:00:00:00:00:07
        """)
      #expect(told == "0\n1\n", "\(told)")
    }

    /// What is replayed is what was seen.
    @Test(arguments: [
      ["--local"], ["--in", "eth0", "-s", "172.16.16.1"],
      ["--tun-address", "192.168.69.100/24", "--dry-run"],
    ])
    func replayIsTheSame(words: [String]) async throws {
      let net = try await RouterNet(RouterPlan().withoutTun())
      let file = "\(Programs.directory)/entrance-\(UInt32.random(in: 0 ... .max)).pcapng"
      for more in [[], ["-p", "udp"], ["-p", "tcp", "--dport", "81", "-c", "3", "-i", "0.02"]] {
        let live = try await net.ping(words + more + ["-W", "0.2", "-w", file], to: "172.16.16.15")
        let replayed = try await Programs.nftrace(["show", file])
        #expect(live.output == replayed.output)
      }
    }
  }
}
