import Glibc
import Subprocess
import Testing

extension LiveTests {
  /// Being interrupted, and being killed.
  struct BadMomentTests {
    private static let masquerading = RouterPlan().with(
      "iptables-nft -t nat -A POSTROUTING -s $SUBNET -j MASQUERADE")

    /// A ping that takes a minute, and gets the signal when its table is there.
    private func interruptedPing(
      _ net: RouterNet, _ words: [String], _ signal: Subprocess.Signal
    ) async throws -> Outcome {
      try await Programs.interrupt(
        [Programs.nftrace, "ping", "--netns", net.router] + words
          + ["-c", "600", "-i", "0.1", net.plan.server], with: signal
      ) {
        guard try await net.inRouter("nft list tables").contains("nftrace_") else { return false }
        try await Task.sleep(for: .milliseconds(150))
        return true
      }
    }

    @Test(arguments: [(Subprocess.Signal.interrupt, Int32(130)), (.terminate, 143)])
    func theSummaryIsPrinted(_ signal: Subprocess.Signal, _ code: Int32) async throws {
      let net = try await RouterNet(Self.masquerading)
      let before = try await net.state()
      let outcome = try await interruptedPing(net, ["--tun", net.plan.tun], signal)
      #expect(outcome.code == code, "\(outcome)")
      #expect(outcome.output.contains("119.29.29.29 nftrace ping statistics"), "\(outcome)")
      #expect(outcome.output.contains(" 0% packet loss"), "\(outcome)")
      #expect(outcome.error.isEmpty)
      try await net.expectState(before, "\(signal)")
    }

    /// What was sent is counted and told, answered or not, and a replay tells the same.
    @Test func whatWasSentIsCounted() async throws {
      let net = try await RouterNet(
        RouterPlan().with("iptables-nft -A FORWARD -d $SERVER -p icmp -j DROP"))
      let file = "\(Programs.directory)/interrupted-\(UInt32.random(in: 0 ... .max)).pcapng"
      let outcome = try await interruptedPing(
        net, ["--tun", net.plan.tun, "-W", "30", "-w", file], .interrupt)
      #expect(outcome.code == 130 && outcome.error.isEmpty, "\(outcome)")
      #expect(outcome.output.contains("dropped in filter FORWARD"), "\(outcome)")
      #expect(outcome.output.contains(" 0 received, 100% packet loss"), "\(outcome)")
      #expect(try await Programs.nftrace(["show", file]).output == outcome.output)
    }

    @Test func anInterruptedPingIsStillWholeJSON() async throws {
      let net = try await RouterNet(Self.masquerading)
      let outcome = try await interruptedPing(net, ["--json", "--tun", net.plan.tun], .interrupt)
      #expect(outcome.code == 130, "\(outcome)")
      #expect(try RunReport(outcome).probes?.isEmpty == false)
    }

    @Test(arguments: [true, false])
    func nothingIsLeftAfterSIGKILL(_ hasTun: Bool) async throws {
      let plan = hasTun ? Self.masquerading : RouterPlan().withoutTun()
      let net = try await RouterNet(plan)
      let before = try await net.state()
      let words = hasTun ? ["--tun", plan.tun] : ["--masquerade"]
      let outcome = try await interruptedPing(net, words, .kill)
      #expect(outcome.code == 128 + SIGKILL)
      // Within a second: the rules and the device go with the descriptors that held them.
      try await net.expectState(before, "SIGKILL")
      let files = try await Programs.shell("ls $DIR/state").output
      #expect(!files.contains("last.pcapng."), "\(files)")
    }

