import Glibc
import Testing

/// The table that the path of a probe must come out as, for whatever a plan calls things.
struct Walk {
  var plan = RouterPlan()
  /// The source the request leaves with, and who gave it that.
  var translated: String? = nil
  var cause = "masquerade"
  /// Places passed at a hook: those that are always there, and the user's own chains between them.
  var prerouting = "conntrack"
  var forward = "security"
  /// The TUN device, if it is not the plan's.
  var tun: String? = nil

  /// Through the router to the server, and back.
  var throughRouter: [[String]] {
    let (tun, uplink) = (tun ?? plan.tun, plan.uplink)
    let (client, server) = (plan.client, plan.server)
    let router = translated ?? plan.router
    let request = "\(client) | \(server)"
    let translation = " | \(router) | \(server) | source \(client)>\(router) \(cause)"
    let answer = "\(server) | \(router)"
    let restored = "\(server) | \(client)"
    return [
      [
        "request",
        "ingress of | \(tun) |  | 64 | \(request)",
        "prerouting entry \(prerouting) nat | \(tun) |  | 64 | \(request)",
        "forward entry \(forward) | \(tun) | \(uplink) | 63 | \(request) | ttl 64>63 forwarding",
        "postrouting entry |  | \(uplink) | 63 | \(request)",
        "postrouting nat |  | \(uplink) | 63\(translation)",
        "egress of |  | \(uplink) | 63 | \(router) | \(server)",
        "transmitted egress \(uplink)",
      ],
      [
        "reply",
        "ingress of | \(uplink) |  | 64 | \(answer)",
        "prerouting entry \(prerouting) | \(uplink) |  | 64 | \(answer)",
        "prerouting nat | \(uplink) |  | 64 | \(restored)"
          + " | destination \(router)>\(client) nat-reply",
        "forward entry \(forward) | \(uplink) | \(tun) | 63 | \(restored) | ttl 64>63 forwarding",
        "postrouting entry nat |  | \(tun) | 63 | \(restored)",
        "egress of |  | \(tun) | 63 | \(restored)",
        "transmitted egress \(tun)",
      ],
    ]
  }

  /// To the router's own address on the uplink, and its answer.
  var toRouter: [[String]] {
    let tun = plan.tun
    let request = "\(plan.client) | \(plan.router)"
    let answer = "\(plan.router) | \(plan.client)"
    return [
      [
        "request",
        "ingress of | \(tun) |  | 64 | \(request)",
        "prerouting entry \(prerouting) nat | \(tun) |  | 64 | \(request)",
        "input entry nat | \(tun) |  | 64 | \(request)",
        "delivered input",
      ],
      [
        "reply",
        "output entry conntrack security |  | \(tun) | 64 | \(answer)",
        "postrouting entry nat |  | \(tun) | 64 | \(answer)",
        "egress of |  | \(tun) | 64 | \(answer)",
        "transmitted egress \(tun)",
      ],
    ]
  }
}

extension LiveTests {
  struct WalkTests {
    /// A firewall by its commands, and what is particular about the path then.
    struct Case: Sendable, CustomTestStringConvertible {
      var name: String
      var plan: RouterPlan
      var walk: @Sendable (RouterPlan) -> Walk = { Walk(plan: $0) }
      var testDescription: String { name }
    }

