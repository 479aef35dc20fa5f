import Glibc
import Subprocess
import Testing

extension LiveTests {
  /// `nftrace intercept` on a host whose server is one hop away.
  struct InterceptTests {
    /// Runs a script in the router while packets to the server are intercepted, and ends that with a
    /// signal. Returns what the interception printed.
    private func intercept(
      _ net: RouterNet, _ words: [String], signal: Subprocess.Signal = .interrupt,
      subnet: String? = nil, during script: String
    ) async throws -> Outcome {
      try await Programs.interrupt(
        [Programs.nftrace, "intercept", "--netns", net.router] + words
          + [subnet ?? net.plan.server], with: signal
      ) {
        let version = "-\(net.plan.version)"
        guard try await net.inRouter("ip \(version) rule").contains("iif lo lookup") else {
          return false
        }
        try await net.run(script)
        return true
      }
    }

    @Test(arguments: [RouterPlan().withoutTun(), RouterPlan.ipv6.withoutTun()])
    func packetsPassAsTheyAre(_ plan: RouterPlan) async throws {
      let net = try await RouterNet(plan)
      // No address of the router's but those of its link, and no forwarding.
      try await net.inRouter("sysctl -qw net.ipv4.ip_forward=0 net.ipv6.conf.all.forwarding=0")
      let before = try await net.state()
      let outcome = try await intercept(
        net, [],
        during: """
          ip netns exec $R ping -c 2 -i 0.1 -W 1 -t 9 $SERVER
          ip netns exec $R ping -c 1 -W 1 $GATEWAY
          """)
      #expect(outcome.code == 130, "\(outcome)")
      let lines = outcome.output.split(separator: "\n")
      #expect(lines.count == 3 && lines.last?.contains(": 2 passed") == true, "\(outcome)")
      #expect(lines.first?.contains("\(plan.router) > \(plan.server) icmp") == true, "\(outcome)")
      #expect(lines.first?.contains("ttl 9,") == true, "\(outcome)")
      try await net.expectState(before, "interrupted")
    }

    @Test(arguments: [["-q"], ["--trace"]])
    func nothingIsLeftAfterSIGKILL(_ words: [String]) async throws {
      for plan in [RouterPlan().withoutTun(), RouterPlan.ipv6.withoutTun()] {
        try await nothingIsLeftAfterSIGKILL(plan, words)
      }
    }

    private func nothingIsLeftAfterSIGKILL(_ plan: RouterPlan, _ words: [String]) async throws {
      let net = try await RouterNet(plan)
      try await net.inRouter(
        "sysctl -qw net.ipv4.conf.all.rp_filter=1 net.ipv6.conf.all.forwarding=0")
      let before = try await net.state()
      let outcome = try await intercept(
        net, words, signal: .kill, during: "ip netns exec $R ping -c 1 -W 1 $SERVER")
      #expect(outcome.code == 128 + SIGKILL, "\(outcome)")
      try await net.run("ip netns exec $R ping -c 1 -W 1 $SERVER")
      try await net.expectState(before, "SIGKILL")
    }

    @Test func theFarEndSeesWhatWasSet() async throws {
      let net = try await RouterNet(RouterPlan().withoutTun())
      try await net.run("ip -n $S addr add 119.29.29.30/32 dev lo")
      let outcome = try await intercept(
        net, ["--set", "ttl=7", "--set", "tos=16", "--set", "dest=119.29.29.30:5353"],
        during: """
          ip netns exec $S timeout 5 tcpdump -lnvvi peer0 -c 1 udp and dst host 119.29.29.30 \
            >$DIR/$R.seen 2>$DIR/$R.log & watch=$!
          while ! grep -q listening $DIR/$R.log; do sleep 0.05; done
          ip netns exec $R perl -MSocket -e 'socket(S, AF_INET, SOCK_DGRAM, 0);
            send(S, "hello", 0, pack_sockaddr_in(53, inet_aton($ARGV[0])))' $SERVER
          wait $watch
          """)
      #expect(outcome.output.contains(": ttl 7, tos 16, dest 119.29.29.30:5353"), "\(outcome)")
      let seen = try await net.run("cat $DIR/$R.seen")
      #expect(seen.contains("tos 0x10, ttl 7,"), "\(seen)")
      #expect(seen.contains("> 119.29.29.30.5353: [udp sum ok]"), "\(seen)")
    }

