extension Scenario {
  /// The request dies in a rule or by a policy of nf_tables, be it nft's or iptables-nft's.
  static let rules: [Scenario] = drops + policies + rejections + queues

  // MARK: drop

  /// A rule of nft's drops.
  private static func nft(
    _ name: String, _ at: Diagnosis.Place, _ facts: Facts, destination: String = "$DST",
    _ ruleset: String
  ) -> [Scenario] {
    both("drop-nft-\(name)") { _ in
      Scenario(
        name: "", version: .v4, router: "nft '\(ruleset)'", destination: destination, facts: facts,
        said: Diagnosis(errors: ["rule-drop"], at: at, remedy: .cures))
    }
  }

  /// A rule of iptables' drops.
  private static func iptables(
    _ name: String, _ at: Diagnosis.Place, _ facts: Facts, destination: String = "$DST",
    remedy: Diagnosis.Remedy = .cures, _ lines: String
  ) -> [Scenario] {
    both("drop-iptables-\(name)") { _ in
      Scenario(
        name: "", version: .v4, nat: .iptables, router: lines, destination: destination,
        facts: facts, said: Diagnosis(errors: ["rule-drop"], at: at, remedy: remedy))
    }
  }

  private static let drops: [Scenario] =
    nft(
      "forward", .init("forward", "fw", "through", "$FAM daddr $DST drop"),
      .lost("request forward"),
      """
      table inet fw { chain through {
        type filter hook forward priority filter; $FAM daddr $DST counter; $FAM daddr $DST drop;
      }; }
      """)
    + nft(
      "goto", .init("forward", "fw", "far", "drop"), .lost("request forward"),
      """
      table inet fw {
        chain far { $FAM saddr $NET counter drop comment "not for the lab"; };
        chain near { goto far; };
        chain through { type filter hook forward priority filter + 5; iifname "tun7" jump near; };
      }
      """)
    + nft(
      "verdict-map", .init("forward", "fw", "through", "vmap"), .lost("request forward"),
      """
      table $FAM fw {
        map verdicts {
          typeof $FAM daddr : verdict; elements = { $DST : drop, $DST2 : accept };
        };
        chain through { type filter hook forward priority filter; $FAM daddr vmap @verdicts; };
      }
      """)
    + nft(
      "verdict-map-jump", .init("forward", "fw", "guests", "drop"), .lost("request forward"),
      """
      table inet fw {
        chain guests { drop; };
        chain through {
          type filter hook forward priority filter; iifname vmap { "tun7" : jump guests };
        };
      }
      """)
    + nft(
      "set", .init("prerouting", "fw", "pre", "@bad"), .lost("request prerouting"),
      """
      table $FAM fw {
        set bad { typeof $FAM daddr; elements = { $DST }; };
        chain pre { type filter hook prerouting priority raw; $FAM daddr @bad drop; };
      }
      """)
    + nft(
      "mangle-prerouting", .init("prerouting", "fw", "pre", "drop"), .lost("request prerouting"),
      """
      table $FAM fw { chain pre {
        type filter hook prerouting priority mangle; $FAM saddr $NET drop;
      }; }
      """)
    + nft(
      "nat-prerouting", .init("prerouting", "fw", "pre", "drop"), .lost("request prerouting"),
      """
      table $FAM fw { chain pre {
        type nat hook prerouting priority dstnat; $FAM daddr $DST drop;
      }; }
      """)
    + nft(
      "postrouting", .init("postrouting", "fw", "post", "drop"), .lost("request postrouting"),
      """
      table inet fw { chain post {
        type filter hook postrouting priority 300; oifname "up0" $FAM daddr $DST drop;
      }; }
      """)
    + nft(
      "ingress", .init("ingress", "fw", "in", "drop"), .lost("request ingress"),
      """
      table netdev fw { chain in {
        type filter hook ingress device "tun7" priority 0; $FAM daddr $DST drop;
      }; }
      """)
    + nft(
      "inet-ingress", .init("ingress", "fw", "in", "drop"), .lost("request ingress"),
      """
      table inet fw { chain in {
        type filter hook ingress device "tun7" priority 0; $FAM daddr $DST drop;
      }; }
      """)
    // Evidence 07e had no point of its own before the chain; nftrace has.
    + nft(
      "egress", .init("egress", "fw", "out", "drop"), .lost("request egress"),
      """
      table netdev fw { chain out {
        type filter hook egress device "up0" priority 0; $FAM daddr $DST drop;
      }; }
      """)
    + nft(
      "input", .init("input", "fw", "in", "drop"), .lost("request input"), destination: "$TUN",
      """
      table inet fw { chain in {
        type filter hook input priority filter; meta l4proto { icmp, icmpv6 } $FAM saddr $NET drop;
      }; }
      """)
    // Which rule it was, the user knows by its number alone: both read alike.
    + nft(
      "second-of-two", .init("forward", "fw", "through", "drop"), .lost("request forward"),
      """
      table inet fw { chain through {
        type filter hook forward priority filter;
        $FAM daddr $DST2 drop; ct state established accept; ct state new drop;
      }; }
      """)
    // A chain's name may have signs that a shell makes something of: then there is no command.
    + iptables(
      "odd-name", .init("forward", "filter", "it's;a$1&b", "-j DROP"), .lost("request forward"),
      remedy: .none,
      """
      $IPT -N "it's;a\\$1&b"
      $IPT -A FORWARD -i tun7 -j "it's;a\\$1&b"
      $IPT -A "it's;a\\$1&b" -j DROP
      """)
    + iptables(
      "forward", .init("forward", "filter", "FORWARD", "-s $SRC/$LEN -j DROP"),
      .lost("request forward"), "$IPT -A FORWARD -s $SRC -j DROP")
    + iptables(
      "subchain", .init("forward", "filter", "GUESTS", "-d $DST/$LEN"), .lost("request forward"),
      """
      $IPT -N GUESTS
      $IPT -A FORWARD -i tun7 -j GUESTS
      $IPT -A GUESTS -d $DST2 -j ACCEPT
      $IPT -A GUESTS -d $DST -m comment --comment "guests stay inside" -j DROP
      """)
    + iptables(
      "comment", .init("forward", "filter", "FORWARD", "--comment \"guests stay inside\""),
      .lost("request forward"),
      "$IPT -A FORWARD -i tun7 -m comment --comment 'guests stay inside' -j DROP")
    + iptables(
      "raw", .init("prerouting", "raw", "PREROUTING", "-i tun7 -j DROP"),
      .lost("request prerouting"), "$IPT -t raw -A PREROUTING -i tun7 -j DROP")
    + iptables(
      "mangle-forward", .init("forward", "mangle", "FORWARD", "-o up0"), .lost("request forward"),
      "$IPT -t mangle -A FORWARD -o up0 -j DROP")
    + iptables(
      "mangle-postrouting", .init("postrouting", "mangle", "POSTROUTING", "-o up0"),
      .lost("request postrouting"), "$IPT -t mangle -A POSTROUTING -d $DST -o up0 -j DROP")
    + iptables(
      "security", .init("forward", "security", "FORWARD", "-o up0"), .lost("request forward"),
      "$IPT -t security -A FORWARD -o up0 -j DROP")
    + iptables(
      "input", .init("input", "filter", "INPUT", "-j DROP"), .lost("request input"),
      destination: "$TUN", "$IPT -A INPUT -i tun7 -j DROP")