    static let translations: [Case] = [
      Case(
        name: "the walk: iptables-nft MASQUERADE",
        plan: RouterPlan().with("iptables-nft -t nat -A POSTROUTING -s $SUBNET -j MASQUERADE")),
      Case(
        name: "nft masquerade in an ip table",
        plan: RouterPlan().with(
          """
          nft "table ip mine { chain out { type nat hook postrouting priority srcnat
            ip saddr $SUBNET masquerade
          }
          }"
          """)),
      Case(
        name: "nft masquerade in an inet table",
        plan: RouterPlan().with(
          """
          nft "table inet mine { chain out { type nat hook postrouting priority srcnat
            ip saddr $SUBNET oifname \\"$UPLINK\\" masquerade
          }
          }"
          """)),
      Case(
        name: "iptables-legacy MASQUERADE",
        plan: RouterPlan().with("iptables-legacy -t nat -A POSTROUTING -s $SUBNET -j MASQUERADE")),
      Case(
        name: "iptables-nft SNAT",
        plan: RouterPlan().with(
          """
          ip addr add 172.16.16.44/32 dev "$UPLINK"
          iptables-nft -t nat -A POSTROUTING -o "$UPLINK" -j SNAT --to-source 172.16.16.44
          """),
        walk: { Walk(plan: $0, translated: "172.16.16.44", cause: "snat") }),
      Case(
        name: "iptables-legacy SNAT",
        plan: RouterPlan().with(
          """
          ip addr add 172.16.16.44/32 dev "$UPLINK"
          iptables-legacy -t nat -A POSTROUTING -o "$UPLINK" -j SNAT --to-source 172.16.16.44
          """),
        walk: { Walk(plan: $0, translated: "172.16.16.44", cause: "snat") }),
      Case(
        name: "nft snat to",
        plan: RouterPlan.other.with(
          """
          nft "table ip mine { chain out { type nat hook postrouting priority 90
            oifname \\"$UPLINK\\" snat to $ROUTER
          }
          }"
          """),
        walk: { Walk(plan: $0, cause: "snat") }),
      Case(
        name: "NAT66 by nft in an ip6 table",
        plan: RouterPlan.ipv6.with(
          """
          nft "table ip6 mine { chain out { type nat hook postrouting priority srcnat
            ip6 saddr $SUBNET masquerade
          }
          }"
          """)),
      Case(
        name: "NAT66 by nft in an inet table",
        plan: RouterPlan.ipv6.with(
          """
          nft "table inet mine { chain out { type nat hook postrouting priority srcnat
            ip6 saddr $SUBNET masquerade
          }
          }"
          """)),
      Case(
        name: "NAT66 by ip6tables-nft",
        plan: RouterPlan.ipv6.with(
          "ip6tables-nft -t nat -A POSTROUTING -s $SUBNET -j MASQUERADE")),
      Case(
        name: "NAT66 by ip6tables-legacy",
        plan: RouterPlan.ipv6.with(
          "ip6tables-legacy -t nat -A POSTROUTING -s $SUBNET -j MASQUERADE")),
      Case(
        name: "other names, and base chains at odd places",
        plan: RouterPlan.other.with(
          """
          iptables-nft -t nat -A POSTROUTING -s $SUBNET -j MASQUERADE
          nft "table inet firewall {
            chain early { type filter hook prerouting priority -250; policy accept; }
            chain guard { type filter hook forward priority 10; policy accept; counter; }
          }"
          """),
        walk: {
          Walk(
            plan: $0, prerouting: "early conntrack", forward: "guard security")
        }),
    ]

    @Test(arguments: translations)
    func comesOutAsInTheTable(_ example: Case) async throws {
      let net = try await RouterNet(example.plan)
      let before = try await net.state()
      let report = try await net.report(["-s", net.plan.client])
      #expect(report.schema == "nftrace/1" && report.command == "ping")
      let probe = try #require(report.probes?.first)
      #expect(probe.outcome == "replied" && probe.rttUs != nil)
      #expect(probe.journeys.map(\.walk) == example.walk(net.plan).throughRouter)
      #expect(report.events.lost == 0)
      // Within a hook in the order of priorities; time never goes back.
      for journey in probe.journeys {
        for (earlier, later) in zip(journey.hops, journey.hops.dropFirst()) {
          #expect(earlier.timeUs <= later.timeUs)
          #expect(earlier.hook != later.hook || earlier.priority < later.priority)
        }
      }
      try await net.expectState(before, example.name)
    }

    @Test(arguments: [RouterPlan(), .other, .ipv6])
    func theRouterItselfAnswers(_ plan: RouterPlan) async throws {
      let net = try await RouterNet(plan)
      // Without a rule that needs it there is no conntrack, and nothing of it to see.
      let report = try await net.report(["-s", plan.client], to: plan.router)
      #expect(report.probes?.first?.journeys.map(\.walk) == Walk(plan: plan).toRouter)
      #expect(report.events.conntrack == 0, "conntrack was switched on by looking")
    }

