import Testing

extension LiveTests {
  /// Traffic of subnets that are watched, which is translated into and out of them.
  @Suite(.timeLimit(.minutes(2)))
  struct TranslatedTrafficTests {
    /// Sends a probe through a router that watches these subnets; what `show` says of it then.
    private func shown(
      _ net: RouterNet, _ subnets: [String], to destination: String? = nil,
      between script: String = ""
    ) async throws -> String {
      let there = ["--netns", net.router]
      let began = try await Programs.nftrace(["setup", "-q"] + there + subnets)
      #expect(began.code == 0, "\(began)")
      if !script.isEmpty {
        try await net.inRouter(script)
        // The recorder has heard of it, and has other rules.
        #expect(
          try await Programs.eventually(within: .seconds(5)) {
            try await net.inRouter("nft list ruleset").contains("ct status snat,dnat")
          })
      }
      let ping = try await net.ping(["--no-rehearsal"], to: destination)
      #expect(ping.code == 0, "\(ping)")
      let told = try await Programs.nftrace(["show", "--last", "99"] + there)
      _ = try await Programs.nftrace(["teardown"] + there)
      return told.output
    }

    @Test(arguments: [RouterPlan(), .ipv6])
    func masqueraded(_ plan: RouterPlan) async throws {
      let family = plan.version == 4 ? "ip" : "ip6"
      let rule =
        "nft 'table \(family) n { chain q { type nat hook postrouting priority srcnat; masquerade; }; }'"
      let net = try await RouterNet(plan.with(rule))
      let told = try await shown(net, [plan.subnet])
      #expect(
        told.contains(": answered, forwarded")
          && told.contains("source translated to \(plan.router)")
          && !told.contains("lost     "), "\(told)")
    }

    /// An address that nobody has stands for the server; the answers come from the server's own.
    @Test func aPublishedAddress() async throws {
      let net = try await RouterNet(
        RouterPlan().with(
          """
          nft 'table ip n { chain p { type nat hook prerouting priority dstnat; ip daddr 198.51.100.9 dnat to 119.29.29.29; };
            chain q { type nat hook postrouting priority srcnat; masquerade; }; }'
          """))
      let told = try await shown(net, ["198.51.100.9/32"], to: "198.51.100.9")
      #expect(told.contains(": answered, forwarded") && !told.contains("lost     "), "\(told)")
    }

    /// Rules that translate may come later; without any, conntrack is not asked for, which it might take to be there.
    @Test func rulesThatComeLater() async throws {
      let net = try await RouterNet()
      let there = ["--netns", net.router]
      _ = try await Programs.nftrace(["setup", "-q", "192.168.69.0/24"] + there)
      #expect(try await !net.inRouter("nft list ruleset").contains("ct status"))
      _ = try await Programs.nftrace(["teardown"] + there)
      let told = try await shown(
        net, ["192.168.69.0/24"],
        between:
          "nft 'table ip n { chain q { type nat hook postrouting priority srcnat; masquerade; }; }'"
      )
      #expect(told.contains(": answered, forwarded"), "\(told)")
    }
  }
}
