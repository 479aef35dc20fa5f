extension Scenario {
  /// Delivered to this host, and ignored.
  static let delivery: [Scenario] =
    both("echo-ignored") { _ in
      Scenario(
        name: "", version: .v4, router: "sysctl -qw $ECHO=1", destination: "$TUN",
        facts: .lost("request input"),
        said: Diagnosis(errors: ["echo-ignored"], mentions: ["$ECHO"], remedy: .cures))
    }
    + both("echo-ignored-uplink-address") { _ in
      Scenario(
        name: "", version: .v4, router: "sysctl -qw $ECHO=1", destination: "$UP",
        facts: .lost("request input"),
        said: Diagnosis(errors: ["echo-ignored"], mentions: ["$ECHO"], remedy: .cures))
    }
    + [
      Scenario(
        name: "echo-ignored-subnet-broadcast-v4", version: .v4, destination: "10.77.1.255",
        facts: .lost("request input"),
        said: Diagnosis(
          errors: ["echo-ignored"], mentions: ["net.ipv4.icmp_echo_ignore_broadcasts"])),
      Scenario(
        name: "echo-ignored-broadcast-v4", version: .v4, destination: "255.255.255.255",
        facts: .lost("request input"),
        said: Diagnosis(
          errors: ["echo-ignored"], mentions: ["net.ipv4.icmp_echo_ignore_broadcasts"])),
      Scenario(
        name: "echo-ignored-all-hosts-v4", version: .v4, destination: "224.0.0.1",
        facts: .lost("request input"),
        said: Diagnosis(
          errors: ["echo-ignored"], mentions: ["net.ipv4.icmp_echo_ignore_broadcasts"])),
      Scenario(
        name: "echo-ignored-all-nodes-v6", version: .v6,
        router: "sysctl -qw net.ipv6.icmp.echo_ignore_multicast=1", destination: "ff02::1",
        facts: .lost("request input"),
        said: Diagnosis(
          errors: ["echo-ignored"], mentions: ["net.ipv6.icmp.echo_ignore_multicast"])),
    ]
}