    @Test func aReaderThatGoesAway() async throws {
      let net = try await RouterNet(Self.masquerading)
      let before = try await net.state()
      let line = try await net.run(
        #""$NFTRACE" ping --netns $R --tun "$TUN" -c 5 -w "$DIR/$R" $SERVER | head -n1"#)
      #expect(line.contains("119.29.29.29 answered in "), "\(line)")
      let kept = try await net.run(#""$NFTRACE" show -q "$DIR/$R""#)
      #expect(kept.split(separator: "\n").count == 2, "the first probe, and the one that found out")
      try await net.expectState(before, "| head -n1")
    }

    @Test func anOutputThatIsFull() async throws {
      let net = try await RouterNet(Self.masquerading)
      let before = try await net.state()
      let outcome = try await Programs.shell(
        #""$NFTRACE" ping --netns \#(net.router) --tun tun0 119.29.29.29 >/dev/full"#)
      #expect(outcome.code == 3, "\(outcome)")
      #expect(outcome.error.contains("No space left on device"), "\(outcome)")
      // Nothing that is opened later may take the place of an output that is not there.
      let closed = try await Programs.shell(
        #""$NFTRACE" ping --netns \#(net.router) --tun tun0 119.29.29.29 <&- >&-"#)
      #expect(closed.code == 3, "\(closed)")
      #expect(closed.error.contains("cannot write to standard output"), "\(closed)")
      try await net.expectState(before, ">/dev/full")
    }
  }

  /// `nftrace lab`, and what is left of it.
  struct LabCommandTests {
    /// The labs whose process is gone: none may be left, for each lab removes those it finds.
    private func labs() async throws -> String {
      try await Programs.shell(
        """
        for name in $(ls /run/netns | grep nftrace-lab- || true); do
          process=${name#nftrace-lab-}; process=${process%%-*}
          kill -0 $process 2>/dev/null || echo $name
        done
        """
      ).output
    }

    @Test func theDemonstration() async throws {
      let outcome = try await Programs.nftrace(["lab"])
      #expect(outcome.code == 0, "\(outcome)")
      #expect(outcome.output.contains("119.29.29.29 answered in "), "\(outcome)")
      #expect(outcome.output.contains("source 192.168.69.1 → 172.16.16.15"), "\(outcome)")
      // Three times it breaks the router, says why, and the remedy cures.
      for cause in ["of chain forward (inet fw) drops it", "no rule", "conntrack still sends"] {
        #expect(outcome.output.contains(cause), "\(cause): \(outcome)")
      }
      let heads = outcome.output.split(separator: "\n").filter { $0.hasPrefix("119.29.29.29 ") }
      let isAnswered = heads.map { $0.contains(" answered in ") }
      #expect(isAnswered == [true, false, true, false, true, false, true], "\(outcome)")
      #expect(try await labs().isEmpty)
    }

    @Test func theWalk() async throws {
      for (plan, words) in [
        (RouterPlan(), ["-s", "192.168.69.1", "119.29.29.29"]), (.ipv6, ["2001:db8:29::29"]),
      ] {
        let outcome = try await Programs.nftrace(
          ["lab", "--", "nftrace", "ping", "--json", "--tun", "tun0"] + words)
        #expect(outcome.code == 0, "\(outcome)")
        let journeys = try RunReport(outcome).probes?.first?.journeys
        #expect(journeys?.map(\.walk) == Walk(plan: plan).throughRouter)
      }
    }

    @Test(arguments: [0, 7, 255])
    func theExitCodeIsPassedOn(_ code: Int32) async throws {
      let outcome = try await Programs.nftrace([
        "lab", "--", "sh", "-c", "ip -o link; exit \(code)",
      ])
      #expect(outcome.code == code, "\(outcome)")
      #expect(outcome.output.contains("tun0") && outcome.output.contains("eth0"))
      #expect(try await labs().isEmpty)
    }

    @Test func aCommandThatIsNotThere() async throws {
      let outcome = try await Programs.nftrace(["lab", "--", "nftrace-no-such-command"])
      #expect(outcome.code == 2 && outcome.error.contains("nftrace-no-such-command"), "\(outcome)")
      #expect(try await labs().isEmpty)
    }

    /// SIGINT comes from a terminal and reaches the command too, so it is sent to neither alone:
    /// the command decides. SIGTERM is passed on.
    @Test(arguments: [(Subprocess.Signal.terminate, Int32(143)), (.kill, 137)])
    func goneAfter(_ signal: Subprocess.Signal, _ code: Int32) async throws {
      let mark = Programs.directory + "/lab-\(UInt32.random(in: 0 ... .max))"
      let outcome = try await Programs.interrupt(
        [Programs.nftrace, "lab", "--", "sh", "-c", "echo up >\(mark); exec sleep 5 >&- 2>&-"],
        with: signal
      ) {
        Directory.mode(of: mark) != nil
      }
      #expect(outcome.code == code, "\(outcome)")
      #expect(try await Programs.eventually { try await labs().isEmpty })
    }

    /// As when somebody types Ctrl-C: the whole foreground process group gets the signal.
    @Test func goneAfterControlC() async throws {
      let outcome = try await Programs.run([
        "timeout", "--foreground", "20", "setsid", "--wait", "perl", "-e",
        """
        $SIG{INT} = 'DEFAULT';
        my $pid = fork;
        if (!$pid) { setpgrp; exec @ARGV or die }
        sub nap { select undef, undef, undef, shift }
        for (1..500) { last if `ip netns list` =~ /nftrace-lab-$pid-router/; nap .01 }
        nap .3;
        kill -2, $pid; waitpid $pid, 0; exit(($? & 127) ? 128 + ($? & 127) : $? >> 8)
        """, Programs.nftrace, "lab", "--", "sleep", "20",
      ])
      #expect(outcome.code == 130, "\(outcome)")
      #expect(try await Programs.eventually { try await labs().isEmpty })
    }
  }
}
