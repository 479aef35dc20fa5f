extension Scenario {
  /// The probe arrives on an interface, as if a neighbour there had sent it: `--in`.
  static let arriving: [Scenario] = arrivingRules + arrivingSettings + arrivingSetups

  private static func arrived(
    _ name: String, nat: NAT = .none, router: String = "", from source: String = "$GW",
    destination: String = "$UP", arguments: [String] = [], needs: String? = nil, _ facts: Facts,
    _ said: Diagnosis
  ) -> [Scenario] {
    both("in-\(name)") { _ in
      Scenario(
        name: "", version: .v4, nat: nat, router: router, entrance: ["--in", "up0", "-s", source],
        arguments: arguments, destination: destination, facts: facts, said: said, needs: needs)
    }
  }

  private static func dropped(
    _ name: String, nat: NAT = .none, _ lines: String, _ at: Diagnosis.Place,
    _ id: String = "rule-drop"
  ) -> [Scenario] {
    arrived(
      name, nat: nat, router: lines, .lost("request \(at.hook)"),
      Diagnosis(errors: [id], at: at, remedy: .cures))
  }

  private static let arrivingRules: [Scenario] =
    dropped(
      "nft-input",
      """
      nft 'table inet fw { chain in {
        type filter hook input priority filter; iifname "up0" meta l4proto { icmp, icmpv6 } drop;
      }; }'
      """, .init("input", "fw", "in", "drop"))
    + dropped(
      "nft-iif-index",
      """
      nft 'table inet fw { chain pre {
        type filter hook prerouting priority raw; iif up0 $FAM saddr $GW drop;
      }; }'
      """, .init("prerouting", "fw", "pre", "iif"))
    + dropped(
      "netdev-ingress",
      """
      nft 'table netdev fw { chain in {
        type filter hook ingress device "up0" priority 0; $FAM daddr $UP drop;
      }; }'
      """, .init("ingress", "fw", "in", "drop"))
    + dropped(
      "iptables-input", nat: .iptables, "$IPT -A INPUT -i up0 -s $GW -j DROP",
      .init("input", "filter", "INPUT", "-i up0 -j DROP"))
    + dropped(
      "legacy-input", nat: .legacy, "$LEG -A INPUT -i up0 -s $GW -j DROP",
      .init("input", "filter", "INPUT", "-i up0 -j DROP"), "legacy-drop")
    // Rules for another interface do not meet it.
    + arrived(
      "healthy-rule-of-another",
      router: """
        nft 'table inet fw { chain in {
          type filter hook input priority filter; iifname "tun7" drop;
        }; }'
        """, .replied, Diagnosis(remedy: .none))
    // What a stateful firewall does to strangers: no connection was begun from inside.
    + arrived(
      "policy-forward", nat: .iptables,
      router: """
        $IPT -P FORWARD DROP
        $IPT -A FORWARD -i tun7 -j ACCEPT
        $IPT -A FORWARD -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
        """, destination: "$SRC", .lost("request forward"),
      Diagnosis(
        errors: ["policy-drop"], at: .init("forward", "filter", "FORWARD"), remedy: .command))

  private static let arrivingSettings: [Scenario] =
    [
      Scenario(
        name: "in-rp-filter-v4", version: .v4,
        router: "sysctl -qw net.ipv4.conf.up0.rp_filter=1",
        entrance: ["--in", "up0", "-s", "$SRC"], destination: "$UP",
        facts: .lost("request prerouting"),
        said: Diagnosis(
          errors: ["reverse-path-filter"], mentions: ["up0", "tun7"], remedy: .command)),
      Scenario(
        name: "in-forwarding-disabled-v4", version: .v4,
        router: "sysctl -qw net.ipv4.conf.up0.forwarding=0",
        entrance: ["--in", "up0", "-s", "$GW"], destination: "$SRC",
        facts: .lost("request prerouting"),
        said: Diagnosis(
          errors: ["forwarding-disabled"], mentions: ["net.ipv4.conf.up0.forwarding"],
          remedy: .command)),
      Scenario(
        name: "in-local-source-v4", version: .v4, entrance: ["--in", "up0", "-s", "$UP"],
        facts: .lost("request prerouting"),
        said: Diagnosis(errors: ["local-source"], mentions: ["$UP", "up0"])),
    ]
    + arrived(
      "no-route", router: "$IP route del default", destination: "$DST",
      .rejected("request prerouting"), Diagnosis(errors: ["no-route"], mentions: ["$DST"]))
    + arrived(
      "prohibit-route", router: "$IP route add prohibit $FOREIGN", destination: "$FOREIGN",
      .rejected("request prerouting"),
      Diagnosis(errors: ["prohibit-route"], mentions: ["$FOREIGN"], remedy: .command))
    + arrived(
      "ttl", router: "$IP route add $FOREIGN dev tun7", destination: "$FOREIGN",
      arguments: ["-t", "1"], .rejected("request prerouting"),
      Diagnosis(errors: ["ttl-expired"], remedy: .none))
    + arrived(
      "echo-ignored", router: "sysctl -qw $ECHO=1", .lost("request input"),
      Diagnosis(errors: ["echo-ignored"], mentions: ["$ECHO"], remedy: .cures))
    + arrived(
      "udp-closed-port", arguments: ["-p", "udp"], .rejected("request input"),
      Diagnosis(errors: ["no-listener"], mentions: ["this host"], remedy: .none))

  private static let arrivingSetups: [Scenario] =
    arrived("healthy-plain", .replied, Diagnosis(remedy: .none))
    + arrived("healthy-legacy", nat: .legacy, .replied, Diagnosis(remedy: .none))
    // The interface is a port of a bridge, which has the address.
    + arrived(
      "healthy-bridge-port",
      router: """
        ip link add br9 type bridge
        ip link set br9 address $(ip -o link show up0 | sed 's/.*ether \\([^ ]*\\).*/\\1/')
        ip addr flush dev up0
        ip link set up0 master br9
        ip link set br9 up
        $IP addr add $UP/$UPLEN dev br9 $(test "$FAM" = ip || echo nodad)
        sleep 0.2
        """, needs: "ip link add probe9 type bridge && ip link del probe9", .replied,
      Diagnosis(mayNote: ["bridge-netfilter"], remedy: .none))
}