  // MARK: policy

  private static func policy(
    _ name: String, nat: NAT = .nft, _ at: Diagnosis.Place,
    facts: Facts = .lost("request forward"),
    mentions: [String] = [], destination: String = "$DST", _ lines: String
  ) -> [Scenario] {
    both("policy-\(name)") { _ in
      Scenario(
        name: "", version: .v4, nat: nat, router: lines, destination: destination, facts: facts,
        said: Diagnosis(
          errors: ["policy-drop"], at: at, mentions: [at.chain] + mentions, remedy: .cures))
    }
  }

  private static let policies: [Scenario] =
    // Nothing accepts the reply either: a remedy that works must.
    policy(
      "iptables-forward", nat: .iptables, .init("forward", "filter", "FORWARD"),
      "$IPT -P FORWARD DROP")
    + policy(
      "iptables-forward-replies-accepted", nat: .iptables,
      .init("forward", "filter", "FORWARD"),
      """
      $IPT -P FORWARD DROP
      $IPT -A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
      """)
    + policy(
      "iptables-input", nat: .iptables, .init("input", "filter", "INPUT"),
      facts: .lost("request input"), destination: "$TUN", "$IPT -P INPUT DROP")
    + policy(
      "nft-forward", .init("forward", "fw", "through"), mentions: ["10"],
      "nft 'table inet fw { chain through { type filter hook forward priority 10; policy drop; }; }'"
    )
    + policy(
      "nft-input", .init("input", "fw", "in"), facts: .lost("request input"), destination: "$UP",
      """
      nft 'table inet fw { chain in {
        type filter hook input priority filter; policy drop;
        ct state established,related accept;
        icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept;
      }; }'
      """)
    + policy(
      "nft-prerouting", .init("prerouting", "fw", "pre"), facts: .lost("request prerouting"),
      """
      nft 'table $FAM fw { chain pre {
        type filter hook prerouting priority mangle; policy drop; iifname "up0" accept;
      }; }'
      """)
    // What leaves a base chain meets its policy: a rule at the end of the chain would not be met.
    + policy(
      "nft-goto", .init("forward", "fw", "through"),
      """
      nft 'table inet fw {
        chain nothing { counter; };
        chain through { type filter hook forward priority 10; policy drop; goto nothing; accept; };
      }'
      """)
    + policy(
      "iptables-return", nat: .iptables, .init("forward", "filter", "FORWARD"),
      """
      $IPT -P FORWARD DROP
      $IPT -A FORWARD -i lo -j ACCEPT
      $IPT -A FORWARD -j RETURN
      """)
    + policy(
      "iptables-goto", nat: .iptables, .init("forward", "filter", "FORWARD"),
      """
      $IPT -P FORWARD DROP
      $IPT -N nothing
      $IPT -A FORWARD -i lo -j ACCEPT
      $IPT -A FORWARD -g nothing
      """)
    // What Docker leaves behind: its policy is what everybody meets.
    + policy(
      "docker", nat: .iptables, .init("forward", "filter", "FORWARD"), mentions: ["Docker"],
      """
      $IPT -N DOCKER
      $IPT -N DOCKER-USER
      $IPT -N DOCKER-ISOLATION-STAGE-1
      $IPT -P FORWARD DROP
      $IPT -A FORWARD -j DOCKER-USER
      $IPT -A FORWARD -j DOCKER-ISOLATION-STAGE-1
      $IPT -A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
      $IPT -A FORWARD -o docker0 -j DOCKER
      $IPT -A FORWARD -i docker0 ! -o docker0 -j ACCEPT
      $IPT -A FORWARD -i docker0 -o docker0 -j ACCEPT
      $IPT -A DOCKER-USER -j RETURN
      $IPT -A DOCKER-ISOLATION-STAGE-1 -j RETURN
      """)
    + [
      Scenario(
        name: "policy-ufw-v4", version: .v4, nat: .iptables,
        router: """
          for chain in ufw-before-forward ufw-after-forward ufw-reject-forward ufw-user-forward; do
            iptables-nft -N $chain
          done
          iptables-nft -P FORWARD DROP
          iptables-nft -A FORWARD -j ufw-before-forward
          iptables-nft -A FORWARD -j ufw-after-forward
          iptables-nft -A FORWARD -j ufw-reject-forward
          iptables-nft -A ufw-before-forward -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
          iptables-nft -A ufw-before-forward -j ufw-user-forward
          """,
        facts: .lost("request forward"),
        said: Diagnosis(
          errors: ["policy-drop"], at: .init("forward", "filter", "FORWARD"), mentions: ["ufw"],
          remedy: .cures))
    ]

