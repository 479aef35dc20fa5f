extension Scenario {
  /// The request dies in the tables of iptables-legacy, which the nf_tables trace does not see.
  static let legacy: [Scenario] = legacyDrops + legacyOthers

  private static func drop(
    _ name: String, _ at: Diagnosis.Place, _ facts: Facts, destination: String = "$DST",
    _ lines: String
  ) -> [Scenario] {
    both("legacy-\(name)") { _ in
      Scenario(
        name: "", version: .v4, nat: .legacy, router: lines, destination: destination,
        facts: facts, said: Diagnosis(errors: ["legacy-drop"], at: at, remedy: .cures))
    }
  }

  private static let legacyDrops: [Scenario] =
    drop(
      "policy-forward", .init("forward", "filter", "FORWARD"), .lost("request forward"),
      "$LEG -P FORWARD DROP")
    + drop(
      "policy-return", .init("forward", "filter", "FORWARD"), .lost("request forward"),
      """
      $LEG -P FORWARD DROP
      $LEG -A FORWARD -i lo -j ACCEPT
      $LEG -A FORWARD -j RETURN
      """)
    + drop(
      "policy-input", .init("input", "filter", "INPUT"), .lost("request input"),
      destination: "$TUN",
      """
      $LEG -P INPUT DROP
      $LEG -A INPUT -i up0 -j ACCEPT
      """)
    + drop(
      "subchain", .init("forward", "filter", "GUESTS", "-d $DST/$LEN -j DROP"),
      .lost("request forward"),
      """
      $LEG -N GUESTS
      $LEG -A FORWARD -i tun7 -j GUESTS
      $LEG -A GUESTS -d $DST2 -j ACCEPT
      $LEG -A GUESTS -d $DST -j DROP
      """)
    + drop(
      "raw", .init("prerouting", "raw", "PREROUTING", "-i tun7 -j DROP"),
      .lost("request prerouting"), "$LEG -t raw -A PREROUTING -i tun7 -j DROP")
    + drop(
      "mangle-postrouting", .init("postrouting", "mangle", "POSTROUTING", "-o up0 -j DROP"),
      .lost("request postrouting"), "$LEG -t mangle -A POSTROUTING -d $DST -o up0 -j DROP")
    + drop(
      "security", .init("forward", "security", "FORWARD", "-o up0 -j DROP"),
      .lost("request forward"), "$LEG -t security -A FORWARD -o up0 -j DROP")

  private static let legacyOthers: [Scenario] =
    // A refusal is a refusal, whichever table it stands in: the user sees an ICMP error.
    both("legacy-reject") { _ in
      Scenario(
        name: "", version: .v4, nat: .legacy, router: "$LEG -A FORWARD -i tun7 -j REJECT",
        facts: .rejected("request forward"),
        said: Diagnosis(
          errors: ["rule-reject"], at: .init("forward", "filter", "FORWARD", "-j REJECT"),
          remedy: .cures))
    }
    + both("legacy-beside-nft") { _ in
      Scenario(
        name: "", version: .v4, nat: .nft, router: "$LEG -A FORWARD -i tun7 -j DROP",
        facts: .lost("request forward"),
        said: Diagnosis(
          errors: ["legacy-drop"], notes: ["mixed-backends"],
          at: .init("forward", "filter", "FORWARD", "-i tun7 -j DROP"), remedy: .cures))
    }
    + [
      // Somebody reads group 0 already, so the rule has no name, but the table does.
      Scenario(
        name: "legacy-group-0-taken-v4", version: .v4, nat: .legacy,
        router: """
          timeout 3 tcpdump -i nflog:0 -w /dev/null >/dev/null 2>&1 &
          for i in $(seq 100); do grep -q '^ *0 ' /proc/net/netfilter/nfnetlink_log && break
            sleep 0.01
          done
          $LEG -A FORWARD -i tun7 -j DROP
          """,
        facts: .lost("request forward"),
        said: Diagnosis(
          errors: ["legacy-drop"], at: .init("forward", "filter", "FORWARD"),
          mentions: ["group 0"])),
      Scenario(
        name: "queue-without-listener-legacy-v4", version: .v4, nat: .legacy,
        router: "$LEG -A FORWARD -i tun7 -j NFQUEUE --queue-num 7",
        facts: .lost("request forward"),
        said: Diagnosis(
          errors: ["queue-without-listener"], at: .init("forward", "filter", "FORWARD", "NFQUEUE"))),
    ]
}
