extension Scenario {
  /// The request got through, and the reply died here. A policy that kills it is one more way to
  /// filter it: one cause, one id.
  static let replies: [Scenario] = forwardedReplies + localReplies + otherReplies

  private static func filtered(
    _ name: String, nat: NAT = .nft, _ at: Diagnosis.Place, _ lastSeen: String,
    destination: String = "$DST", mentions: [String] = [], _ lines: String
  ) -> [Scenario] {
    both("reply-\(name)") { _ in
      Scenario(
        name: "", version: .v4, nat: nat, router: lines, destination: destination,
        facts: .lost(lastSeen),
        said: Diagnosis(
          errors: ["reply-filtered"], at: at, mentions: mentions, remedy: .cures))
    }
  }

  private static let forwardedReplies: [Scenario] =
    filtered(
      "iptables-policy", nat: .iptables, .init("forward", "filter", "FORWARD"), "reply forward",
      mentions: ["established"],
      """
      $IPT -P FORWARD DROP
      $IPT -A FORWARD -i tun7 -j ACCEPT
      """)
    + filtered(
      "iptables-rule", nat: .iptables,
      .init("forward", "filter", "FORWARD", "-i up0 -o tun7 -j DROP"), "reply forward",
      "$IPT -A FORWARD -i up0 -o tun7 -j DROP")
    + filtered(
      "iptables-reject", nat: .iptables,
      .init("forward", "filter", "FORWARD", "-i up0 -o tun7 -j REJECT"), "reply forward",
      "$IPT -A FORWARD -i up0 -o tun7 -j REJECT")
    + filtered(
      "legacy-rule", nat: .legacy, .init("forward", "filter", "FORWARD", "-i up0 -o tun7 -j DROP"),
      "reply forward", "$LEG -A FORWARD -i up0 -o tun7 -j DROP")
    + filtered(
      "nft-policy", .init("forward", "fw", "through"), "reply forward", mentions: ["established"],
      """
      nft 'table inet fw { chain through {
        type filter hook forward priority filter; policy drop; iifname "tun7" accept;
      }; }'
      """)
    + filtered(
      "nft-raw", .init("prerouting", "fw", "pre", "drop"), "reply prerouting",
      """
      nft 'table $FAM fw { chain pre {
        type filter hook prerouting priority raw; $FAM saddr $DST drop;
      }; }'
      """)
    + filtered(
      "nft-ingress", .init("ingress", "fw", "in", "drop"), "reply ingress",
      """
      nft 'table netdev fw { chain in {
        type filter hook ingress device "up0" priority 0; $FAM saddr $DST drop;
      }; }'
      """)
    + filtered(
      "nft-postrouting", .init("postrouting", "fw", "post", "drop"), "reply postrouting",
      """
      nft 'table inet fw { chain post {
        type filter hook postrouting priority mangle; oifname "tun7" drop;
      }; }'
      """)
    // Connections are not known there yet.
    + filtered(
      "nft-ingress-policy", .init("ingress", "fw", "in"), "reply ingress",
      """
      nft 'table netdev fw { chain in {
        type filter hook ingress device "up0" priority 0; policy drop;
        meta protocol arp accept;
        icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept;
      }; }'
      """)
    // What leaves a base chain meets its policy: a rule at the end of the chain would not be met.
    + filtered(
      "nft-policy-return", .init("forward", "fw", "through"), "reply forward",
      mentions: ["established"],
      """
      nft 'table inet fw { chain through {
        type filter hook forward priority filter; policy drop; iifname "tun7" accept; return;
      }; }'
      """)
    // The last thing before the client: the reply had crossed all of the router.
    + filtered(
      "nft-egress", .init("egress", "fw", "out", "drop"), "reply egress",
      """
      nft 'table netdev fw { chain out {
        type filter hook egress device "tun7" priority 0; $FAM saddr $DST drop;
      }; }'
      """)

  private static let localReplies: [Scenario] =
    filtered(
      "local-iptables-output", nat: .iptables,
      .init("output", "filter", "OUTPUT", "-o tun7 -j DROP"),
      "reply output", destination: "$TUN", "$IPT -A OUTPUT -o tun7 -j DROP")
    + filtered(
      "local-nft-output-policy", .init("output", "fw", "out"), "reply output", destination: "$TUN",
      "nft 'table inet fw { chain out { type filter hook output priority filter; policy drop; }; }'"
    )
    + filtered(
      "local-legacy-output", nat: .legacy, .init("output", "filter", "OUTPUT", "-o tun7 -j DROP"),
      "reply output", destination: "$TUN", "$LEG -A OUTPUT -o tun7 -j DROP")
    + filtered(
      "local-nft-postrouting", .init("postrouting", "fw", "post", "drop"), "reply postrouting",
      destination: "$TUN",
      """
      nft 'table inet fw { chain post {
        type filter hook postrouting priority mangle; oifname "tun7" drop;
      }; }'
      """)

  private static let otherReplies: [Scenario] =
    [
      // The request goes out by its mark; the way back to the server, which knows of no mark, would
      // be another interface. Loose filtering is enough, for there is a way.
      Scenario(
        name: "rp-filter-on-reply-v4", version: .v4,
        router: """
          nft 'table inet marks {
            chain marking { type filter hook prerouting priority mangle; iifname "tun7" meta mark set 7; };
          }'
          ip link add up1 type veth peer name up1peer
          ip addr add 10.77.3.2/24 dev up1
          ip link set up1 up
          ip link set up1peer up
          ip route add default via $GW table 77
          ip rule add fwmark 7 lookup 77
          ip route replace default via 10.77.3.1
          sysctl -qw net.ipv4.conf.up0.rp_filter=1
          """,
        facts: .lost("reply prerouting"),
        said: Diagnosis(
          errors: ["reverse-path-filter"], mentions: ["net.ipv4.conf.up0.rp_filter", "up1"],
          remedy: .cures)),
      // The way back to the client was taken away: the reply dies of it.
      Scenario(
        name: "no-route-for-reply-v4", version: .v4,
        router: """
          ip route add blackhole $SRC/32
          """,
        facts: .lost("reply prerouting"),
        said: Diagnosis(errors: ["blackhole-route"], mentions: ["$SRC"], remedy: .cures)),
    ]
    // The request is not tracked, so conntrack never saw what the reply answers. To accept it before
    // that rule would be a poor remedy, so none is demanded.
    + both("reply-invalid") { _ in
      Scenario(
        name: "", version: .v4, nat: .none,
        router: """
          nft 'table $FAM fw {
            chain pre { type filter hook prerouting priority raw; iifname "tun7" notrack; };
            chain through { type filter hook forward priority filter; ct state invalid drop; };
          }'
          """,
        server: "$IP route add $NET via $UP",
        facts: .lost("reply forward"),
        said: Diagnosis(
          errors: ["invalid-state-drop"],
          at: .init("forward", "fw", "through", "ct state invalid drop")))
    }
    + both("reply-invalid-iptables") { _ in
      Scenario(
        name: "", version: .v4, nat: .none,
        router: """
          $IPT -t raw -A PREROUTING -i tun7 -j CT --notrack
          $IPT -A FORWARD -m conntrack --ctstate INVALID -j DROP
          """,
        server: "$IP route add $NET via $UP",
        facts: .lost("reply forward"),
        said: Diagnosis(
          errors: ["invalid-state-drop"],
          at: .init("forward", "filter", "FORWARD", "--ctstate INVALID -j DROP")))
    }
}
