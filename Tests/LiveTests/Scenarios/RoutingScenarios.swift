extension Scenario {
  /// The request dies in the routing decision, or on the way into it.
  static let routing: [Scenario] =
    forwardingOff + reversePath + martians + noWay + policyRules

  // MARK: Forwarding

  private static let forwardingOff: [Scenario] =
    both("forwarding-off") { _ in
      Scenario(
        name: "", version: .v4, router: "sysctl -qw $FORWARDING=0",
        facts: .lost("request prerouting"),
        said: Diagnosis(
          errors: ["forwarding-disabled"], mentions: ["$FORWARDING"], remedy: .cures))
    } + [
      Scenario(
        name: "forwarding-off-on-ingress-v4", version: .v4,
        router: "sysctl -qw net.ipv4.conf.tun7.forwarding=0",
        facts: .lost("request prerouting"),
        said: Diagnosis(
          errors: ["forwarding-disabled"], mentions: ["net.ipv4.conf.tun7.forwarding"],
          remedy: .cures)),
      // Only what comes in by tun7 has a route, so that a lookup for this host itself finds none.
      Scenario(
        name: "forwarding-off-route-by-rule-v4", version: .v4,
        router: """
          ip route add default via $GW table 77
          ip rule add iif tun7 lookup 77
          ip route del default
          sysctl -qw $FORWARDING=0
          """,
        facts: .lost("request prerouting"),
        said: Diagnosis(
          errors: ["forwarding-disabled"], mentions: ["$FORWARDING"], remedy: .cures)),
      // The ingress interface decides, and for the reply that is the uplink.
      Scenario(
        name: "forwarding-off-on-uplink-v4", version: .v4,
        router: "sysctl -qw net.ipv4.conf.up0.forwarding=0",
        facts: .lost("reply prerouting"),
        said: Diagnosis(
          errors: ["forwarding-disabled"], mentions: ["net.ipv4.conf.up0.forwarding"],
          remedy: .cures)),
    ]

  // MARK: The way back

  /// The source is from elsewhere; what helps is a route to it, or nothing would find its way back.
  private static let reversePath: [Scenario] =
    [
      Scenario(
        name: "rp-filter-strict-v4", version: .v4,
        router: "sysctl -qw net.ipv4.conf.tun7.rp_filter=1", arguments: ["-s", "$FOREIGN"],
        facts: .lost("request prerouting"),
        said: Diagnosis(
          errors: ["reverse-path-filter"], mentions: ["net.ipv4.conf.tun7.rp_filter", "up0"],
          remedy: .cures)),
      // The effective value is the larger of the two.
      Scenario(
        name: "rp-filter-all-v4", version: .v4,
        router: "sysctl -qw net.ipv4.conf.all.rp_filter=1 net.ipv4.conf.tun7.rp_filter=0",
        arguments: ["-s", "$FOREIGN"], facts: .lost("request prerouting"),
        said: Diagnosis(
          errors: ["reverse-path-filter"], mentions: ["net.ipv4.conf.all.rp_filter"],
          remedy: .cures)),
      Scenario(
        name: "rp-filter-loose-v4", version: .v4,
        router: """
          sysctl -qw net.ipv4.conf.tun7.rp_filter=2
          ip route add $DSTNET via $GW
          ip route del default
          """,
        arguments: ["-s", "$FOREIGN"], facts: .lost("request prerouting"),
        said: Diagnosis(
          errors: ["reverse-path-filter"], mentions: ["net.ipv4.conf.tun7.rp_filter"],
          remedy: .cures)),
      // A stray route takes the client's address to the uplink.
      Scenario(
        name: "rp-filter-stray-route-v4", version: .v4,
        router: """
          sysctl -qw net.ipv4.conf.tun7.rp_filter=1
          ip route add $SRC/32 via $GW
          """,
        facts: .lost("request prerouting"),
        said: Diagnosis(
          errors: ["reverse-path-filter"], mentions: ["rp_filter", "$SRC"], remedy: .cures)),
    ]
    + both("fib-rule-nft") { _ in
      Scenario(
        name: "", version: .v4,
        router: """
          nft 'table inet rpf {
            chain back { type filter hook prerouting priority raw; fib saddr . iif oif missing drop; };
          }'
          """,
        arguments: ["-s", "$FOREIGN"], facts: .lost("request prerouting"),
        said: Diagnosis(
          errors: ["rule-drop"], at: .init("prerouting", "rpf", "back", "fib saddr"),
          mentions: ["route"], remedy: .cures))
    }
    + both("rpfilter-rule-iptables") { _ in
      Scenario(
        name: "", version: .v4, nat: .iptables,
        router: "$IPT -t raw -A PREROUTING -m rpfilter --invert -j DROP",
        arguments: ["-s", "$FOREIGN"], facts: .lost("request prerouting"),
        said: Diagnosis(
          errors: ["rule-drop"],
          at: .init("prerouting", "raw", "PREROUTING", "-m rpfilter --invert -j DROP"),
          mentions: ["route"], remedy: .cures))
    }
    + both("rpfilter-rule-legacy") { _ in
      Scenario(
        name: "", version: .v4, nat: .legacy,
        router: "$LEG -t raw -A PREROUTING -m rpfilter --invert -j DROP",
        arguments: ["-s", "$FOREIGN"], facts: .lost("request prerouting"),
        said: Diagnosis(
          errors: ["legacy-drop"],
          at: .init("prerouting", "raw", "PREROUTING", "-m rpfilter --invert -j DROP"),
          remedy: .cures))
    }

  // MARK: Addresses that may not be

  private static func martianSource(
    _ name: String, _ version: Version, _ source: String, _ facts: Facts
  ) -> Scenario {
    Scenario(
      name: "martian-source-\(name)", version: version, arguments: ["-s", source], facts: facts,
      said: Diagnosis(errors: ["martian-source"], mentions: [source], remedy: .none))
  }

  private static let martians: [Scenario] = [
    Scenario(
      name: "local-source-v4", version: .v4, arguments: ["-s", "$UP"],
      facts: .lost("request prerouting"),
      said: Diagnosis(
        errors: ["local-source"], mentions: ["$UP", "accept_local"],
        // With accept_local the reply would be this host's own.
        remedy: .none)),
    // With accept_local=1, and in IPv6 always, the request goes out and its reply is delivered to
    // this host. The catalogue has no other id for it: the source is still the cause.
    Scenario(
      name: "local-source-accepted-v4", version: .v4,
      router: "sysctl -qw net.ipv4.conf.tun7.accept_local=1", arguments: ["-s", "$UP"],
      facts: .lost("reply input"),
      said: Diagnosis(errors: ["local-source"], mentions: ["$UP"], remedy: .none)),
    Scenario(
      name: "local-source-v6", version: .v6, arguments: ["-s", "$UP"],
      facts: .lost("reply input"),
      said: Diagnosis(errors: ["local-source"], mentions: ["$UP"], remedy: .none)),

    martianSource("loopback-v4", .v4, "127.0.0.5", .lost("request prerouting")),
    martianSource("multicast-v4", .v4, "224.0.0.9", .lost("request prerouting")),
    // Of 0/8 only this one: the rest of it is unicast since Linux 5.3 (ipv4_is_zeronet).
    martianSource("zero-v4", .v4, "0.0.0.0", .lost("request prerouting")),
    martianSource("broadcast-v4", .v4, "255.255.255.255", .lost("request prerouting")),
    // IPv6 refuses these two before PREROUTING, and counts them as header errors.
    martianSource("loopback-v6", .v6, "::1", .lost("request ingress")),
    martianSource("multicast-v6", .v6, "ff02::99", .lost("request ingress")),
    martianSource("unspecified-v6", .v6, "::", .lost("request prerouting")),
    // Valid on its link, and not beyond it: ICMPv6 1/2 from this host.
    martianSource("link-local-v6", .v6, "fe80::5", .rejected("request prerouting")),

    Scenario(
      name: "martian-destination-loopback-v4", version: .v4, destination: "127.0.0.9",
      facts: .lost("request prerouting"),
      said: Diagnosis(
        errors: ["martian-destination"], mentions: ["127.0.0.9"])),
    Scenario(
      name: "martian-destination-zero-v4", version: .v4, destination: "0.0.0.0",
      facts: .lost("request prerouting"),
      said: Diagnosis(
        errors: ["martian-destination"], mentions: ["0.0.0.0"], remedy: .none)),
    Scenario(
      name: "martian-destination-loopback-v6", version: .v6, destination: "::1",
      facts: .lost("request ingress"),
      said: Diagnosis(errors: ["martian-destination"], mentions: ["::1"], remedy: .none)),
    Scenario(
      name: "martian-destination-after-dnat-v4", version: .v4, nat: .none,
      router: """
        nft 'table ip nat {
          chain pre { type nat hook prerouting priority dstnat; ip daddr $DNAT dnat to 127.0.0.1; };
        }'
        """,
      destination: "$DNAT", facts: .lost("request prerouting"),
      said: Diagnosis(
        errors: ["martian-destination"], mentions: ["127.0.0.1", "route_localnet"], remedy: .cures)
    ),
  ]

  // MARK: Routes

  private static func route(
    _ kind: String, _ id: String, _ facts: Facts
  ) -> [Scenario] {
    both("route-\(kind)") { _ in
      Scenario(
        name: "", version: .v4, router: "$IP route add \(kind) $DSTNET", facts: facts,
        said: Diagnosis(errors: [id], mentions: ["$DSTNET"], remedy: .cures))
    }
  }

  private static let noWay: [Scenario] =
    both("no-route") { _ in
      Scenario(
        name: "", version: .v4, router: "$IP route del default",
        facts: .rejected("request prerouting"),
        // Which gateway there should be, nobody here knows.
        said: Diagnosis(errors: ["no-route"], mentions: ["$DST"], remedy: .none))
    }
    // Of two faults at one place the first to mend is named: without a route there is nowhere to
    // forward to. IPv4 keeps silent where it does not forward.
    + both("no-route-forwarding-off") {
      Scenario(
        name: "", version: .v4,
        router: """
          $IP route del default
          sysctl -qw $FORWARDING=0
          """,
        facts: $0 == .v4 ? .lost("request prerouting") : .rejected("request prerouting"),
        said: Diagnosis(errors: ["no-route"], mentions: ["$DST"], remedy: .none))
    }
    + both("uplink-down") { _ in
      Scenario(
        name: "", version: .v4, router: "ip link set up0 down",
        facts: .rejected("request prerouting"),
        // The default route went with the interface; setting it up does not bring it back.
        said: Diagnosis(errors: ["no-route"], mentions: ["up0"], remedy: .none))
    }
    + [
      // No catalogue id but this: the kernel itself says that there is no route.
      Scenario(
        name: "no-carrier-routes-ignored-v4", version: .v4,
        router: """
          sysctl -qw net.ipv4.conf.up0.ignore_routes_with_linkdown=1
          \(waitForNoCarrier)
          """,
        server: "ip link set up0 down",
        facts: .rejected("request prerouting"),
        said: Diagnosis(errors: ["no-route"], mentions: ["up0"]))
    ]
    + route("blackhole", "blackhole-route", .lost("request prerouting"))
    + route("unreachable", "unreachable-route", .rejected("request prerouting"))
    + route("prohibit", "prohibit-route", .rejected("request prerouting"))
    // "throw" leaves the table, and no other knows better.
    + route("throw", "no-route", .rejected("request prerouting"))

  /// The kernel may take a second to notice.
  static let waitForNoCarrier =
    "for i in $(seq 200); do ip link show up0 | grep -q NO-CARRIER && break; sleep 0.01; done"

  // MARK: The policy database

  private static func policy(
    _ name: String, _ lines: String, _ id: String, _ facts: Facts, _ mentions: [String]
  ) -> [Scenario] {
    both("rule-\(name)") { _ in
      Scenario(
        name: "", version: .v4, router: lines, facts: facts,
        said: Diagnosis(errors: [id], mentions: mentions, remedy: .cures))
    }
  }

  private static let policyRules: [Scenario] =
    policy(
      "blackhole", "$IP rule add priority 100 from $NET blackhole", "blackhole-route",
      .lost("request prerouting"), ["$NET"])
    // Not EHOSTUNREACH as for a route: the lookup says ENETUNREACH, as if there were no route (ICMP
    // 3/0), in both families. Only the list of rules tells.
    + policy(
      "unreachable", "$IP rule add priority 100 iif tun7 unreachable", "unreachable-route",
      .rejected("request prerouting"), ["tun7"])
    + [
      Scenario(
        name: "rule-unreachable-from-v4", version: .v4,
        router: "ip rule add priority 100 from $NET unreachable",
        facts: .rejected("request prerouting"),
        said: Diagnosis(errors: ["unreachable-route"], mentions: ["$NET"], remedy: .cures)),
      // The kernel means to say so, and finds no route for the ICMPv6 error either: silence.
      Scenario(
        name: "rule-unreachable-from-v6", version: .v6,
        router: "ip -6 rule add priority 100 from $NET unreachable",
        facts: .lost("request prerouting"),
        said: Diagnosis(errors: ["unreachable-route"], mentions: ["$NET"], remedy: .cures)),
    ]
    + policy(
      "prohibit", "$IP rule add priority 100 iif tun7 prohibit", "prohibit-route",
      .rejected("request prerouting"), ["tun7"])
    + policy(
      "to-blackhole-table",
      """
      $IP route add blackhole default table 77
      $IP rule add priority 100 from $NET lookup 77
      """,
      "blackhole-route", .lost("request prerouting"), ["77"])
    // The mark is set in the mangle table: a lookup without it would find nothing wrong.
    + policy(
      "fwmark-prohibit",
      """
      nft 'table inet marks {
        chain marking { type filter hook prerouting priority mangle; iifname "tun7" meta mark set 0x77; };
      }'
      $IP route add prohibit default table 77
      $IP rule add priority 100 fwmark 0x77 lookup 77
      """,
      "prohibit-route", .rejected("request prerouting"), ["0x77"])
    // The default route of "main" is passed over: another table's decides.
    + policy(
      "suppressed-default",
      """
      $IP rule add priority 100 lookup main suppress_prefixlength 0
      $IP route add blackhole default table 77
      $IP rule add priority 200 lookup 77
      """,
      "blackhole-route", .lost("request prerouting"), ["200: from all lookup 77"])
    // The rule between is not asked.
    + policy(
      "goto",
      """
      $IP rule add priority 300 lookup 77
      $IP rule add priority 310 iif tun7 prohibit
      $IP rule add priority 200 iif tun7 blackhole
      $IP rule add priority 100 iif tun7 goto 300
      """,
      "prohibit-route", .rejected("request prerouting"), ["rule 310"])
    // What is forwarded has no user, and is taken for root's.
    + policy(
      "users",
      """
      $IP rule add priority 100 uidrange 1-1000 prohibit
      $IP rule add priority 101 uidrange 0-0 blackhole
      """,
      "blackhole-route", .lost("request prerouting"), ["rule 101", "uidrange 0-0"])
    + [
      Scenario(
        name: "rule-ports-v4", version: .v4,
        router: """
          ip rule add priority 100 ipproto udp dport 53 prohibit
          ip rule add priority 101 ipproto udp dport 99-100 blackhole
          """,
        arguments: ["-p", "udp", "--dport", "100"], facts: .lost("request prerouting"),
        said: Diagnosis(
          errors: ["blackhole-route"], mentions: ["rule 101", "dport 99-100"], remedy: .command)),
      Scenario(
        name: "rule-tos-v4", version: .v4, router: "ip rule add priority 100 tos 0x10 blackhole",
        arguments: ["--tos", "16"], facts: .lost("request prerouting"),
        said: Diagnosis(errors: ["blackhole-route"], mentions: ["tos 0x10"], remedy: .cures)),
      Scenario(
        name: "route-tos-v4", version: .v4, router: "ip route add prohibit $DST tos 0x10",
        arguments: ["--tos", "16"], facts: .rejected("request prerouting"),
        said: Diagnosis(errors: ["prohibit-route"], mentions: ["tos 0x10"], remedy: .cures)),
      // Its remedy must not take the default route of everybody else.
      Scenario(
        name: "route-from-v6", version: .v6, router: "ip -6 route add blackhole default from $NET",
        facts: .lost("request prerouting"),
        said: Diagnosis(errors: ["blackhole-route"], mentions: ["from $NET"], remedy: .cures)),
    ]
    + both("route-nexthop-object") { _ in
      Scenario(
        name: "", version: .v4,
        router: """
          $IP nexthop add id 2 blackhole
          $IP route add $DST nhid 2
          """,
        facts: .lost("request prerouting"),
        said: Diagnosis(errors: ["blackhole-route"], mentions: ["nhid 2"], remedy: .cures))
    }
    // Without it there would be no route either.
    + both("route-throw-into-nothing") { _ in
      Scenario(
        name: "", version: .v4,
        router: """
          $IP rule add priority 100 lookup 77
          $IP route add throw $DSTNET table 77
          $IP route del default
          """,
        facts: .rejected("request prerouting"),
        said: Diagnosis(errors: ["no-route"], mentions: ["table 77"], remedy: .none))
    }
}
