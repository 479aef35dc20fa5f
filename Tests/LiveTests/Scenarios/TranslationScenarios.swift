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
          errors: ["not-translated"], mentions: ["untracked"], remedy: .optional, isInferred: true))
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
      // nf_conntrack_max is one for the whole machine, and read-only here: the table is filled. It
      // takes a second and 80 MB, so only where the maximum is a usual one. That the maximum cannot
      // be raised from here is why no command helps.
      Scenario(
        name: "conntrack-table-full-v4", version: .v4,
        router: """
          max=$(cat /proc/sys/net/netfilter/nf_conntrack_max)
          awk -v max=$max 'BEGIN { for (i = 0; i < max + 10; i++) {
            p = 1 + i % 65000; q = 1 + int(i / 65000)
            printf "-I -s 10.77.9.9 -d 10.77.9.8 -r 10.77.9.8 -q 10.77.9.9 -p udp --sport %d", p
            printf " --dport %d --reply-port-src %d --reply-port-dst %d -t 60", q, q, p
            print " -u ASSURED,SEEN_REPLY" } }' >$BPF/full
          conntrack -R $BPF/full >/dev/null 2>&1 || true
          rm $BPF/full
          [ $(cat /proc/sys/net/netfilter/nf_conntrack_count) -ge $max ]
          """,
        facts: .lost("request prerouting"),
        said: Diagnosis(
          errors: ["conntrack-table-full"], mentions: ["nf_conntrack_max"], remedy: .none),
        needs: "[ $(cat /proc/sys/net/netfilter/nf_conntrack_max) -le 300000 ]"),
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
    // To a service within that is silent: it knows its way back, and nothing is to be translated.
    + silentWithin("client") { _ in "$SRC" }
    + silentWithin("stranger") { $0 == .v4 ? "192.0.2.80" : "2001:db8:80::80" }

  private static func silentWithin(
    _ name: String, _ source: @escaping (Version) -> String
  ) -> [Scenario] {
    both("dnat-silent-\(name)") { version in
      let source = source(version)
      return Scenario(
        name: "", version: .v4, nat: .none,
        router: """
          $IP route replace \(source) dev tun7
          $IPT -t nat -A PREROUTING -d $DNAT -j DNAT --to-destination $GW
          """, server: "sysctl -qw $ECHO=1",
        arguments: ["-s", source], destination: "$DNAT", facts: .lost("request egress"),
        said: Diagnosis(
          errors: ["no-reply"], mentions: ["on $GW", "route back to \(source)"], remedy: .none,
          isInferred: true))
    }
  }
}