  // MARK: reject

  private static func rejection(
    _ name: String, nat: NAT, _ at: Diagnosis.Place, facts: Facts = .rejected("request forward"),
    destination: String = "$DST", _ lines: String
  ) -> [Scenario] {
    both("reject-\(name)") { _ in
      Scenario(
        name: "", version: .v4, nat: nat, router: lines, destination: destination, facts: facts,
        said: Diagnosis(errors: ["rule-reject"], at: at, remedy: .cures))
    }
  }

  private static let rejections: [Scenario] =
    rejection(
      "iptables-forward", nat: .iptables, .init("forward", "filter", "FORWARD", "-j REJECT"),
      "$IPT -A FORWARD -i tun7 -j REJECT")
    + rejection(
      "iptables-input", nat: .iptables, .init("input", "filter", "INPUT", "-j REJECT"),
      facts: .rejected("request input"), destination: "$TUN", "$IPT -A INPUT -i tun7 -j REJECT")
    + rejection(
      "nft-forward", nat: .nft, .init("forward", "fw", "through", "reject"),
      """
      nft 'table inet fw { chain through {
        type filter hook forward priority filter;
        iifname "tun7" reject with icmpx type admin-prohibited;
      }; }'
      """)
    + rejection(
      "nft-prerouting", nat: .nft, .init("prerouting", "fw", "pre", "reject"),
      facts: .rejected("request prerouting"),
      """
      nft 'table $FAM fw { chain pre {
        type filter hook prerouting priority filter; $FAM daddr $DST reject;
      }; }'
      """)
    // What firewalld does with a zone that does not forward.
    + [
      Scenario(
        name: "reject-firewalld-v4", version: .v4,
        router: """
          nft 'table inet firewalld {
            chain filter_FORWARD {
              type filter hook forward priority filter + 10; policy accept;
              ct state { established, related } accept;
              ct status dnat accept;
              jump filter_FORWARD_ZONES;
              ct state invalid drop;
              reject with icmpx type admin-prohibited;
            };
            chain filter_FORWARD_ZONES { iifname "other0" goto filter_FWD_public; };
            chain filter_FWD_public { reject with icmpx type admin-prohibited; };
          }'
          """,
        facts: .rejected("request forward"),
        said: Diagnosis(
          errors: ["rule-reject"],
          at: .init("forward", "firewalld", "filter_FORWARD", "reject with icmpx"),
          mentions: ["firewalld"], remedy: .cures))
    ]

  // MARK: queue

  private static let queues: [Scenario] =
    both("queue-without-listener") { _ in
      Scenario(
        name: "", version: .v4, nat: .iptables,
        router: "$IPT -A FORWARD -i tun7 -j NFQUEUE --queue-num 7",
        facts: .lost("request forward"),
        said: Diagnosis(
          errors: ["queue-without-listener"], at: .init("forward", "filter", "FORWARD", "NFQUEUE"),
          mentions: ["7"]))
    }
}
