extension Scenario {
  /// Two faults at once: the first that kills is reported, and after its remedy the second.
  static let combinations: [Scenario] = [
    two(
      "forwarding-off-then-policy", nat: .iptables,
      """
      sysctl -qw $FORWARDING=0
      $IPT -P FORWARD DROP
      """,
      .lost("request prerouting"), "forwarding-disabled", then: "policy-drop"),
    two(
      "rule-then-masquerade", nat: .none,
      """
      nft 'table inet fw { chain through {
        type filter hook forward priority filter; iifname "tun7" drop;
      }; }'
      """,
      .lost("request forward"), "rule-drop", then: "missing-masquerade"),
    two(
      "blackhole-then-rule", nat: .iptables,
      """
      $IP route add blackhole $DST/$LEN
      $IPT -A FORWARD -i tun7 -j DROP
      """,
      .lost("request prerouting"), "blackhole-route", then: "rule-drop"),
    two(
      "raw-then-forwarding-off", nat: .iptables,
      """
      sysctl -qw $FORWARDING=0
      $IPT -t raw -A PREROUTING -i tun7 -j DROP
      """,
      .lost("request prerouting"), "rule-drop", then: "forwarding-disabled"),
    two(
      "rule-then-reply", nat: .nft,
      """
      nft 'table inet fw {
        chain pre { type filter hook prerouting priority raw; iifname "tun7" drop; };
        chain post { type filter hook postrouting priority 300; oifname "tun7" drop; };
      }'
      """,
      .lost("request prerouting"), "rule-drop", then: "reply-filtered"),
    two(
      "legacy-then-nft", nat: .nft,
      """
      $LEG -t raw -A PREROUTING -i tun7 -j DROP
      nft 'table inet fw { chain through {
        type filter hook forward priority filter; iifname "tun7" drop;
      }; }'
      """,
      .lost("request prerouting"), "legacy-drop", then: "rule-drop",
      mayNote: ["nat-once-per-flow", "mixed-backends"]),
    two(
      "reject-then-reply-policy", nat: .iptables,
      """
      $IPT -P FORWARD DROP
      $IPT -A FORWARD -i tun7 -j REJECT
      $IPT -A FORWARD -s $SRC -j ACCEPT
      """,
      .rejected("request forward"), "rule-reject", then: "reply-filtered"),
  ].flatMap(\.self)

  private static func two(
    _ name: String, nat: NAT, _ lines: String, _ facts: Facts, _ first: String,
    then second: String, mayNote: Set<String> = ["nat-once-per-flow"]
  ) -> [Scenario] {
    both("two-\(name)") { _ in
      Scenario(
        name: "", version: .v4, nat: nat, router: lines, facts: facts,
        said: Diagnosis(errors: [first], mayNote: mayNote, remedy: .uncovers([second])))
    }
  }
}
