import Testing

extension LiveTests {
  /// Remedies that are not about a filter: tried in a copy, and the narrowest that works is told.
  @Suite(.timeLimit(.minutes(4)))
  struct ProvenRemedyTests {
    /// The remedy that is told, which is run then: the same probe gets through.
    private func expectCured(
      _ net: RouterNet, _ words: [String] = [], to destination: String? = nil, by remedy: String
    ) async throws {
      let told = try await net.ping(["--json"] + words, to: destination)
      #expect(
        told.output.contains("\"remedy\": \"\(remedy)\"")
          && told.output.contains("\"rehearsed\": true"), "\(told)")
      try await net.inRouter(remedy.replacing("\\\"", with: "\""))
      let after = try await net.ping(["--no-rehearsal"] + words, to: destination)
      #expect(after.code == 0, "\(after)")
    }

    /// Who is asked knows no way back to the client, in a copy as well; of a rule that is not met, another place is told.
    @Test(arguments: [RouterPlan(), .ipv6])
    func whatHidesTheClient(_ plan: RouterPlan) async throws {
      let family = plan.version == 4 ? "ip" : "ip6"
      let net = try await RouterNet(
        plan.with(
          "nft 'table \(family) n { chain q { type nat hook postrouting priority srcnat; }; }'"))
      let rule = "\(family) saddr $SUBNET oifname '\\\"\(plan.uplink)\\\"' masquerade"
        .replacing("$SUBNET", with: plan.subnet)
      try await expectCured(net, by: "nft add rule \(family) n q \(rule)")
    }

