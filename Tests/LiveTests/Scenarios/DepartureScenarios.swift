extension Scenario {
  /// The request left, or was about to, and no answer came.
  static let departure: [Scenario] = neighbours + carrier + silence

  // MARK: Neighbours

  /// Who was asked for, and did not answer. Nothing here can be done about it.
  private static func unresolved(
    _ name: String, _ lines: String, destination: String = "$DST", timeout: String = "0.6",
    _ facts: Facts = .rejected("request postrouting"), mentions: [String] = ["$DEAD", "up0"]
  ) -> [Scenario] {
    both("neighbour-\(name)") { _ in
      Scenario(
        name: "", version: .v4, router: lines, destination: destination, timeout: timeout,
        facts: facts,
        said: Diagnosis(errors: ["neighbour-unresolved"], mentions: mentions, remedy: .none))
    }
  }

  private static let neighbours: [Scenario] =
    // Given up while the probe waits: this host sends "host unreachable" (IPv6: "address").
    unresolved("gateway-dead", "$IP route replace default via $DEAD dev up0")
    + unresolved("on-link-dead", "", destination: "$DEAD")
    + unresolved(
      "table-gateway-dead",
      """
      $IP route add default via $DEAD dev up0 table 77
      $IP rule add priority 100 from $NET lookup 77
      """)
    + unresolved(
      "dnat-dead",
      """
      nft 'table $FAM fw {
        chain pre { type nat hook prerouting priority dstnat; $FAM daddr $DNAT dnat to $DEAD; };
      }'
      """, destination: "$DNAT")
    // Still being asked for when the patience ends, as with the kernel's own 3 s.
    + unresolved(
      "gateway-incomplete",
      """
      sysctl -qw net.ipv4.neigh.up0.retrans_time_ms=1000 net.ipv6.neigh.up0.retrans_time_ms=1000
      $IP route replace default via $DEAD dev up0
      """, timeout: "0.3", .lost("request postrouting"))
    // The solicitation dies here, so there is nobody else to blame.
    + [
      discovery(
        "nft-out-v6", .v6, .init("output", "fw", "out", "nd-neighbor-solicit"),
        """
        nft 'table inet fw { chain out {
          type filter hook output priority filter; icmpv6 type nd-neighbor-solicit drop;
        }; }'
        """),
      discovery(
        "iptables-out-v6", .v6, nat: .iptables, .init("output", "filter", "OUTPUT", "135"),
        "$IPT -A OUTPUT -o up0 -p icmpv6 --icmpv6-type neighbour-solicitation -j DROP"),
      discovery(
        "nft-in-v6", .v6, .init("input", "fw", "in", "nd-neighbor-advert"),
        """
        nft 'table inet fw { chain in {
          type filter hook input priority filter; icmpv6 type nd-neighbor-advert drop;
        }; }'
        """),
      discovery(
        "arp-out-v4", .v4, .init("output", "fw", "out", "drop"),
        """
        nft 'table arp fw { chain out {
          type filter hook output priority filter; oifname "up0" arp operation request drop;
        }; }'
        """),
      discovery(
        "arp-in-v4", .v4, .init("input", "fw", "in", "drop"),
        """
        nft 'table arp fw { chain in {
          type filter hook input priority filter; iifname "up0" arp operation reply drop;
        }; }'
        """),
      discovery(
        "netdev-in-v4", .v4, .init("ingress", "fw", "in", "drop"),
        """
        nft 'table netdev fw { chain in {
          type filter hook ingress device "up0" priority 0; meta protocol arp drop;
        }; }'
        """),
    ]

  private static func discovery(
    _ name: String, _ version: Version, nat: NAT = .nft, _ at: Diagnosis.Place, _ lines: String
  ) -> Scenario {
    Scenario(
      name: "discovery-filtered-\(name)", version: version, nat: nat,
      router: "\(lines)\nip neigh flush dev up0", timeout: "0.6",
      facts: .rejected("request postrouting"),
      said: Diagnosis(
        errors: ["neighbour-discovery-filtered"], at: at, mentions: ["$GW"], remedy: .cures))
  }

  // MARK: Carrier

  /// Evidence 20b is silent because it did not wait: when the neighbour is given up, this host
  /// answers "host unreachable", and the neighbour is not the cause.
  private static let carrier: [Scenario] =
    both("no-carrier") { _ in
      Scenario(
        name: "", version: .v4, router: waitForNoCarrier, server: "ip link set up0 down",
        facts: .rejected("request postrouting"),
        said: Diagnosis(errors: ["no-carrier"], mentions: ["up0"], remedy: .none))
    }
    // What a VPN's program leaves behind when it ends.
    + both("no-carrier-tun") { _ in
      Scenario(
        name: "", version: .v4,
        router: """
          ip tuntap add tun9 mode tun
          ip link set tun9 up
          $IP route add $FAR/$LEN dev tun9
          """, destination: "$FAR", facts: .lost("request egress"),
        said: Diagnosis(
          errors: ["no-carrier"], mentions: ["no program has tun9 open"], remedy: .none))
    }

  // MARK: Nobody answers

  /// All was right here.
  private static func silent(
    _ name: String, nat: NAT = .nft, router: String = "", server: String = "",
    destination: String = "$DST", _ facts: Facts = .lost("request egress"),
    mentions: [String] = []
  ) -> [Scenario] {
    both(name) { _ in
      Scenario(
        name: "", version: .v4, nat: nat, router: router, server: server,
        destination: destination, facts: facts,
        said: Diagnosis(
          errors: ["no-reply"], mentions: mentions, remedy: .none, isInferred: true))
    }
  }

  private static let silence: [Scenario] =
    silent(
      "server-drops",
      server: """
        nft 'table inet fw { chain in {
          type filter hook input priority filter; meta l4proto $ICMP $ICMP type echo-request drop;
        }; }'
        """)
    + silent("server-ignores-echo", server: "sysctl -qw $ECHO=1")
    // Routed without translation, and the server knows the way back: nothing here is wrong, but
    // nobody here can know that. The source is private and unchanged, so the honest answer is
    // the likelier one, not a certain one.
    + both("server-drops-routed-source") { _ in
      Scenario(
        name: "", version: .v4, nat: .none,
        server: """
          $IP route add $NET via $UP
          sysctl -qw $ECHO=1
          """,
        facts: .lost("request egress"),
        said: Diagnosis(errors: ["missing-masquerade"], remedy: .command, isInferred: true))
    }
    + [
      // The server drops silently what it does not forward; in IPv6 it says first that it has no
      // route.
      Scenario(
        name: "server-has-no-such-address-v4", version: .v4, destination: "$FAR",
        facts: .lost("request egress"),
        said: Diagnosis(errors: ["no-reply"], remedy: .none, isInferred: true)),
      Scenario(
        name: "server-has-no-such-address-v6", version: .v6, destination: "$FAR",
        facts: .rejected("request egress"),
        said: Diagnosis(errors: ["no-reply"], mentions: ["$GW"], remedy: .none)),
      // Evidence 03h: class E is forwarded like any other; the server refuses it.
      Scenario(
        name: "class-e-destination-v4", version: .v4, destination: "240.0.0.1",
        facts: .lost("request egress"),
        said: Diagnosis(errors: ["no-reply"], remedy: .none, isInferred: true)),
    ]
}
