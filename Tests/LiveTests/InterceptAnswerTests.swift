import Subprocess
import Testing

extension LiveTests {
  /// What is sent elsewhere by `nftrace intercept --set dest` is answered as if by who was asked; and what becomes
  /// of an interception whose device somebody takes away.
  struct InterceptAnswerTests {
    private static let plans = [RouterPlan().withoutTun(), RouterPlan.ipv6.withoutTun()]

    private func other(_ plan: RouterPlan) -> String {
      plan.version == 4 ? "119.29.29.30" : "2001:db8:29::30"
    }

    /// Connections come up by TCP and UDP, with the port changed and without, past a firewall that lets in answers
    /// alone; echo requests are answered; errors are known for what they are about. What is not chosen is not printed.
    @Test(arguments: plans)
    func answersComeFromWhoWasAsked(_ plan: RouterPlan) async throws {
      let net = try await RouterNet(plan)
      let other = other(plan)
      let port = plan.version == 4 ? "\(other):5353" : "[\(other)]:5353"
      try await net.inRouter(
        """
        nft 'table inet fw { chain in { type filter hook input priority 0; policy drop;
          iif lo accept; meta l4proto ipv6-icmp accept; ct state established,related accept; }; }'
        """)
      for (change, asked) in [(other, "5353"), (port, "53")] {
        let outcome = try await Programs.interrupt(
          [
            Programs.nftrace, "intercept", "--netns", net.router, "--set", "dest=\(change)",
            "--match", "*/tcp", "--match", "*/udp", "--match", asked == "53" ? "*/tcp" : "*/icmp",
            plan.server,
          ], with: .interrupt
        ) {
          guard try await net.inRouter("ip -\(plan.version) rule").contains("iif lo lookup") else {
            return false
          }
          try await net.run(Self.conversation(other: other, asked: asked))
          return true
        }
        let lines = outcome.output.split(separator: "\n")
        let pings = lines.filter { $0.contains("echo request") }
        #expect(pings.count == (asked == "53" ? 0 : 1), "\(outcome)")
        #expect(lines.dropLast().allSatisfy { $0.contains(other) }, "\(outcome)")
        #expect(lines.last?.contains(" changed") == true, "\(outcome)")
      }
    }

    /// A server for TCP and UDP, who asks it, and who asks what nobody listens to.
    private static func conversation(other: String, asked: String) -> String {
      """
      ip -n $S addr replace \(other)/$HOST dev lo $([ $HOST = 128 ] && echo nodad)
      rm -f $DIR/$R.ready
      ip netns exec $S timeout 30 perl -MIO::Socket::IP -e '
        my @end = (LocalHost => $ARGV[0], LocalPort => 5353, ReuseAddr => 1);
        my $u = IO::Socket::IP->new(@end, Proto => "udp") or die;
        my $t = IO::Socket::IP->new(@end, Listen => 1) or die;
        open R, ">", $ARGV[1]; close R;
        my $c = $t->accept; print $c "by tcp\\n"; close $c;
        $u->recv($b, 100); $u->send("by udp"); sleep 20' \(other) $DIR/$R.ready & far=$!
      until [ -e $DIR/$R.ready ]; do kill -0 $far; sleep 0.02; done
      ip netns exec $R timeout 10 perl -MIO::Socket::IP -e '
        my @end = (PeerHost => $ARGV[0], PeerPort => $ARGV[1]);
        my $t = IO::Socket::IP->new(@end, Timeout => 3) or die "no connection";
        <$t> eq "by tcp\\n" or die "no word";
        my $u = IO::Socket::IP->new(@end, Proto => "udp");
        $u->send("hello"); $u->recv($b, 100); $b eq "by udp" or die "no datagram";
        exit if $ARGV[1] == 53;
        $u = IO::Socket::IP->new(PeerHost => $ARGV[0], PeerPort => 9, Proto => "udp");
        $u->send("hello"); defined $u->recv($b, 100) and die; $!{ECONNREFUSED} or die $!' \
        $SERVER \(asked)
      kill $far
      ip netns exec $R ping -c 1 -W 2 $SERVER
      """
    }

    /// The way of an answer shows where it was changed.
    @Test func theWayOfAnAnswer() async throws {
      let net = try await RouterNet(RouterPlan().withoutTun())
      try await net.run("ip -n $S addr add 119.29.29.30/32 dev lo")
      let outcome = try await Programs.interrupt(
        [
          Programs.nftrace, "intercept", "--netns", net.router, "--trace", "--set",
          "dest=119.29.29.30", net.plan.server,
        ], with: .interrupt
      ) {
        guard try await net.inRouter("nft list ruleset").contains("OUTPUT") else { return false }
        try await net.run("ip netns exec $R ping -c 1 -W 2 $SERVER; sleep 1.5")
        return true
      }
      let lines = outcome.output.split(separator: "\n").map(String.init)
      let change = try #require(
        lines.firstIndex { $0.contains("source 119.29.29.30 → 119.29.29.29") }, "\(outcome)")
      #expect(lines[change].contains(" nftrace "), "\(outcome)")
      #expect(lines[change + 1].contains("changed by nftrace"), "\(outcome)")
    }

    @Test(
      arguments: [
        ("link del nftrace0", "removed"), ("link set nftrace0 down", "taken down"),
        ("link set nftrace0 netns $S", "removed"),
      ])
    func theDeviceIsTakenAway(_ command: String, _ told: String) async throws {
      let net = try await RouterNet(RouterPlan().withoutTun())
      let before = try await net.state()
      let said = try await net.run(
        """
        "$NFTRACE" intercept --netns $R $SERVER >$DIR/$R.out 2>&1 & p=$!
        until ip -n $R rule | grep -q 'iif lo'; do sleep 0.05; done
        ip netns exec $R ping -c 1 -W 2 $SERVER >/dev/null
        ip -n $R \(command)
        code=0; wait $p || code=$?
        ip netns exec $R ping -c 1 -W 2 $SERVER >/dev/null
        cat $DIR/$R.out; echo "code $code"
        """)
      let words = "nftrace0 was \(told): packets to 119.29.29.29/32 go their own way again"
      #expect(said.contains(words), "\(said)")
      #expect(said.contains("1 packet, 84 octets") && said.contains("code 3"), "\(said)")
      try await net.expectState(before, command)
    }
  }
}
