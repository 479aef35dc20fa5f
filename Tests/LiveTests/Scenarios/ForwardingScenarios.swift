extension Scenario {
  /// Routing was fine, and the packet itself is the matter.
  static let forwarding: [Scenario] =
    both("ttl-1") { _ in
      Scenario(
        name: "", version: .v4, arguments: ["-t", "1"], facts: .rejected("request prerouting"),
        said: Diagnosis(errors: ["ttl-expired"], remedy: .none))
    }
    // The server forwards, and says it: not to be mistaken for this host.
    + both("ttl-2-expires-beyond") { _ in
      Scenario(
        name: "", version: .v4,
        server: """
          sysctl -qw $FORWARDING=1
          $IP route add $FAR/$LEN dev up0
          """,
        arguments: ["-t", "2"], destination: "$FAR", facts: .rejected("request egress"),
        said: Diagnosis(errors: ["ttl-expired"], mentions: ["$GW"], remedy: .none))
    }
    + both("too-big") { _ in
      Scenario(
        name: "", version: .v4, router: "ip link set up0 mtu 1280",
        arguments: ["--df", "--size", "1400"], facts: .rejected("request prerouting"),
        said: Diagnosis(errors: ["fragmentation-needed"], mentions: ["1280", "up0"]))
    }
    // The route takes less than its interface, which IPv6 looks at last.
    + both("too-big-for-route") { version in
      Scenario(
        name: "", version: .v4,
        router: "$IP route add $DST/$LEN via $GW mtu \(version == .v4 ? "lock " : "")1280",
        arguments: ["--df", "--size", "1400"],
        facts: .rejected(version == .v4 ? "request prerouting" : "request postrouting"),
        said: Diagnosis(
          errors: ["fragmentation-needed"], mentions: ["the route takes 1280"], remedy: .none))
    }
    + both("too-big-beyond") { _ in
      Scenario(
        name: "", version: .v4,
        server: """
          sysctl -qw $FORWARDING=1
          $IP route add $FAR/$LEN dev up0 mtu lock 1280
          """,
        arguments: ["--df", "--size", "1400"], destination: "$FAR",
        facts: .rejected("request egress"),
        said: Diagnosis(
          errors: ["fragmentation-needed"], mentions: ["1280", "$GW"], remedy: .none))
    }
    + [
      // Evidence 13b: the request leaves in two fragments, and the reply is longer than the uplink
      // takes in: its veth drops it, which only the interface's counter tells.
      Scenario(
        name: "fragmented-reply-too-long-v4", version: .v4, router: "ip link set up0 mtu 1000",
        arguments: ["--size", "1200"], facts: .lost("request egress"),
        said: Diagnosis(
          errors: ["no-reply"], notes: ["fragmented"], remedy: .none, isInferred: true))
    ]
}
