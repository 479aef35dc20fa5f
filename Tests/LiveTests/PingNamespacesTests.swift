import FoundationEssentials
import Glibc
import Testing

extension LiveTests {
  /// `ping --netns` more than once: a probe enters in the first namespace, and is followed through all.
  @Suite(.timeLimit(.minutes(4)))
  struct PingNamespacesTests {
    /// What a script may rely on.
    struct Report: Decodable {
      var netns: String?
      var namespaces: [String]?
      var probes: [Probe]
      var findings: [Finding]

      struct Probe: Decodable {
        var outcome: String
        var journeys: [Journey]
        var findings: [Finding]
        var `as`: Entrance
      }
      struct Entrance: Decodable {
        var namespace: String?
      }
      struct Journey: Decodable {
        var id: Int
        var direction: String
        var netns: String?
        var end: End
      }
      struct End: Decodable {
        var kind: String
      }
      struct Finding: Decodable {
        var id: String
        var severity: String
        var namespace: String?
        var summary: String
        var remedy: String?
        var rehearsed: Bool?
      }
    }

    private func report(
      _ spaces: [String], _ words: [String], code: Int32, to destination: String
    ) async throws -> Report {
      let outcome = try await Programs.nftrace(
        ["ping", "--json"] + spaces.flatMap { ["--netns", $0] } + words + [destination])
      #expect(outcome.code == code, "\(outcome)")
      return try JSONDecoder().decode(Report.self, from: Data(outcome.output.utf8))
    }

    /// The same of the router and the server behind it.
    private func report(
      _ net: RouterNet, _ words: [String] = ["--local"], code: Int32, to destination: String? = nil
    ) async throws -> Report {
      try await report(
        [net.router, net.server], words, code: code, to: destination ?? net.plan.server)
    }

    /// The other end of the client's pair is down, or does not answer ARP by the interface that was asked.
    @Test(arguments: [
      ("ip link set $L down", "no-carrier", "is down, the other end of"),
      (
        """
        ip addr add 10.61.1.9/24 dev x0; ip link set x0 up; ip route del 10.61.1.0/24 dev $L
        sysctl -qw net.ipv4.conf.all.arp_filter=1
        """, "discovery-unanswered", "arp_filter is 1"
      ),
      (
        """
        ip addr add 10.61.1.9/24 dev x0; ip link set x0 up; ip route del 10.61.1.0/24 dev $L
        sysctl -qw net.ipv4.conf.all.rp_filter=1
        """, "discovery-unanswered", "rp_filter is 1"
      ),
    ])
    func whatTheNextPlaceDoes(fault: String, id: String, words: String) async throws {
      let net = try await RouterNet(RouterPlan().withoutTun())
      let (router, server) = (net.router, net.server)
      try await net.inRouter(
        """
        L=nfl0; ip link add $L type veth peer name nfp0 netns \(server)
        ip link add x0 type veth peer name x1; ip link set x1 up
        ip addr add 10.61.1.1/24 dev $L; ip link set $L up
        ip -n \(server) addr add 10.61.1.2/24 dev nfp0; ip -n \(server) link set nfp0 up
        \(fault)
        """)
      let report = try await report(
        [server, router], ["--local", "-W", "4"], code: 1, to: "10.61.1.1")
      let finding = report.findings.first { $0.severity == "error" }
      #expect(finding?.id == id)
      #expect(finding?.summary.contains(words) == true, "\(String(describing: finding))")
      #expect(finding?.namespace == router)
      #expect(finding?.remedy != nil)
    }

    /// Tables of iptables-legacy that another namespace has alone are read there.
    @Test(arguments: [RouterPlan().withoutTun(), RouterPlan.ipv6.withoutTun()])
    func legacyRulesInTheSecond(_ plan: RouterPlan) async throws {
      let net = try await RouterNet(plan)
      let tables = plan.version == 4 ? "iptables" : "ip6tables"
      try await net.run(
        "ip netns exec $S \(tables)-legacy -A INPUT -p tcp --dport 443 -j DROP")
      let report = try await report(
        net, ["--local", "-p", "tcp", "--dport", "443"], code: 1)
      let finding = report.findings.first { $0.severity == "error" }
      #expect(finding?.id == "legacy-drop", "\(report)")
      #expect(finding?.summary.contains("loaded anew") == false, "\(report)")
      #expect(finding?.remedy?.contains("\(tables)-legacy -I INPUT 1 ") == true, "\(report)")
    }

