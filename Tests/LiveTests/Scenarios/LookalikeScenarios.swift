extension Scenario {
  /// What is easily mistaken for something in the catalogue, and must be told apart or left open.
  static let lookalikes: [Scenario] =
    trafficControl + expressDataPath + xfrm + multicast + farEnd + disabled

  /// Compiled by the runner, where the Swift toolchain's clang is; the path stands for $BPF.
  static let needsBPF = "[ -e $BPF/drop.o ]"

  // MARK: tc

  /// A filter that drops what passes a device, once neighbours are known.
  private static func filtered(
    _ name: String, on device: String, _ direction: String, lost place: String
  ) -> [Scenario] {
    both(name) { _ in
      Scenario(
        name: "", version: .v4,
        router: """
          ping -n -q -c1 -W1 $DST >/dev/null
          tc qdisc add dev \(device) clsact
          tc filter add dev \(device) \(direction) bpf da obj $BPF/drop.o sec classifier
          """,
        facts: .lost(place),
        said: Diagnosis(errors: ["lost-after"], mentions: [device], remedy: .none),
        needs: needsBPF)
    }
  }

  private static let trafficControl: [Scenario] =
    // A classifier runs before the first hook: nothing is seen of the packet, and nothing may be
    // blamed. With drop reasons it can be said that tc did it (TC_INGRESS); by name there is only
    // lost-after.
    both("tc-ingress") { _ in
      Scenario(
        name: "", version: .v4,
        router: """
          tc qdisc add dev tun7 clsact
          tc filter add dev tun7 ingress bpf da obj $BPF/drop.o sec classifier
          """,
        facts: .lost("nothing"), said: Diagnosis(errors: ["lost-after"], remedy: .none),
        needs: needsBPF)
    }
    // After the egress hook, so it looks as if it had left; clsact counts the drop. Saying
    // "everything here was right" (no-reply) would be wrong.
    + filtered("tc-egress", on: "up0", "egress", lost: "request egress")
    // The same on the way back, on the probe's own device: nothing came out of it.
    + filtered("reply-tc-egress", on: "tun7", "egress", lost: "reply egress")
    // The reply came, and died before anything could see it; clsact counts the drop.
    + filtered("tc-ingress-reply", on: "up0", "ingress", lost: "request egress")
    // A full queue: the qdisc counts what it drops, after the egress hook.
    + both("qdisc-full") { _ in
      Scenario(
        name: "", version: .v4,
        router: """
          ping -n -q -c1 -W1 $DST >/dev/null
          tc qdisc add dev up0 root bfifo limit 1
          """,
        facts: .lost("request egress"),
        said: Diagnosis(errors: ["lost-after"], mentions: ["up0"], remedy: .none))
    }
    // The reply is what the queue towards the client drops.
    + both("qdisc-full-reply") { _ in
      Scenario(
        name: "", version: .v4, router: "tc qdisc replace dev tun7 root bfifo limit 1",
        facts: .lost("reply egress"),
        said: Diagnosis(errors: ["lost-after"], mentions: ["tun7"], remedy: .none))
    }

  // MARK: XDP

  private static let expressDataPath: [Scenario] =
    // Before anything is a packet: nothing is seen, nothing is counted.
    both("xdp-request") { _ in
      Scenario(
        name: "", version: .v4, router: "ip link set tun7 xdpgeneric obj $BPF/drop.o sec xdp",
        facts: .lost("nothing"), said: Diagnosis(errors: ["lost-after"], remedy: .none),
        needs: needsBPF)
    }
    // The request is another zone's connection: its answer finds none, and is for the router then.
    + both("zone-of-request") { _ in
      Scenario(
        name: "", version: .v4,
        router: """
          nft 'table $FAM zones {
            chain pre { type filter hook prerouting priority raw; iifname "tun7" ct zone set 7; };
          }'
          """,
        facts: .lost("reply input"),
        said: Diagnosis(
          errors: ["lost-after"], mentions: ["ct zone", "$SRC", "$UP"], remedy: .none,
          isInferred: true))
    }
    // The answer comes in frames for somebody else. (IPv6 would not even find the server.)
    + [
      Scenario(
        name: "wrong-mac-address-v4", version: .v4,
        server: "ip neigh replace $UP lladdr 02:00:00:00:00:99 dev up0 nud permanent",
        facts: .lost("reply ingress"), said: Diagnosis(errors: ["lost-after"], remedy: .none))
    ]
    // Conntrack never saw it: it is not of state invalid, and no NAT rule was to translate it.
    + both("forwarded-at-ingress") { _ in
      Scenario(
        name: "", version: .v4,
        router: """
          nft 'table netdev fw { chain in {
            type filter hook ingress device "tun7" priority 0; $FAM daddr $DST fwd to "lo";
          }; }'
          """,
        facts: .lost("request egress"),
        said: Diagnosis(
          errors: ["no-reply"], mentions: ["past", "fwd"], remedy: .none, isInferred: true))
    }
    // Seen leaving, never seen coming back: it cannot be told from a server that is silent, unless
    // the tool looks for a program on the interface. "no-reply" that claims certainty would be
    // wrong; the evidence must name the program.
    + both("xdp-reply") { _ in
      Scenario(
        name: "", version: .v4,
        router: """
          ping -n -q -c1 -W1 $DST >/dev/null
          ip link set up0 xdpgeneric obj $BPF/drop.o sec xdp
          """,
        facts: .lost("request egress"),
        said: Diagnosis(
          errors: ["lost-after"], mentions: ["XDP", "up0"], remedy: .none,
          errorsUnasked: ["no-reply"]),
        needs: needsBPF)
    }

  // MARK: IPsec

  private static let xfrm: [Scenario] =
    // Checked between the routing decision and FORWARD, like a route that is not there: routing
    // says the way is free, so it is no route finding. The catalogue has no id for it.
    both("xfrm-forward-block") { _ in
      Scenario(
        name: "", version: .v4,
        router: "ip xfrm policy add dir fwd src $NET dst $DST/$LEN action block",
        facts: .lost("request prerouting"), said: Diagnosis(errors: ["lost-after"], remedy: .none))
    }
    + both("xfrm-out-block") { _ in
      Scenario(
        name: "", version: .v4,
        router: "ip xfrm policy add dir out src $NET dst $DST/$LEN action block",
        facts: .lost("request prerouting"), said: Diagnosis(errors: ["lost-after"], remedy: .none))
    }

  // MARK: Multicast

  private static let multicast: [Scenario] = [
    // No multicast route and no listener: dropped without a word after PREROUTING.
    Scenario(
      name: "multicast-no-route-v4", version: .v4, destination: "239.1.2.3",
      facts: .lost("request prerouting"), said: Diagnosis(errors: ["lost-after"], remedy: .none)),
    Scenario(
      name: "multicast-no-route-v6", version: .v6, destination: "ff0e::77",
      facts: .lost("request prerouting"), said: Diagnosis(errors: ["lost-after"], remedy: .none)),
  ]

  // MARK: Who said no?

  /// The far end refuses: this host did everything right, and the answer names who said no. The
  /// catalogue's routing and rule ids are this host's own, so it is no-reply ("the far side is at
  /// fault"), with the refuser in it. Nor is it no-listener, though the ICMP error be "port
  /// unreachable": an echo request has no port, only a firewall answers it so.
  private static func refused(
    _ name: String, by refuser: String, _ lines: String, destination: String = "$DST"
  ) -> [Scenario] {
    both("far-\(name)") { _ in
      Scenario(
        name: "", version: .v4, server: lines, destination: destination,
        facts: .rejected("request egress"),
        said: Diagnosis(errors: ["no-reply"], mentions: [refuser], remedy: .none))
    }
  }

  private static let farEnd: [Scenario] =
    refused("reject-rule", by: "$DST", "$IPT -A INPUT -p $ICMP -d $DST -j REJECT")
    + refused(
      "host-unreachable", by: "$GW",
      """
      sysctl -qw $FORWARDING=1
      $IP route add unreachable $FAR/$LEN
      """, destination: "$FAR")
    + refused(
      "prohibited", by: "$GW",
      """
      sysctl -qw $FORWARDING=1
      $IP route add prohibit $FAR/$LEN
      """, destination: "$FAR")

  // MARK: IPv6 off

  private static let disabled: [Scenario] = [
    // Evidence 6a: dropped before PREROUTING (Ip6InDiscards). The catalogue has no id.
    Scenario(
      name: "ipv6-disabled-on-ingress-v6", version: .v6,
      router: "sysctl -qw net.ipv6.conf.tun7.disable_ipv6=1", arguments: ["-s", "$SRC"],
      facts: .lost("request ingress"),
      said: Diagnosis(errors: ["lost-after"]))
  ]
}