    @Test func destinationTranslated() async throws {
      let plan = RouterPlan()
      let public4 = "192.0.2.80"
      let net = try await RouterNet(
        plan.with(
          """
          iptables-nft -t nat -A PREROUTING -d \(public4) -j DNAT --to-destination $SERVER
          iptables-nft -t nat -A POSTROUTING -s $SUBNET -j MASQUERADE
          """))
      let before = try await net.state()
      let report = try await net.report(to: public4)
      let walks = report.probes?.first?.journeys.map(\.walk) ?? []
      try #require(walks.count == 2)
      #expect(
        walks[0].contains(
          "prerouting nat | tun0 |  | 64 | \(plan.client) | \(plan.server)"
            + " | destination \(public4)>\(plan.server) dnat"), "\(walks[0])")
      #expect(
        walks[0].contains(
          "postrouting nat |  | eth0 | 63 | \(plan.router) | \(plan.server)"
            + " | source \(plan.client)>\(plan.router) masquerade"), "\(walks[0])")
      // Both are undone for the answer, each at the same place as ever.
      #expect(
        walks[1].contains(
          "prerouting nat | eth0 |  | 64 | \(plan.server) | \(plan.client)"
            + " | destination \(plan.router)>\(plan.client) nat-reply"), "\(walks[1])")
      #expect(
        walks[1].contains(
          "postrouting nat |  | tun0 | 63 | \(public4) | \(plan.client)"
            + " | source \(plan.server)>\(public4) nat-reply"), "\(walks[1])")
      #expect(report.probes?.first?.outcome == "replied")
      try await net.expectState(before, "DNAT")
    }

    @Test func redirected() async throws {
      let net = try await RouterNet(
        RouterPlan().with(
          """
          nft "table ip mine { chain in { type nat hook prerouting priority dstnat
            ip daddr 192.0.2.80 redirect
          }
          }"
          """))
      let report = try await net.report(to: "192.0.2.80")
      let walks = report.probes?.first?.journeys.map(\.walk) ?? []
      try #require(walks.count == 2)
      #expect(
        walks[0].contains(
          "prerouting nat | tun0 |  | 64 | 192.168.69.1 | 192.168.69.100"
            + " | destination 192.0.2.80>192.168.69.100 redirect"), "\(walks[0])")
      #expect(walks[0].last == "delivered input")
      #expect(
        walks[1].contains {
          $0.hasSuffix("| 192.0.2.80 | 192.168.69.1 | source 192.168.69.100>192.0.2.80 nat-reply")
        }, "\(walks[1])")
    }

    @Test(arguments: [RouterPlan(), .ipv6])
    func aDeviceOfItsOwnAndItsOwnMasquerade(_ plan: RouterPlan) async throws {
      let net = try await RouterNet(plan.withoutTun())
      let before = try await net.state()
      let report = try await net.report(["--masquerade"])
      #expect(
        report.probes?.first?.journeys.map(\.walk)
          == Walk(plan: plan, tun: "nftrace0").throughRouter)
      try await net.expectState(before, "the device that is made")
    }

    @Test func severalProbes() async throws {
      let net = try await RouterNet(Self.translations[0].plan)
      let report = try await net.report(["-c", "3", "-i", "0.05"])
      #expect(report.probes?.map(\.sequence) == [1, 2, 3])
      for probe in report.probes ?? [] {
        #expect(probe.journeys.map(\.walk) == Walk(plan: net.plan).throughRouter)
      }
      let ids = Set(report.probes?.compactMap { $0.journeys.first?.packet.icmpId } ?? [])
      #expect(ids.count == 3, "each probe is a connection of its own")
    }

    /// Two at a time, each with a device of its own: neither sees the other.
    @Test func severalAtATime() async throws {
      let net = try await RouterNet(RouterPlan().withoutTun())
      let before = try await net.state()
      try await withThrowingTaskGroup { group in
        for number in 1...4 {
          group.addTask {
            let outcome = try await net.ping([
              "--json", "--masquerade", "--tun-address", "10.70.\(number).1/24", "-c", "10", "-i",
              "0.02",
            ])
            let probes = try RunReport(outcome).probes ?? []
            #expect(outcome.code == 0 && probes.count == 10, "\(outcome.error)")
            for journey in probes.flatMap(\.journeys) {
              #expect(journey.hops.count == 9)
              #expect(
                journey.hops.allSatisfy {
                  $0.source.hasPrefix("10.70.\(number).")
                    || $0.destination.hasPrefix("10.70.\(number).")
                    || [$0.source, $0.destination].contains(net.plan.router)
                })
              #expect(journey.hops.flatMap(\.rules).isEmpty)
            }
          }
        }
        try await group.waitForAll()
      }
      try await net.expectState(before, "four at a time")
    }

    /// One netdev chain has room for 255 interfaces. With --masquerade the new device is the last.
    @Test func hundredsOfInterfaces() async throws {
      let net = try await RouterNet(
        RouterPlan().withoutTun().with(
          """
          for i in $(seq 150); do echo "link add va$i type veth peer name vb$i"; done | ip -batch -
          """))
      let report = try await net.report(["--masquerade", "-c", "3", "-i", "0"])
      let walk = Walk(plan: net.plan, tun: "nftrace0").throughRouter
      #expect(report.probes?.count == 3)
      for probe in report.probes ?? [] { #expect(probe.journeys.map(\.walk) == walk) }
    }

    /// Somebody loads his ruleset anew all the time; nftrace's own is not his to remove.
    @Test func theRulesetIsReloaded() async throws {
      let net = try await RouterNet(Self.translations[1].plan)
      let report = try RunReport(
        Outcome(
          code: 0,
          output: try await net.inRouter(
            """
            (echo flush ruleset; nft list ruleset) >"$DIR/ruleset"
            (while :; do nft -f "$DIR/ruleset"; done) & reload=$!
            "$NFTRACE" ping --tun "$TUN" -c 30 -i 0.01 --json $SERVER || true
            kill $reload
            """), error: ""))
      let walk = Walk(plan: net.plan).throughRouter
      #expect(report.probes?.count == 30)
      for probe in report.probes ?? [] { #expect(probe.journeys.map(\.walk) == walk) }
    }

    /// Other people's packets through the same hooks, conntrack and rules.
    @Test func otherTrafficStaysOut() async throws {
      let net = try await RouterNet(Self.translations[0].plan)
      let outcome = try await net.run(
        """
        ip netns exec $S ping -q -f -n $ROUTER >/dev/null & flood=$!
        ip netns exec $R ping -q -i 0.002 -n $SERVER >/dev/null & local=$!
        code=0
        "$NFTRACE" ping --netns $R --tun "$TUN" -c 20 -i 0.01 --json $SERVER || code=$?
        kill $flood $local
        exit $code
        """)
      let report = try RunReport(Outcome(code: 0, output: outcome, error: ""))
      let walk = Walk(plan: net.plan).throughRouter
      #expect(report.probes?.count == 20 && report.events.lost == 0)
      for probe in report.probes ?? [] { #expect(probe.journeys.map(\.walk) == walk) }
      #expect(report.events.nflog == 20 * 18)
    }

    @Test(arguments: [translations[0], translations[8], translations[3]])
    func asFastAsTheyGo(_ example: Case) async throws {
      let net = try await RouterNet(example.plan)
      let report = try await net.report(["-c", "200", "-i", "0"])
      let probes = report.probes ?? []
      #expect(probes.map(\.sequence) == Array(1...200))
      #expect(probes.allSatisfy { $0.outcome == "replied" })
      #expect(report.events.lost == 0)
      let walk = Walk(plan: net.plan).throughRouter
      let incomplete = probes.filter { $0.journeys.map(\.walk) != walk }
      #expect(
        incomplete.isEmpty,
        "\(incomplete.map(\.sequence)): \(incomplete.first?.journeys.map(\.walk) ?? [])")
    }
  }
}