    /// Whether tables of nftrace are in one of these.
    private func tables(_ spaces: [String]) async throws -> String {
      var found = ""
      for space in spaces {
        let outcome = try await Programs.shell("ip netns exec \(space) nft list tables")
        found += outcome.output.split(separator: "\n").filter { $0.contains("nftrace") }.joined()
      }
      return found
    }

    @Test(
      arguments: [RouterPlan().withoutTun(), RouterPlan.ipv6.withoutTun()], [[], ["-p", "udp"]])
    func aProbeIsOneWalk(_ plan: RouterPlan, _ proto: [String]) async throws {
      let net = try await RouterNet(plan)
      let before = try await net.state()
      // Nobody listens: the server itself says so.
      let isRefused = !proto.isEmpty
      let report = try await report(net, ["--local"] + proto, code: isRefused ? 1 : 0)
      #expect(report.netns == nil && report.namespaces == [net.router, net.server])
      let probe = try #require(report.probes.first)
      #expect(probe.outcome == (isRefused ? "rejected" : "replied"))
      #expect(probe.as.namespace == net.router)
      #expect(probe.journeys.map(\.netns) == [net.router, net.server, net.server, net.router])
      let back = isRefused ? "error" : "reply"
      #expect(probe.journeys.map(\.direction) == ["request", "request", back, back])
      #expect(
        probe.journeys.map(\.end.kind) == ["transmitted", "delivered", "transmitted", "delivered"])
      #expect(Set(probe.journeys.map(\.id)).count == 4)
      let errors = report.findings.filter { $0.severity == "error" }
      #expect(errors.map(\.id) == (isRefused ? ["no-listener"] : []))
      #expect(errors.allSatisfy { $0.namespace == net.server })
      #expect(try await tables([net.router, net.server]) == "")
      try await net.expectState(before, "a walk through two namespaces")
    }

    /// The second namespace is where the rule is, and the remedy is for it, from wherever it is pasted.
    @Test(arguments: [RouterPlan().withoutTun(), RouterPlan.ipv6.withoutTun()])
    func aRuleOfTheSecond(_ plan: RouterPlan) async throws {
      let net = try await RouterNet(plan)
      try await net.run(
        """
        ip netns exec $S nft 'table inet fw { chain in {
          type filter hook input priority filter; meta l4proto { icmp, ipv6-icmp } meta mark 0 jump deep; };
          chain deep { icmp type echo-request drop; icmpv6 type echo-request drop; }; }'
        """)
      let report = try await report(net, code: 1)
      let finding = try #require(report.probes.first?.findings.first)
      #expect(finding.id == "rule-drop" && finding.namespace == net.server)
      #expect(finding.summary.hasPrefix("in netns \(net.server): "))
      let remedy = try #require(finding.remedy)
      #expect(remedy.hasPrefix("ip netns exec \(net.server) nft ") && finding.rehearsed == true)
      try await net.run(remedy)
      #expect(try await self.report(net, code: 0).probes.first?.outcome == "replied")
    }