    /// Rules that name a set of ipset have their texts, and so have those beside them.
    @Test func rulesOfAddressSets() async throws {
      let net = try await RouterNet()
      try await net.inRouter(
        """
        ipset create others hash:ip; ipset create ours hash:ip; ipset add ours 119.29.29.29
        iptables -A FORWARD -m set --match-set others dst -j ACCEPT
        iptables -A FORWARD -m set --match-set ours dst -j DROP
        """)
      let told = try await net.ping(["--no-rehearsal"])
      #expect(
        told.output.contains("rule 2 of chain FORWARD")
          && told.output.contains("-m set --match-set ours dst -j DROP"), "\(told)")
    }

    /// What another user sends is sent as that user in the copy as well.
    @Test func whatAnotherUserSends() async throws {
      let net = try await RouterNet()
      try await net.inRouter(
        """
        nft add table inet t; nft "add chain inet t o { type filter hook output priority 0; }"
        nft add rule inet t o meta skuid nobody drop
        """)
      let told = try await net.run(
        "ip netns exec $R \"$NFTRACE\" ping --json --local --user nobody $SERVER || true")
      #expect(
        told.contains("\"id\": \"rule-drop\"") && told.contains("\"rehearsed\": true"), "\(told)")
    }

    /// What stops the answer comes to light when there is one.
    @Test func whatComesBehindTheTranslation() async throws {
      let net = try await RouterNet(
        RouterPlan().with(
          """
          iptables -t nat -A POSTROUTING -s 10.99.0.0/16 -j MASQUERADE
          iptables -P FORWARD DROP; iptables -A FORWARD -i $TUN -j ACCEPT
          """))
      let outcome = try await net.ping(["--json"])
      #expect(
        outcome.output.contains("-j MASQUERADE\"") && outcome.output.contains("\"rehearsed\": true")
          && outcome.output.contains("\"id\": \"reply-filtered\""), "\(outcome)")
    }

    /// A host of a subnet answers another one of it by itself: the narrowest rule that hides who asks.
    @Test func aServerInTheClientsSubnet() async throws {
      let net = try await RouterNet()
      try await net.inRouter(
        """
        ip link add lan0 type veth peer name g0 netns $S; ip netns exec $S ip link set g0 up
        ip link set lan0 up; ip addr add 10.11.0.1/24 dev lan0
        for host in 8 9; do ip netns exec $S ip addr add 10.11.0.$host/24 dev g0; done
        nft 'table ip n {
          chain p { type nat hook prerouting priority dstnat; ip daddr 198.51.100.9 dnat to 10.11.0.9; }
          chain q { type nat hook postrouting priority srcnat; }
        }'
        """)
      let words = ["--netns", net.router, "--in", "lan0", "-s", "10.11.0.8", "198.51.100.9"]
      let told = try await Programs.nftrace(["ping", "--json"] + words)
      let remedy =
        "nft add rule ip n q ip saddr 10.11.0.0/24 ip daddr 10.11.0.9 oifname '\"lan0\"' masquerade"
      #expect(
        told.output.contains(remedy.replacing("\"", with: "\\\""))
          && told.output.contains("\"rehearsed\": true"), "\(told)")
      try await net.inRouter(remedy)
      let after = try await Programs.nftrace(["ping", "--no-rehearsal"] + words)
      #expect(after.code == 0, "\(after)")
    }

    /// A protocol that nobody is known to answer: a rule for one way alone where answers are let through, and for both else.
    @Test(arguments: [false, true])
    func aProtocolThatNobodyAnswers(_ isStateful: Bool) async throws {
      let net = try await RouterNet(
        RouterPlan().with(
          """
          iptables -t nat -A POSTROUTING -s $SUBNET -j MASQUERADE
          nft 'table inet fw { chain known { \(isStateful ? "ct state established accept;" : "") }
            chain f { type filter hook forward priority 0; policy drop; jump known; }; }'
          """))
      let one =
        "nft add rule inet fw f ip saddr 192.168.69.1 ip daddr 119.29.29.29 meta l4proto 47 accept"
      let both =
        "\(one) && nft add rule inet fw f ip saddr 119.29.29.29 ip daddr 192.168.69.1 meta l4proto 47 ct state established,related accept"
      try await expectCured(net, ["-p", "gre"], by: isStateful ? one : both)
    }

    /// A source that nobody on the link has: the interface's own in its place.
    @Test func aSourceThatIsNobodys() async throws {
      let net = try await RouterNet(
        RouterPlan().with(
          "iptables -t nat -A POSTROUTING -s $SUBNET -j SNAT --to-source 172.16.16.77"))
      try await expectCured(
        net, by: "iptables -t nat -R POSTROUTING 1 -s 192.168.69.0/24 -j MASQUERADE")
    }

    /// What was refused, where the refusal is what got lost: in a copy it is refused again, by this host itself or by whoever did.
    @Test(arguments: [
      ("iptables -A OUTPUT -p icmp -j DROP", ["-p", "udp", "--dport", "999"], "172.16.16.15"),
      ("iptables -A OUTPUT -p icmp -j DROP", ["-t", "1"], nil),
      (
        "iptables -A FORWARD -p icmp -j DROP", ["-p", "udp", "--dport", "999"], "172.16.16.1"
      ),
    ])
    func aRefusalThatIsLost(_ commands: String, _ words: [String], _ to: String?) async throws {
      let net = try await RouterNet(
        RouterPlan().with("iptables -t nat -A POSTROUTING -s $SUBNET -j MASQUERADE"))
      try await net.inRouter(commands)
      let told = try await net.ping(words, to: to)
      #expect(
        told.output.contains("tried in a copy of this namespace: with it whoever asked is told of")
          && told.code == 1, "\(told)")
    }

    /// What is for this host gets an answer of its own, also where nobody listens, and where only root may.
    @Test(arguments: [false, true])
    func whatIsForThisHost(_ listens: Bool) async throws {
      let net = try await RouterNet()
      try await net.inRouter(
        """
        nft 'table ip z { chain i { type filter hook input priority 0; policy drop; }; }'
        \(listens ? "(timeout 20 perl -MIO::Socket -e '$s = IO::Socket::INET->new(LocalPort => 22, Listen => 1); sleep 20' >/dev/null 2>&1 &) ; sleep 0.5" : "")
        """)
      let told = try await net.ping(["-p", "tcp", "--dport", "22"], to: "172.16.16.15")
      #expect(
        told.output.contains(
          "tried in a copy of this namespace: with it "
            + (listens ? "the probe gets through" : "whoever asked is told")), "\(told)")
    }

    /// A trial is told with what is not the same in the copy.
    @Test func whatDiffersIsTold() async throws {
      let net = try await RouterNet(
        RouterPlan().with(
          """
          iptables -t nat -A POSTROUTING -s $SUBNET -j MASQUERADE; iptables -P FORWARD DROP
          iptables -t mangle -N v; iptables -t mangle -N u
          iptables -t mangle -A v -j RATEEST --rateest-name a --rateest-interval 250ms --rateest-ewmalog 500ms
          iptables -t mangle -A u -m rateest --rateest a --rateest-gt --rateest-bps 100 -j ACCEPT
          iptables -t mangle -D v 1
          """))
      let told = try await net.ping()
      let difference = "of chain u is missing (No such file or"
      #expect(
        told.output.contains("with it the probe gets through")
          && told.output.contains("differs") && told.output.contains(difference), "\(told)")
      let json = try await net.ping(["--json"])
      #expect(
        json.output.contains("\"differences\": [") && json.output.contains(difference), "\(json)")
    }

    /// Routes by objects of next hops, one of them a group, are the same in a copy.
    @Test func nextHopsOfTheirOwn() async throws {
      let net = try await RouterNet(
        RouterPlan().with(
          """
          iptables -t nat -A POSTROUTING -s $SUBNET -j MASQUERADE
          ip nexthop add id 9 via 172.16.16.1 dev $UPLINK; ip nexthop add id 8 group 9
          ip nexthop add id 3 blackhole; ip route add 119.29.29.0/24 nhid 8
          """))
      try await net.inRouter("ip route add 119.29.29.29 nhid 3")
      try await expectCured(net, by: "ip route del 119.29.29.29 nhid 3 table main")
    }

    /// An address of the copy's own is nobody's out there.
    @Test func theTableOfOwnAddressesIsNotAsked() async throws {
      let net = try await RouterNet(
        RouterPlan().with(
          """
          ip route add default via 172.16.16.1 table 100; ip rule add pref 50 iif $TUN lookup 100
          ip rule add pref 100 lookup local; ip rule del pref 0
          """))
      try await expectCured(net, to: "172.16.16.15", by: "ip rule add pref 0 lookup local")
    }

    /// Who was asked in vain in a copy is asked again behind the remedy, and who answers in another's place does so at once.
    @Test func whoAnswersInAnothersPlace() async throws {
      let plan = RouterPlan()
      let net = try await RouterNet(plan)
      try await net.inRouter("ip route add 172.16.16.64/28 dev \(plan.tun)")
      try await expectCured(
        net, ["-W", "3", "-s", "172.16.16.66"], to: "172.16.16.1",
        by: "sysctl -w net.ipv4.conf.\(plan.uplink).proxy_arp=1")
    }

    /// A captured packet is sent again in the copy as it was.
    @Test func aCapturedPacket() async throws {
      let net = try await RouterNet(
        RouterPlan().with("iptables -t nat -A POSTROUTING -s $SUBNET -j MASQUERADE"))
      try await net.inRouter(
        "nft 'table inet fw { chain f { type filter hook forward priority 0; udp dport 999 udp length 23 drop; }; }'"
      )
      let capture = "/tmp/\(net.router).pcap"
      let script = """
        import struct
        head = struct.pack('>BBHHHBBH4s4s', 0x45, 0, 43, 1, 0, 64, 17, 0, bytes([192, 168, 69, 1]), bytes([119, 29, 29, 29]))
        total = sum(struct.unpack('>10H', head)); total = (total & 0xffff) + (total >> 16)
        packet = head[:10] + struct.pack('>H', ~total & 0xffff) + head[12:]
        packet += struct.pack('>HHHH', 4444, 999, 23, 0) + b'like-this-one.!'
        capture = struct.pack('<IHHiIII', 0xa1b2c3d4, 2, 4, 0, 0, 65535, 101)
        capture += struct.pack('<IIII', 1, 0, len(packet), len(packet)) + packet
        open('\(capture)', 'wb').write(capture)
        """
      try await net.run("python3 - <<'E'\n\(script)\nE")
      let words = ["ping", "--netns", net.router, "--json", "--like", capture]
      let told = try await Programs.nftrace(words)
      try await net.run("rm \(capture)")
      #expect(
        told.output.contains("nft insert rule inet fw f")
          && told.output.contains("\"rehearsed\": true"), "\(told)")
    }
  }
}