    /// A script that sends packets, once the hooks are watched too, and then has all of it told.
    private func watched(_ script: String) -> String {
      """
      until ip netns exec $R nft list ruleset | grep -q 'OUTPUT'; do sleep 0.05; done
      \(script)
      sleep 1.5
      """
    }

    @Test(arguments: [RouterPlan(), RouterPlan.ipv6])
    func theWayThroughTheHooks(_ plan: RouterPlan) async throws {
      let net = try await RouterNet(plan)
      let before = try await net.state()
      // What is forwarded for somebody else, or goes elsewhere, is none of it.
      let outcome = try await intercept(
        net, ["--trace", "--set", "ttl=7"],
        during: watched(
          """
          ip netns exec $R ping -c 1 -W 1 $GATEWAY
          "$NFTRACE" ping -q --netns $R --tun "$TUN" -s $CLIENT $SERVER || true
          ip netns exec $R ping -c 1 -W 1 $SERVER
          """))
      #expect(outcome.code == 130, "\(outcome)")
      let lines = outcome.output.split(separator: "\n").map(String.init)
      func place(_ words: String) throws -> Int {
        try #require(lines.firstIndex { $0.contains(words) }, "no '\(words)' in \(outcome)")
      }
      let way = try [
        "created      by this host, out nftrace0, ttl 64", "  OUTPUT  ",
        "sent         out nftrace0",
        "arrived      in nftrace0 again, ttl 64 → 8", "ttl 8 → 7",
        "sent         out \(plan.uplink)", "← echo reply", "delivered    to this host itself",
      ].map(place)
      #expect(way == way.sorted(), "\(outcome)")
      #expect(lines.count { $0.hasPrefix("#") } == 1, "\(outcome)")
      #expect(lines.contains("2 packets, 1 transmitted, 1 delivered"), "\(outcome)")
      #expect(lines.last?.contains(": 1 changed") == true, "\(outcome)")
      try await net.expectState(before, "interrupted")
    }

    /// Before the device, behind it, and in it.
    @Test(
      arguments: [
        ("iptables -A OUTPUT -d $SERVER -j DROP", [], "dropped by ip filter OUTPUT rule 1"),
        ("iptables -A FORWARD -d $SERVER -j DROP", [], "dropped by ip filter FORWARD rule 1"),
        ("", ["--drop"], "dropped    by nftrace"),
        (
          "iptables -A FORWARD -d 119.29.29.30 -j DROP", ["--set", "dest=119.29.29.30"],
          "cause     rule 1 of chain FORWARD (ip filter) drops it"
        ),
      ] as [(String, [String], String)])
    func whereItIsDropped(_ firewall: String, _ words: [String], _ told: String) async throws {
      let net = try await RouterNet(RouterPlan().withoutTun())
      try await net.inRouter(firewall)
      let outcome = try await intercept(
        net, ["--trace"] + words,
        during: watched("! ip netns exec $R ping -c 1 -W 1 $SERVER"))
      #expect(outcome.output.contains(told), "\(outcome)")
      #expect(outcome.output.contains("1 packet, 1 dropped"), "\(outcome)")
    }

