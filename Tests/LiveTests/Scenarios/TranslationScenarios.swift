extension Scenario {
  /// Address translation: not done, done wrongly, or done and then filtered.
  static let translation: [Scenario] = missing + wrong + filteredAfterwards

  private static let missing: [Scenario] =
    both("masquerade-missing") { _ in
      Scenario(
        name: "", version: .v4, nat: .none, facts: .lost("request egress"),
        said: Diagnosis(
          errors: ["missing-masquerade"], mentions: ["$SRC"], remedy: .cures, isInferred: true))
    }
    // The same where conntrack keeps the connection, and can tell that there was no answer.
    + both("masquerade-missing-tracked") { _ in
      Scenario(
        name: "", version: .v4, nat: .none,
        router: "$IPT -A FORWARD -m conntrack --ctstate INVALID -j DROP",
        facts: .lost("request egress"),
        said: Diagnosis(
          errors: ["missing-masquerade"], mentions: ["$SRC", "UNREPLIED"], remedy: .cures,
          isInferred: true))
    }
    // There is one, for somebody else.
    + both("masquerade-for-others") { _ in
      Scenario(
        name: "", version: .v4, nat: .none,
        router: "$IPT -t nat -A POSTROUTING -s $FOREIGNNET -o up0 -j MASQUERADE",
        facts: .lost("request egress"),
        said: Diagnosis(
          errors: ["missing-masquerade"], mentions: ["$SRC"], remedy: .cures, isInferred: true))
    }
    + both("notrack") { _ in
      Scenario(
        name: "", version: .v4,
        router: """
          nft 'table $FAM fw {
            chain pre { type filter hook prerouting priority raw; $FAM saddr $SRC notrack; };
          }'
          """,
        facts: .lost("request egress"),
        said: Diagnosis(
          errors: ["not-translated"], mentions: ["notrack"], remedy: .optional, isInferred: true))
    }

  private static let wrong: [Scenario] =
    both("snat-to-nowhere") { _ in
      Scenario(
        name: "", version: .v4, nat: .none,
        router: """
          nft 'table $FAM nat {
            chain post { type nat hook postrouting priority srcnat; oifname "up0" snat to $FOREIGN; };
          }'
          """,
        facts: .lost("request egress"),
        said: Diagnosis(
          errors: ["unroutable-snat"], mentions: ["$FOREIGN"], isInferred: true))
    }
    // An address of this host's own subnet, but nobody's: the server asks for it in vain.
    + both("snat-to-unassigned") { _ in
      Scenario(
        name: "", version: .v4, nat: .none,
        router: "$IPT -t nat -A POSTROUTING -o up0 -j SNAT --to-source $DEAD",
        facts: .lost("request egress"),
        said: Diagnosis(errors: ["unroutable-snat"], mentions: ["$DEAD"], isInferred: true))
    }
    + [
      // Masquerading looks at all interfaces for an address: none of them may have one.
      Scenario(
        name: "masquerade-no-address-v4", version: .v4,
        router: """
          ip addr flush dev up0
          ip addr flush dev tun7
          ip route add $NET dev tun7
          ip route add default dev up0
          """,
        arguments: ["-s", "$SRC"], facts: .lost("request postrouting"),
        said: Diagnosis(
          errors: ["masquerade-no-address"],
          at: .init("postrouting", "nat", "postrouting", "masquerade"), mentions: ["up0"],
          remedy: .none)),
      // One identifier for all echo requests: the first flow has it.
      Scenario(
        name: "snat-clash-v4", version: .v4, nat: .none,
        router: """
          nft 'table ip nat { chain post {
            type nat hook postrouting priority srcnat;
            meta l4proto icmp snat to $UP:7;
          }; }'
          ping -n -q -c1 -W1 $DST >/dev/null
          """,
        facts: .lost("request postrouting"),
        said: Diagnosis(errors: ["snat-clash"], mentions: ["$UP"])),
    ]

  private static let filteredAfterwards: [Scenario] =
    both("dnat-then-policy") { _ in
      Scenario(
        name: "", version: .v4,
        router: """
          nft 'table $FAM fw {
            chain pre { type nat hook prerouting priority dstnat; $FAM daddr $DNAT dnat to $DST; };
            chain through {
              type filter hook forward priority filter; policy drop;
              ct state established,related accept;
              $FAM daddr $DNAT accept;
            };
          }'
          """,
        destination: "$DNAT", facts: .lost("request forward"),
        said: Diagnosis(
          errors: ["dnat-then-filtered"], at: .init("forward", "fw", "through"), mentions: ["$DST"],
          remedy: .cures))
    }
    + both("dnat-then-rule-iptables") { _ in
      Scenario(
        name: "", version: .v4, nat: .iptables,
        router: """
          $IPT -t nat -A PREROUTING -d $DNAT -j DNAT --to-destination $DST
          $IPT -A FORWARD -d $DST -j DROP
          """,
        destination: "$DNAT", facts: .lost("request forward"),
        said: Diagnosis(
          errors: ["dnat-then-filtered"],
          at: .init("forward", "filter", "FORWARD", "-d $DST/$LEN -j DROP"), mentions: ["$DNAT"],
          remedy: .cures))
    }
    // To this host itself: another hook, the same cause.
    + both("dnat-then-input") { _ in
      Scenario(
        name: "", version: .v4, nat: .iptables,
        router: """
          $IPT -t nat -A PREROUTING -d $DNAT -j DNAT --to-destination $UP
          $IPT -A INPUT -d $UP -i tun7 -j DROP
          """,
        destination: "$DNAT", facts: .lost("request input"),
        said: Diagnosis(
          errors: ["dnat-then-filtered"],
          at: .init("input", "filter", "INPUT", "-i tun7 -j DROP"), mentions: ["$UP"],
          remedy: .cures))
    }
    + [
      Scenario(
        name: "dnat-then-legacy-v4", version: .v4, nat: .legacy,
        router: """
          $LEG -t nat -A PREROUTING -d $DNAT -j DNAT --to-destination $DST
          $LEG -P FORWARD DROP
          """,
        destination: "$DNAT", facts: .lost("request forward"),
        said: Diagnosis(
          errors: ["dnat-then-filtered"], at: .init("forward", "filter", "FORWARD"),
          mentions: ["$DST"], remedy: .cures))
    ]
    // Back to where it came from: the target would answer the client directly.
    + both("hairpin") { _ in
      Scenario(
        name: "", version: .v4, nat: .nft,
        router: """
          nft 'table $FAM fw {
            chain pre { type nat hook prerouting priority dstnat; $FAM daddr $DNAT dnat to $SRC0; };
          }'
          """,
        destination: "$DNAT", facts: .lost("request egress"),
        said: Diagnosis(
          errors: ["hairpin-without-masquerade"],
          mayNote: ["nat-once-per-flow", "hairpin-redirect"], mentions: ["$SRC0"],
          // There is nobody behind the device to answer.
          remedy: .command))
    }
}
