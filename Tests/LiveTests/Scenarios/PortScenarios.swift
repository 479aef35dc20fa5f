extension Scenario {
  /// TCP and UDP, with nobody at the port or a rule that says so.
  static let ports: [Scenario] =
    refused("udp-closed-port-here", ["-p", "udp"], to: "$TUN", "request input", "this host")
    + refused(
      "tcp-closed-port-here", ["-p", "tcp", "--dport", "9"], to: "$TUN", "reply egress", "this host"
    )
    + refused(
      "udp-closed-port-beyond", ["-p", "udp"], to: "$DST", "request egress", "not this host")
    + refused(
      "tcp-reset-by-server", ["-p", "tcp", "--dport", "9"], to: "$DST", "reply egress",
      "not this host")
    + both("tcp-rejected-by-server") { _ in
      Scenario(
        name: "", version: .v4, server: "$IPT -A INPUT -p tcp --dport 80 -j REJECT",
        arguments: ["-p", "tcp", "--dport", "80"], facts: .rejected("request egress"),
        said: Diagnosis(
          errors: ["no-listener"], mentions: ["not this host", "a firewall there rejects it"],
          remedy: .none, isInferred: true))
    }
    + [
      Scenario(
        name: "tcp-reset-by-rule-v4", version: .v4, nat: .iptables,
        router: "$IPT -A FORWARD -p tcp --dport 9 -j REJECT --reject-with tcp-reset",
        arguments: ["-p", "tcp", "--dport", "9"], facts: .rejected("reply egress"),
        said: Diagnosis(
          errors: ["rule-reject"],
          at: .init("forward", "filter", "FORWARD", "-p tcp -m tcp --dport 9 -j REJECT"),
          // Behind the rule, nobody listens.
          remedy: .command)),
      Scenario(
        name: "udp-dnat-127-v4", version: .v4,
        router: """
          nft add table ip dn
          nft add chain ip dn pre '{ type nat hook prerouting priority dstnat; }'
          nft add rule ip dn pre udp dport 5353 dnat to 127.0.0.1
          """,
        arguments: ["-p", "udp", "--dport", "5353"], facts: .lost("request prerouting"),
        said: Diagnosis(errors: ["martian-destination"], remedy: .command)),
    ] + services

  // MARK: Connections to a service

  /// A TCP service, filtered here: every probe comes from another port, so that a remedy with the
  /// port of the first would not let the second through.
  private static func service(
    _ name: String, nat: NAT, _ facts: Facts, errors: [String], mentions: [String],
    knowsWayBack: Bool = false, _ lines: String
  ) -> Scenario {
    Scenario(
      name: "tcp-\(name)-v4", version: .v4, nat: nat, router: lines,
      server: """
        \(knowsWayBack ? "ip route add $NET via $UP" : "")
        perl -MSocket=:all -e '
          socket(my $socket, AF_INET, SOCK_STREAM, 0);
          bind($socket, pack_sockaddr_in(80, INADDR_ANY)) && listen($socket, 8) or die $!;
          fork && exit; open STDOUT, ">/dev/null"; open STDERR, ">/dev/null"; sleep 20'
        """,
      arguments: ["-p", "tcp", "--dport", "80"], facts: facts,
      said: Diagnosis(errors: errors, mentions: mentions, remedy: .cures))
  }

  private static let services: [Scenario] = [
    service(
      "policy-iptables", nat: .iptables, .lost("request forward"), errors: ["policy-drop"],
      mentions: [
        "-A FORWARD -s $DST -d $SRC -p tcp --sport 80 -m conntrack --ctstate ESTABLISHED,RELATED "
          + "-j ACCEPT"
      ], "$IPT -P FORWARD DROP"),
    service(
      "policy-nft", nat: .nft, .lost("request forward"), errors: ["policy-drop"],
      mentions: ["daddr $SRC tcp sport 80 ct state established,related accept"],
      "nft 'table inet fw { chain through { type filter hook forward priority 0; policy drop; }; }'"
    ),
    // Where conntrack does not see the connection, no rule can ask it.
    service(
      "policy-notrack", nat: .none, .lost("request forward"), errors: ["policy-drop"],
      mentions: ["daddr $SRC tcp sport 80 accept"], knowsWayBack: true,
      """
      nft 'table ip fw {
        chain pre { type filter hook prerouting priority raw; notrack; };
        chain through { type filter hook forward priority 0; policy drop; };
      }'
      """),
    service(
      "reply-rule", nat: .iptables, .lost("reply forward"), errors: ["reply-filtered"],
      mentions: ["-s $DST -d $SRC -p tcp --sport 80 -j ACCEPT"],
      "$IPT -A FORWARD -i up0 -p tcp -j DROP"),
  ]

  private static func refused(
    _ name: String, _ arguments: [String], to destination: String, _ lastSeen: String,
    _ who: String
  ) -> [Scenario] {
    both(name) { _ in
      Scenario(
        name: "", version: .v4, arguments: arguments, destination: destination,
        facts: .rejected(lastSeen),
        said: Diagnosis(errors: ["no-listener"], mentions: [who], remedy: .none))
    }
  }
}
