extension Scenario {
  /// A packet that IP itself refuses, before PREROUTING: seen at the interface, and never again.
  static let arrival: [Scenario] =
    [
      // "@nh" names no field, so nft(8) does not correct the checksum behind it.
      damaged("bad-header-checksum", .v4, "@nh,64,8 set 9", ["checksum", "chain in"]),
      damaged("truncated-packet", .v4, "ip length set 4000", ["shorter"]),
      damaged("truncated-packet", .v6, "ip6 length set 4000", ["shorter"]),
      damaged("wrong-version", .v6, "@nh,0,4 set 5", ["damaged"]),
    ]
    + [
      // The same on the far side: the reply arrives, and goes no further.
      Scenario(
        name: "bad-header-checksum-reply-v4", version: .v4,
        server: """
          nft 'table netdev damage { chain out {
            type filter hook egress device up0 priority 0; ip protocol icmp @nh,64,8 set 9;
          }; }'
          """, facts: .lost("reply ingress"),
        said: Diagnosis(
          errors: ["bad-packet"], mentions: ["checksum", "answer", "up0"], remedy: .none))
    ]

  private static func damaged(
    _ name: String, _ version: Version, _ statement: String, _ words: [String]
  ) -> Scenario {
    Scenario(
      name: "\(name)-\(version)", version: version,
      router: """
        nft 'table netdev damage { chain in {
          type filter hook ingress device tun7 priority 0; \(statement);
        }; }'
        """, facts: .lost("request ingress"),
      said: Diagnosis(errors: ["bad-packet"], mentions: words + ["tun7"], remedy: .none))
  }
}