    /// Three namespaces, the middle one of which translates source, destination, ports and identifiers.
    @Test(arguments: [
      ["--local"], ["--local", "-p", "tcp", "--dport", "8080"],
      ["--local", "-p", "udp", "--dport", "8080"],
    ])
    func translatedInTheMiddle(_ words: [String]) async throws {
      let net = try await RouterNet(RouterPlan().withoutTun())
      let client = net.router + "c"
      let isEcho = words.count == 1
      try await net.run(
        """
        ip netns add \(client)
        ip -n \(client) link add c0 index 33 type veth peer name d0 index 34 netns $R
        ip -n \(client) addr add 10.9.0.2/24 dev c0; ip -n \(client) link set c0 up
        ip -n \(client) link set lo up
        ip -n $R addr add 10.9.0.1/24 dev d0; ip -n $R link set d0 up
        ip -n \(client) route add default via 10.9.0.1
        ip netns exec $R nft 'table ip n {
          chain post { type nat hook postrouting priority srcnat; oifname "\(net.plan.uplink)" masquerade fully-random; };
          chain pre { type nat hook prerouting priority dstnat;
            tcp dport 8080 dnat to \(net.plan.server):80; udp dport 8080 dnat to \(net.plan.server):80;
            ip daddr 198.51.100.7 dnat to \(net.plan.server); }; }'
        """)
      defer { try? removeNamespace(client) }
      let report = try await report(
        [client, net.router, net.server], words, code: isEcho ? 0 : 1, to: "198.51.100.7")
      let probe = try #require(report.probes.first)
      #expect(probe.outcome == (isEcho ? "replied" : "rejected"))
      #expect(
        probe.journeys.map(\.netns)
          == [client, net.router, net.server, net.server, net.router, client])
      let errors = report.findings.filter { $0.severity == "error" }
      #expect(errors.map(\.id) == (isEcho ? [] : ["no-listener"]))
      #expect(errors.allSatisfy { $0.namespace == net.server })
    }

    /// Where its TTL ends is told with the namespace it ended in, and the error that came of it.
    @Test func timeExceeded() async throws {
      let net = try await RouterNet()
      let report = try await report(
        net, ["--tun", net.plan.tun, "-t", "1"], code: 1)
      #expect(report.probes.first?.outcome == "rejected")
      let errors = report.findings.filter { $0.severity == "error" }
      #expect(errors.map(\.id) == ["ttl-expired"])
      #expect(errors.first?.namespace == net.router)
    }

    /// What goes back is dropped in a namespace between those that are watched, and that is named.
    @Test(
      arguments: [RouterPlan().withoutTun(), RouterPlan.ipv6.withoutTun()],
      ["icmp", "tcp", "udp"])
    func theAnswerDiesBetween(_ plan: RouterPlan, _ proto: String) async throws {
      let net = try await RouterNet(plan)
      let far = net.router + "f"
      let (own, other) = plan.version == 4 ? ("10.88.0.1", "10.88.0.2") : ("fd88::1", "fd88::2")
      try await net.run(
        """
        ip netns add \(far); ip -n \(far) link set lo up
        ip -n $R link add behind type veth peer name front netns \(far)
        ip netns exec \(far) sysctl -qw net.ipv6.conf.front.accept_dad=0
        ip netns exec $R sysctl -qw net.ipv6.conf.behind.accept_dad=0
        ip -n $R addr add \(own)/\(plan.length) dev behind
        ip -n \(far) addr add \(other)/\(plan.length) dev front
        ip -n $R link set behind up; ip -n \(far) link set front up
        ip -n \(far) route add default via \(own)
        ip -n $S route add \(other) via $ROUTER
        for i in $(seq 20); do ip netns exec $R ping -c1 -W1 -n \(other) >/dev/null && break; sleep 0.1; done
        ip netns exec $R nft 'table inet fw { chain through {
          type filter hook forward priority 0; iifname "behind" drop; }; }'
        """)
      let port = proto == "icmp" ? [] : ["--dport", "999"]
      let report = try await report(
        [net.server, far], ["--local", "-s", plan.server, "-p", proto, "-W", "0.5"] + port, code: 1,
        to: other)
      try await net.run("ip netns del \(far)")
      #expect(report.probes.first?.outcome == "lost")
      let finding = try #require(report.probes.first?.findings.first)
      #expect(finding.id == "no-reply" && finding.namespace == far, "\(finding)")
      let words = "network namespace \(net.router) of this machine dropped the answer"
      #expect(finding.summary.contains(words), "\(finding)")
      #expect(
        finding.summary.contains("--netns \(net.server) --netns \(far) --netns \(net.router)"),
        "\(finding)")
    }

    /// What is told live is told of the session.
    @Test func shown() async throws {
      let net = try await RouterNet(RouterPlan().withoutTun())
      try await net.run("ip netns exec $S sysctl -qw net.ipv4.icmp_echo_ignore_all=1")
      let outcome = try await Programs.shell(
        """
        file=$(mktemp)
        "$NFTRACE" ping --netns \(net.router) --netns \(net.server) --local -w $file \(net.plan.server) || true
        echo ==; "$NFTRACE" show $file; "$NFTRACE" show --html $file.html $file
        sed 's/<[^>]*>//g' $file.html | grep -c 'in netns \(net.server)' >&2
        rm $file $file.html
        """)
      let parts = outcome.output.split(separator: "==\n")
      #expect(parts.count == 2 && parts[0] == parts[1], "\(outcome)")
      #expect(outcome.output.contains("in netns \(net.server): "), "\(outcome)")
      #expect(outcome.output.contains("ip netns exec \(net.server) sysctl -w "), "\(outcome)")
      let count = outcome.error.split(separator: "\n").compactMap { Int($0) }.first ?? 0
      #expect(count > 1, "\(outcome)")
    }

    /// However it ends, nothing stays in any of them.
    @Test(arguments: [SIGKILL, SIGINT]) func ends(_ signal: Int32) async throws {
      let net = try await RouterNet(RouterPlan().withoutTun())
      let outcome = try await Programs.shell(
        """
        "$NFTRACE" ping --netns \(net.router) --netns \(net.server) --local -c 100 -i 0.2 \
          \(net.plan.server) >/dev/null & pid=$!
        for i in $(seq 100); do
          ip netns exec \(net.server) nft list tables | grep -q nftrace && break; sleep 0.05
        done
        ip netns exec \(net.server) nft list tables | grep -c nftrace
        kill -\(signal) $pid; wait $pid || echo "code $?"
        """)
      #expect(outcome.output.split(separator: "\n").first != "0", "\(outcome)")
      #expect(outcome.output.contains("code \(128 + signal)"), "\(outcome)")
      let isClean = try await Programs.eventually(within: .seconds(3)) {
        try await tables([net.router, net.server]) == ""
      }
      #expect(isClean)
    }

    /// One that is named twice is taken once; one that is not there is an error that says so.
    @Test func names() async throws {
      let net = try await RouterNet(RouterPlan().withoutTun())
      let twice = try await report(
        [net.router, "/run/netns/\(net.router)"], ["--local"], code: 0, to: net.plan.server)
      #expect(twice.netns == net.router && twice.namespaces == nil)
      #expect(twice.probes.first?.journeys.allSatisfy { $0.netns == nil } == true)
      let nobody = try await Programs.nftrace([
        "ping", "--netns", net.router, "--netns", "\(net.router)x", "--local", net.plan.server,
      ])
      #expect(nobody.code == 2, "\(nobody)")
      #expect(nobody.error.contains(net.router + "x"), "\(nobody)")
      #expect(try await tables([net.router]) == "")
    }

    /// A namespace whose name goes meanwhile is watched as long as the probes are on their way.
    @Test func aNamespaceVanishes() async throws {
      let net = try await RouterNet(RouterPlan().withoutTun())
      let outcome = try await Programs.shell(
        """
        "$NFTRACE" ping --netns \(net.router) --netns \(net.server) --local -c 8 -i 0.2 -W 0.3 --json \
          \(net.plan.server) & pid=$!
        for i in $(seq 100); do
          ip netns exec \(net.server) nft list tables | grep -q nftrace && break; sleep 0.05
        done
        sleep 0.3; ip netns del \(net.server); wait $pid || true
        """)
      let report = try JSONDecoder().decode(Report.self, from: Data(outcome.output.utf8))
      #expect(report.probes.count == 8, "\(outcome)")
      #expect(report.probes.first?.outcome == "replied", "\(outcome)")
      #expect(try await tables([net.router]) == "")
    }

    /// A container is found by its name, and a remedy enters it by its process.
    @Test func aContainersName() async throws {
      let net = try await RouterNet(RouterPlan().withoutTun())
      try await net.run("ip netns exec $S sysctl -qw net.ipv4.icmp_echo_ignore_all=1")
      let outcome = try await Programs.shell(
        """
        ip netns exec \(net.router) sleep 60 & host=$!
        ip netns exec \(net.server) sleep 60 & web=$!
        trap 'kill $host $web' EXIT
        sleep 0.2
        # Nobody else's state is touched: the directory is this shell's alone.
        NAMES="--netns $host --netns web" WEB=$web unshare --mount --propagation private sh -euc '
          mount -t tmpfs none /run
          mkdir -p /run/systemd/machines
          printf "NAME=web\\nCLASS=container\\nLEADER=%s\\n" $WEB > /run/systemd/machines/web
          "$NFTRACE" ping $NAMES --local --json \(net.plan.server) > /tmp/$WEB.json || true
          cat /tmp/$WEB.json
          remedy=$(sed -n "s/^ *.remedy.: .\\(nsenter.*\\).,.*/\\1/p" /tmp/$WEB.json | head -n 1)
          rm /tmp/$WEB.json
          test "$remedy" = "nsenter -t $WEB -n sysctl -w net.ipv4.icmp_echo_ignore_all=0"
          eval "$remedy" >&2
          "$NFTRACE" ping $NAMES --local -q \(net.plan.server) >&2
          "$NFTRACE" ping --netns wep --local \(net.plan.server) >&2 || test $? = 2
        '
        """)
      #expect(outcome.code == 0, "\(outcome)")
      let report = try JSONDecoder().decode(Report.self, from: Data(outcome.output.utf8))
      let finding = try #require(report.probes.first?.findings.first)
      #expect(finding.id == "echo-ignored" && finding.namespace == "web")
      #expect(outcome.error.contains("answered in"), "\(outcome)")
      #expect(outcome.error.contains("there is web"), "\(outcome)")
    }

    private func removeNamespace(_ name: String) throws {
      _ = unsafe system("ip netns del \(name)")
    }
  }
}