    /// Where a changed packet is delivered here, the answer comes from here too.
    @Test(arguments: [RouterPlan().withoutTun(), RouterPlan.ipv6.withoutTun()])
    func whatIsSentBackToThisHost(_ plan: RouterPlan) async throws {
      let net = try await RouterNet(plan)
      let outcome = try await intercept(
        net, ["--trace", "--json", "--set", "dest=\(plan.router)"],
        during: watched("ip netns exec $R ping -c 1 -W 1 $SERVER || true"))
      let lines = outcome.output.split(separator: "\n")
      #expect(lines.count == 2, "\(outcome)")
      let (request, reply) = (try #require(lines.first), try #require(lines.last))
      #expect(request.contains("\"direction\":\"request\""), "\(request)")
      #expect(reply.contains("\"direction\":\"reply\""), "\(reply)")
      let change = """
        {"field":"destination","from":"\(plan.server)","to":"\(plan.router)","cause":"mangle"}
        """
      #expect(request.contains(change), "\(request)")
      for line in lines { #expect(line.contains("\"end\":{\"kind\":\"delivered\""), "\(line)") }
    }

    /// Another address answers, and the host takes it for what it asked. With conntrack and without.
    @Test(arguments: [
      "",
      "nft 'add table ip t; add chain ip t c { type filter hook prerouting priority 0; }; "
        + "add rule ip t c ct state invalid counter'",
    ])
    func theAnswerFromElsewhere(_ firewall: String) async throws {
      let net = try await RouterNet(RouterPlan().withoutTun())
      try await net.inRouter(firewall)
      let outcome = try await intercept(
        net, ["--trace", "--set", "dest=119.29.29.30:5353"],
        during: """
          ip -n $S addr add 119.29.29.30/32 dev lo
          ip netns exec $S timeout 20 perl -MIO::Socket::INET -e '
            $l = IO::Socket::INET->new(Listen => 1, LocalPort => 5353) or die;
            open R, ">", $ARGV[0]; sleep 20' $DIR/$R.ready & far=$!
          until [ -e $DIR/$R.ready ]; do sleep 0.02; done
          \(watched("""
            ip netns exec $R perl -MIO::Socket::INET -e '
              IO::Socket::INET->new(PeerAddr => "$ARGV[0]:53", Timeout => 0.5)' $SERVER || true
            """))
          kill $far
          """)
      let lines = outcome.output.split(separator: "\n").map(String.init)
      func place(_ words: String) throws -> Int {
        try #require(lines.firstIndex { $0.contains(words) }, "no '\(words)' in \(outcome)")
      }
      let way = try [
        "→ TCP SYN  172.16.16.15:", "out nftrace0",
        "destination 119.29.29.29:53 → 119.29.29.30:5353", "out eth0",
        "← TCP SYN-ACK  119.29.29.30:5353 → ", "source 119.29.29.30:5353 → 119.29.29.29:53",
        "→ TCP ACK  172.16.16.15:",
      ].map(place)
      #expect(way == way.sorted(), "\(outcome)")
      #expect(!outcome.output.contains("dropped"), "\(outcome)")
    }

    /// What is answered in its place has not come back, and neither have its fragments.
    @Test func theWayOfWhatIsAnswered() async throws {
      let net = try await RouterNet(RouterPlan().withoutTun())
      let outcome = try await intercept(
        net, ["--trace", "--forge-echo", "--drop"],
        during: watched(
          """
          ip netns exec $R ping -c 1 -W 1 -s 4000 $SERVER
          ip netns exec $R perl -MSocket -e 'socket(S, AF_INET, SOCK_DGRAM, 0);
            send(S, "hello", 0, pack_sockaddr_in(53, inet_aton($ARGV[0])))' $SERVER
          """))
      let lines = outcome.output.split(separator: "\n").filter { $0.hasPrefix("#") }
      func count(_ words: String) -> Int { lines.count { $0.hasSuffix(words) } }
      #expect(count(": answered, sent from this host through nftrace0") == 1, "\(outcome)")
      #expect(outcome.output.contains("sent         out nftrace0, in 3 fragments\n"), "\(outcome)")
      #expect(!outcome.output.contains("fragment ("), "\(outcome)")
      #expect(count(":53: dropped by nftrace") == 1, "\(outcome)")
      #expect(outcome.output.contains(" 1 dropped"), "\(outcome)")
    }

    /// More than can be told in time: it ends all the same, and says how much it left out.
    @Test func aFloodEndsAtOnce() async throws {
      let net = try await RouterNet(RouterPlan().withoutTun())
      let outcome = try await intercept(
        net, ["--trace"],
        during: watched("ip netns exec $R timeout 3 ping -fq $SERVER || true")
          .replacing("sleep 1.5", with: "date +%s%N >$DIR/$R.signal"))
      let ended = try await net.run("echo $(( $(date +%s%N) - $(cat $DIR/$R.signal) ))")
      let nanoseconds = try #require(Int(ended.filter(\.isNumber)))
      #expect(nanoseconds < 5_000_000_000, "\(ended)")
      let told = outcome.error.firstMatch(of: /told: (\d+) messages were left out/)
      let lost = outcome.output.firstMatch(of: /events, (\d+) lost/)
      #expect(Int(lost?.1 ?? "") ?? -1 >= Int(told?.1 ?? "0") ?? 0, "\(outcome.error)")
      // All of it went on, whatever could be told of it.
      let wrong = outcome.output.split(separator: "\n").filter { $0.contains("dropped") }
      #expect(wrong == [], "\(outcome.error)")
    }

    /// The last packet of --count, and the answer that comes after it.
    @Test func aPacketALine() async throws {
      let net = try await RouterNet(RouterPlan().withoutTun())
      try await net.run(
        """
        "$NFTRACE" intercept --netns $R --trace --json --count 1 $SERVER \
          >$DIR/$R.json 2>$DIR/$R.err & p=$!
        \(watched("ip netns exec $R ping -c 1 -W 1 $SERVER"))
        wait $p
        """)
      let lines = try await net.run("cat $DIR/$R.json").split(separator: "\n")
      #expect(lines.count == 2 && lines.allSatisfy { $0.hasPrefix("{\"id\":") }, "\(lines)")
      #expect(lines.first?.contains("\"out\":\"nftrace0\"") == true, "\(lines)")
      #expect(lines.last?.contains("\"direction\":\"reply\"") == true, "\(lines)")
    }

    @Test(arguments: [RouterPlan().withoutTun(), RouterPlan.ipv6.withoutTun()])
    func echoIsForged(_ plan: RouterPlan) async throws {
      let net = try await RouterNet(plan)
      // Nobody is there, and a request of three fragments is answered too.
      let nobody = plan.version == 4 ? "119.29.29.99" : "2001:db8:29::99"
      let outcome = try await intercept(
        net, ["--forge-echo"], subnet: nobody,
        during: """
          ip netns exec $R ping -c 1 -W 1 \(nobody)
          ip netns exec $R ping -c 1 -W 1 -s 4000 \(nobody)
          """)
      #expect(outcome.output.contains(": 4 answered"), "\(outcome)")
    }

    @Test func droppedByListAndMatch() async throws {
      let net = try await RouterNet(RouterPlan().withoutTun())
      try await net.run(
        """
        ip -n $S addr add 119.29.29.30/32 dev lo
        printf '119.29.29.0/24 # all\\n!119.29.29.30\\n' >$DIR/$R.list
        """)
      let outcome = try await intercept(
        net, ["--drop", "--list", Programs.directory + "/\(net.router).list", "--match", "*/icmp"],
        subnet: "119.29.29.0/24",
        during: """
          ! ip netns exec $R ping -c 1 -W 1 119.29.29.29
          ip netns exec $R ping -c 1 -W 1 119.29.29.30
          """)
      #expect(outcome.output.contains(": 1 passed, 1 dropped"), "\(outcome)")
      // A line of what was chosen alone.
      #expect(!outcome.output.contains(" > 119.29.29.30 "), "\(outcome)")
    }

    @Test func aSecondOneForTheSameIsRefused() async throws {
      let net = try await RouterNet(RouterPlan().withoutTun())
      let before = try await net.state()
      let outcome = try await intercept(
        net, [],
        during: """
          "$NFTRACE" intercept --netns $R 119.29.0.0/16 2>$DIR/$R.err && exit 1 || test $? = 2
          grep -q 'cannot intercept 119.29.0.0/16' $DIR/$R.err
          grep -q '119.29.29.29/32 is intercepted already' $DIR/$R.err
          timeout -s INT 1 "$NFTRACE" intercept --netns $R 119.28.0.0/16 || test $? = 130 -o $? = 124
          """)
      #expect(outcome.code == 130, "\(outcome)")
      try await net.expectState(before, "two of them")
    }

    /// All that can be forwarded, and of one device's own no word.
    @Test func theDefaultRoute() async throws {
      let net = try await RouterNet(.ipv6.withoutTun())
      let before = try await net.state()
      let outcome = try await intercept(
        net, ["0.0.0.0/0"], subnet: "::/0",
        during: """
          ip netns exec $R ping -c 1 -W 1 $SERVER
          ip netns exec $R ping -c 1 -W 1 $GATEWAY
          near=$(ip -n $S -6 addr show dev peer0 scope link | sed -n 's,.*inet6 \\(.*\\)/.*,\\1,p')
          ip netns exec $R ping -c 1 -W 1 "$near%$UPLINK"
          """)
      #expect(outcome.code == 130 && outcome.output.contains(": 2 passed"), "\(outcome)")
      try await net.expectState(before, "interrupted")
    }

    @Test func oneHundredMegabytes() async throws {
      let net = try await RouterNet(RouterPlan().withoutTun())
      let outcome = try await intercept(
        net, ["-q", "--set", "tos=8"],
        during: """
          data=$DIR/$R.data
          trap 'rm -f $data' EXIT
          head -c 104857600 /dev/urandom >$data
          ip netns exec $S timeout 60 perl -MIO::Socket::INET -e '
            $l = IO::Socket::INET->new(Listen => 1, LocalPort => 7777) or die;
            open R, ">", $ARGV[0]; close R; $c = $l->accept;
            print $b while sysread($c, $b, 65536)' $DIR/$R.ready | sha256sum >$DIR/$R.sum & far=$!
          until [ -e $DIR/$R.ready ]; do sleep 0.02; done
          ip netns exec $R timeout 60 perl -MIO::Socket::INET -e '
            $s = IO::Socket::INET->new(PeerAddr => "$ARGV[0]:7777") or die;
            while (sysread(STDIN, $b, 65536)) { print $s $b }' $SERVER <$data
          wait $far
          test "$(sha256sum <$data)" = "$(cat $DIR/$R.sum)"
          """)
      #expect(outcome.code == 130, "\(outcome)")
    }

    /// Its output is read by nobody, and later it is stopped itself: packets go on, and wait.
    @Test func stoppedReaders() async throws {
      let net = try await RouterNet(RouterPlan().withoutTun())
      let before = try await net.state()
      try await net.run(
        """
        { "$NFTRACE" intercept --netns $R $SERVER 2>$DIR/$R.err & echo $! >$DIR/$R.pid; } \
          | sleep 4 &
        until ip -n $R rule | grep -q 'iif lo'; do sleep 0.05; done
        ip netns exec $R ping -q -c 2000 -i 0.0002 -W 1 $SERVER | grep -q '2000 received'
        pid=$(cat $DIR/$R.pid)
        kill -STOP $pid
        ! ip netns exec $R ping -c 1 -W 1 $SERVER
        ip netns exec $R ping -c 1 -W 1 $GATEWAY
        kill -CONT $pid
        ip netns exec $R ping -c 1 -W 1 $SERVER
        kill -KILL $pid
        """)
      try await net.expectState(before, "SIGKILL")
    }

    @Test func whatIsWrongIsNamed() async throws {
      _ = try await Programs.shell("printf '10.0.0.0/8\\nnonsense\\n10.0.0.1/8\\n' >$DIR/bad.list")
      for (words, message) in [
        (["--list", Programs.directory + "/bad.list", "192.0.2.1"], "line 2: 'nonsense'"),
        (["--list", Programs.directory + "/bad.list", "192.0.2.1"], "line 3: '10.0.0.1/8'"),
        (["--list", "/nonexistent", "192.0.2.1"], "cannot read /nonexistent"),
        (["--set", "ttl=0", "192.0.2.1"], "the TTL is 1 to 255"),
        (["--set", "source=127.0.0.1", "192.0.2.1"], "would not be forwarded"),
        (["--set", "dest=0.0.0.0", "192.0.2.1"], "would not be forwarded"),
        (["--set", "source=fe80::1", "2001:db8::1"], "fe80::1 would not be forwarded"),
        (["--set", "dest=::5", "192.0.2.1"], "is IPv6, and no subnet is"),
        (["--match", "*/sctp", "192.0.2.1"], "'sctp' is none of"),
        (["127.0.0.0/8"], "never forwarded"), (["nowhere"], "is no subnet"),
        (["--drop", "--set", "ttl=1", "192.0.2.1"], "do not go together"),
        (["-q", "--trace", "192.0.2.1"], "-q and --trace do not go together"),
        ([], "Missing expected argument"),
      ] {
        let outcome = try await Programs.nftrace(["intercept"] + words)
        #expect(outcome.code == 2 && outcome.error.contains(message), "\(words): \(outcome)")
      }
    }
  }
}
