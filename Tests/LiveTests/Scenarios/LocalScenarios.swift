extension Scenario {
  /// This host sends the probe itself: OUTPUT, with the errno of the send where the kernel refuses.
  static let local: [Scenario] =
    localDrops + localLegacy + localRoutes + localDepartures + localAnswers + localSetups

  /// A scenario of both families whose probe this host sends.
  private static func sent(
    _ name: String, nat: NAT = .none, router: String = "", server: String = "",
    arguments: [String] = [], destination: String = "$DST", timeout: String = "0.3", _ facts: Facts,
    _ said: Diagnosis
  ) -> [Scenario] {
    both("local-\(name)") { _ in
      Scenario(
        name: "", version: .v4, nat: nat, router: router, server: server, entrance: ["--local"],
        arguments: arguments, destination: destination, timeout: timeout, facts: facts, said: said)
    }
  }

  private static let notPermitted = ["(EPERM)"]

  // MARK: Rules

  /// A base chain of nft's that drops what goes to the destination.
  private static func nft(
    _ name: String, _ type: String, _ hook: String, _ priority: String, nat: NAT = .none
  ) -> [Scenario] {
    sent(
      "nft-\(name)", nat: nat,
      router: """
        nft 'table inet fw { chain out {
          type \(type) hook \(hook) priority \(priority); $FAM daddr $DST drop;
        }; }'
        """, .refused("request \(hook)"),
      Diagnosis(
        errors: ["rule-drop"], at: .init(hook, "fw", "out", "drop"), mentions: notPermitted,
        remedy: .cures))
  }

  private static func iptables(
    _ name: String, _ hook: String, _ table: String, _ chain: String
  ) -> [Scenario] {
    sent(
      "iptables-\(name)", nat: .iptables, router: "$IPT -t \(table) -A \(chain) -d $DST -j DROP",
      .refused("request \(hook)"),
      Diagnosis(
        errors: ["rule-drop"], at: .init(hook, table, chain, "-d $DST/$LEN -j DROP"),
        mentions: notPermitted, remedy: .cures))
  }

  private static let localDrops: [Scenario] =
    nft("raw", "filter", "output", "raw") + nft("mangle", "route", "output", "mangle")
    + nft("nat", "nat", "output", "-100", nat: .nft) + nft("filter", "filter", "output", "filter")
    + nft("postrouting", "filter", "postrouting", "mangle")
    + iptables("raw", "output", "raw", "OUTPUT") + iptables("mangle", "output", "mangle", "OUTPUT")
    + iptables("filter", "output", "filter", "OUTPUT")
    + iptables("postrouting", "postrouting", "mangle", "POSTROUTING")
    // What the egress chain drops is not told to the sender: raw sockets pass over it.
    + sent(
      "nft-egress",
      router: """
        nft 'table netdev fw { chain out {
          type filter hook egress device "up0" priority 0; $FAM daddr $DST drop;
        }; }'
        """, .lost("request egress"),
      Diagnosis(
        errors: ["rule-drop"], at: .init("egress", "fw", "out", "drop"), remedy: .cures))
    + sent(
      "policy-nft",
      router: """
        nft 'table inet fw { chain out {
          type filter hook output priority filter; policy drop;
          meta l4proto icmpv6 icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept;
        }; }'
        """, .refused("request output"),
      Diagnosis(
        errors: ["policy-drop"], at: .init("output", "fw", "out"), mentions: notPermitted,
        remedy: .cures))
    + sent(
      "policy-iptables", nat: .iptables,
      router: """
        $IPT -P OUTPUT DROP
        $IPT -A OUTPUT -p ipv6-icmp -m icmp6 --icmpv6-type 135 -j ACCEPT 2>/dev/null || true
        """, .refused("request output"),
      Diagnosis(
        errors: ["policy-drop"], at: .init("output", "filter", "OUTPUT"), mentions: notPermitted,
        remedy: .cures))
    // The refusal goes to this host itself, before the rule has dropped the packet.
    + sent(
      "reject-nft",
      router: """
        nft 'table inet fw { chain out {
          type filter hook output priority filter; $FAM daddr $DST reject;
        }; }'
        """, .rejected("request output"),
      Diagnosis(
        errors: ["rule-reject"], at: .init("output", "fw", "out", "reject"), remedy: .cures))
    + sent(
      "reject-iptables", nat: .iptables, router: "$IPT -A OUTPUT -d $DST -j REJECT",
      .rejected("request output"),
      Diagnosis(
        errors: ["rule-reject"], at: .init("output", "filter", "OUTPUT", "-j REJECT"),
        remedy: .cures))
    + sent(
      "dnat-then-filtered",
      router: """
        nft 'table $FAM fw {
          chain nat { type nat hook output priority -100; $FAM daddr $DNAT dnat to $DST; };
          chain out { type filter hook output priority filter; $FAM daddr $DST drop; };
        }'
        """, destination: "$DNAT", .refused("request output"),
      Diagnosis(
        errors: ["dnat-then-filtered"], at: .init("output", "fw", "out", "drop"),
        mentions: ["$DNAT", "$DST"], remedy: .cures))
    + sent(
      "queue-without-listener", nat: .iptables,
      router: "$IPT -A OUTPUT -d $DST -j NFQUEUE --queue-num 7", .lost("request output"),
      Diagnosis(
        errors: ["queue-without-listener"], at: .init("output", "filter", "OUTPUT", "NFQUEUE"),
        mentions: ["7"], remedy: .cures))

  // MARK: iptables-legacy

  private static func legacyDrop(
    _ name: String, _ at: Diagnosis.Place, _ lines: String
  ) -> [Scenario] {
    sent(
      "legacy-\(name)", nat: .legacy, router: lines, .refused("request \(at.hook)"),
      Diagnosis(errors: ["legacy-drop"], at: at, mentions: notPermitted, remedy: .cures))
  }

  private static let localLegacy: [Scenario] =
    legacyDrop(
      "raw", .init("output", "raw", "OUTPUT", "-j DROP"), "$LEG -t raw -A OUTPUT -d $DST -j DROP")
    + legacyDrop(
      "mangle", .init("output", "mangle", "OUTPUT", "-j DROP"),
      "$LEG -t mangle -A OUTPUT -d $DST -j DROP")
    + legacyDrop(
      "filter", .init("output", "filter", "OUTPUT", "-j DROP"), "$LEG -A OUTPUT -d $DST -j DROP")
    + legacyDrop(
      "security", .init("output", "security", "OUTPUT", "-j DROP"),
      "$LEG -t security -A OUTPUT -d $DST -j DROP")
    + legacyDrop(
      "postrouting", .init("postrouting", "mangle", "POSTROUTING", "-j DROP"),
      "$LEG -t mangle -A POSTROUTING -d $DST -j DROP")
    + legacyDrop(
      "policy", .init("output", "filter", "OUTPUT"),
      """
      $LEG -P OUTPUT DROP
      $LEG -A OUTPUT -p ipv6-icmp -m icmp6 --icmpv6-type 135 -j ACCEPT 2>/dev/null || true
      """)
    + sent(
      "legacy-reject", nat: .legacy, router: "$LEG -A OUTPUT -d $DST -j REJECT",
      .rejected("request output"),
      Diagnosis(
        errors: ["rule-reject"], at: .init("output", "filter", "OUTPUT", "-j REJECT"),
        remedy: .cures))

  // MARK: Routing, which comes before OUTPUT

  private static func unroutable(
    _ name: String, _ errors: [String], _ lines: String, arguments: [String] = [],
    destination: String = "$DST", mentions: [String], remedy: Diagnosis.Remedy = .cures
  ) -> [Scenario] {
    sent(
      name, router: lines, arguments: arguments, destination: destination, .refused("nothing"),
      Diagnosis(errors: errors, mentions: mentions, remedy: remedy))
  }

  private static let localRoutes: [Scenario] =
    unroutable(
      "no-route", ["no-route"], "$IP route del default", mentions: ["$DST", "ENETUNREACH"],
      remedy: .none)
    + unroutable(
      "uplink-down", ["no-route"], "ip link set up0 down", mentions: ["up0", "ENETUNREACH"],
      remedy: .none)
    + unroutable(
      "throw", ["no-route"], "$IP route add throw $DSTNET", mentions: ["throw", "ENETUNREACH"])
    + unroutable(
      "blackhole", ["blackhole-route"], "$IP route add blackhole $DSTNET",
      mentions: ["$DSTNET", "EINVAL"])
    + unroutable(
      "unreachable", ["unreachable-route"], "$IP route add unreachable $DST",
      mentions: ["$DST", "EHOSTUNREACH"])
    + unroutable(
      "prohibit", ["prohibit-route"], "$IP route add prohibit $DST",
      mentions: ["$DST", "EACCES"])
    + unroutable(
      "blackhole-table", ["blackhole-route"],
      """
      $IP route add blackhole default table 77
      $IP rule add priority 100 to $DST lookup 77
      """, mentions: ["77", "EINVAL"])
    + unroutable(
      "rule-prohibit", ["prohibit-route"], "$IP rule add priority 100 to $DST prohibit",
      mentions: ["rule 100", "EACCES"])
    + unroutable(
      "rule-unreachable", ["unreachable-route"],
      "$IP rule add priority 100 from $UP iif lo unreachable", arguments: ["-s", "$UP"],
      mentions: ["rule 100", "ENETUNREACH"])
    + unroutable(
      "rule-blackhole", ["blackhole-route"], "$IP rule add priority 100 to $DSTNET blackhole",
      mentions: ["rule 100", "EINVAL"])
    // Only what this host makes itself is looked up here: rules for what comes in say nothing.
    + unroutable(
      "rule-of-others", ["no-route"],
      "$IP rule add priority 100 iif tun7 prohibit; $IP route del default",
      mentions: ["$DST", "ENETUNREACH"], remedy: .none)
    + [
      Scenario(
        name: "local-loopback-source-v4", version: .v4, entrance: ["--local"],
        arguments: ["-s", "127.0.0.1"], facts: .refused("nothing"),
        said: Diagnosis(
          errors: ["martian-source"], mentions: ["127.0.0.1", "EINVAL"], remedy: .none))
    ]
    // Changed in OUTPUT, it is routed again, and refused only then.
    + sent(
      "mark-prohibits",
      router: """
        nft 'table $FAM fw { chain out {
          type route hook output priority mangle; $FAM daddr $DST meta mark set 7;
        }; }'
        $IP rule add priority 100 fwmark 7 prohibit
        """, .refused("request output"),
      Diagnosis(
        errors: ["prohibit-route"], mentions: ["rule 100", "fwmark 0x7", "EACCES"],
        remedy: .cures))
    + sent(
      "mtu", router: "ip link set up0 mtu 1400", arguments: ["--size", "1472", "--df"],
      .refused("nothing"),
      Diagnosis(
        errors: ["fragmentation-needed"], mentions: ["up0", "1400", "EMSGSIZE"], remedy: .none))

  // MARK: Behind the last hook

  private static let localDepartures: [Scenario] =
    sent(
      "gateway-dead", nat: .nft, router: "$IP route replace default via $DEAD dev up0",
      timeout: "0.6", .rejected("request postrouting"),
      Diagnosis(errors: ["neighbour-unresolved"], mentions: ["$DEAD", "up0"], remedy: .none))
    + sent(
      "on-link-dead", destination: "$DEAD", timeout: "0.6", .rejected("request postrouting"),
      Diagnosis(errors: ["neighbour-unresolved"], mentions: ["$DEAD", "up0"], remedy: .none))
    + sent(
      "gateway-incomplete",
      router: """
        sysctl -qw net.ipv4.neigh.up0.retrans_time_ms=1000 net.ipv6.neigh.up0.retrans_time_ms=1000
        $IP route replace default via $DEAD dev up0
        """, .lost("request postrouting"),
      Diagnosis(errors: ["neighbour-unresolved"], mentions: ["$DEAD", "up0"], remedy: .none))
    + sent(
      "no-carrier", router: waitForNoCarrier, server: "ip link set up0 down", timeout: "0.6",
      .rejected("request postrouting"),
      Diagnosis(errors: ["no-carrier"], mentions: ["up0"], remedy: .none))
    + sent(
      "server-ignores-echo", server: "sysctl -qw $ECHO=1", .lost("request egress"),
      Diagnosis(errors: ["no-reply"], remedy: .none, isInferred: true))
    // An address of this host that the other side knows no way back to.
    + sent(
      "source-from-elsewhere", arguments: ["-s", "$TUN"], .lost("request egress"),
      Diagnosis(errors: ["no-reply"], mentions: ["$TUN"], remedy: .none, isInferred: true))
    + [
      Scenario(
        name: "local-masquerade-no-address-v4", version: .v4, nat: .nft,
        router: """
          ip addr flush dev up0
          ip addr flush dev tun7
          ip addr add $UP/$LEN dev lo scope host
          ip route add default dev up0
          """,
        entrance: ["--local"], arguments: ["-s", "$UP"], facts: .refused("request postrouting"),
        said: Diagnosis(
          errors: ["masquerade-no-address"],
          at: .init("postrouting", "nat", "postrouting", "masquerade"),
          mentions: ["up0", "EPERM"], remedy: .none)),
      Scenario(
        name: "local-snat-clash-v4", version: .v4,
        router: """
          nft 'table ip nat { chain post {
            type nat hook postrouting priority srcnat;
            meta l4proto icmp snat to $UP:7;
          }; }'
          ping -n -q -c1 -W1 $DST >/dev/null
          """,
        entrance: ["--local"], facts: .refused("request postrouting"),
        said: Diagnosis(errors: ["snat-clash"], mentions: ["EPERM"])),
    ]

  // MARK: The answer, and this host as its own destination

  private static let localAnswers: [Scenario] =
    sent(
      "reply-policy-iptables", nat: .iptables,
      router: """
        $IPT -P INPUT DROP
        $IPT -A INPUT -p ipv6-icmp -m icmp6 --icmpv6-type 136 -j ACCEPT 2>/dev/null || true
        """, .lost("reply input"),
      Diagnosis(
        errors: ["reply-filtered"], at: .init("input", "filter", "INPUT"), remedy: .cures))
    + sent(
      "reply-rule-nft",
      router: """
        nft 'table inet fw { chain in {
          type filter hook input priority filter; $FAM saddr $DST drop;
        }; }'
        """, .lost("reply input"),
      Diagnosis(
        errors: ["reply-filtered"], at: .init("input", "fw", "in", "drop"), remedy: .cures))
    + sent(
      "reply-raw-legacy", nat: .legacy, router: "$LEG -t raw -A PREROUTING -s $DST -j DROP",
      .lost("reply prerouting"),
      Diagnosis(
        errors: ["reply-filtered"], at: .init("prerouting", "raw", "PREROUTING", "-j DROP"),
        remedy: .cures))
    + sent(
      "echo-ignored", router: "sysctl -qw $ECHO=1", destination: "$UP", .lost("request input"),
      Diagnosis(errors: ["echo-ignored"], mentions: ["$ECHO"], remedy: .cures))
    + sent(
      "loopback-input-drop", router: "$IPT -A INPUT -i lo -d $UP -j DROP", destination: "$UP",
      .lost("request input"),
      Diagnosis(
        errors: ["rule-drop"], at: .init("input", "filter", "INPUT", "-i lo -j DROP"),
        remedy: .cures))
    + sent(
      "udp-closed-port-here", arguments: ["-p", "udp"], destination: "$UP",
      .rejected("request input"),
      Diagnosis(errors: ["no-listener"], mentions: ["this host refused"], remedy: .none))
    + sent(
      "tcp-closed-port-here", arguments: ["-p", "tcp", "--dport", "9"], destination: "$UP",
      .rejected("reply input"),
      Diagnosis(errors: ["no-listener"], mentions: ["this host refused"], remedy: .none))
    + sent(
      "udp-closed-port-beyond", arguments: ["-p", "udp"], .rejected("request egress"),
      Diagnosis(errors: ["no-listener"], mentions: ["not this host"], remedy: .none))
    + sent(
      "tcp-reset-by-server", arguments: ["-p", "tcp", "--dport", "9"], .rejected("reply input"),
      Diagnosis(errors: ["no-listener"], mentions: ["not this host"], remedy: .none))

  // MARK: Healthy

  private static func fine(
    _ name: String, nat: NAT = .none, router: String = "", server: String = "",
    arguments: [String] = [], destination: String = "$DST", notes: [String] = []
  ) -> [Scenario] {
    sent(
      "healthy-\(name)", nat: nat, router: router, server: server, arguments: arguments,
      destination: destination, .replied, Diagnosis(notes: notes, remedy: .none))
  }

  private static let localSetups: [Scenario] =
    fine("plain") + fine("masquerade", nat: .iptables) + fine("legacy", nat: .legacy)
    + fine("itself", destination: "$UP")
    + fine(
      "dnat",
      router: """
        nft 'table $FAM fw {
          chain nat { type nat hook output priority -100; $FAM daddr $DNAT dnat to $DST; };
        }'
        """, destination: "$DNAT")
    // The mark leads to the table that has the way.
    + fine(
      "mark-routes",
      router: """
        nft 'table $FAM fw { chain out {
          type route hook output priority mangle; $FAM daddr $DST meta mark set 7;
        }; }'
        $IP route add default via $GW dev up0 table 77
        $IP rule add priority 100 fwmark 7 lookup 77
        $IP route add default dev tun7 metric 1
        """, arguments: ["-s", "$UP"])
    + fine("fits", router: "ip link set up0 mtu 1400", arguments: ["--size", "1300", "--df"])
    + fine(
      "fragmented", router: "ip link set up0 mtu 1400", server: "ip link set up0 mtu 1400",
      arguments: ["--size", "4000"], notes: ["fragmented"])
    + fine(
      "stateful", nat: .iptables,
      router: """
        $IPT -P INPUT DROP
        $IPT -A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
        $IPT -A INPUT -p ipv6-icmp -m icmp6 --icmpv6-type 136 -j ACCEPT 2>/dev/null || true
        """)
}
