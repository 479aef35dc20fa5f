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
