import FoundationEssentials
import Glibc
import Kernel
import Subprocess
import Testing

extension LiveTests {
  /// `show --follow` beside traffic that comes.
  @Suite(.timeLimit(.minutes(2)))
  struct FollowTests {
    /// Follows the setup of a router that pings its server, until it is interrupted. `record` is
    /// whether a recorder writes what is followed.
    private func follow(_ options: [String], record: Bool) async throws -> String {
      let net = try await RouterNet()
      return try await net.inRouter(
        """
        "$NFTRACE" setup \(record ? "" : "--no-record") "$SUBNET" $SERVER/32 >/dev/null
        "$NFTRACE" show --follow \(options.joined(separator: " ")) >"$DIR/follow" 2>"$DIR/follow.err" & p=$!
        sleep 1; ping -q -c3 -i.2 -W1 $SERVER >/dev/null || true
        sleep 2.5; kill -INT $p; code=0; wait $p || code=$?
        cat "$DIR/follow" "$DIR/follow.err"
        "$NFTRACE" teardown >/dev/null; [ $code = 130 ]
        """)
    }

    @Test(arguments: [true, false]) func asItComes(record: Bool) async throws {
      let outcome = try await follow([], record: record)
      let lines = outcome.split(separator: "\n").filter { $0.contains("echo request") }
      #expect(lines.count == 3 && lines.allSatisfy { $0.contains(": answered") }, "\(outcome)")
      #expect(outcome.contains("following "), "\(outcome)")
      #expect(outcome.contains("6 packets, 3 transmitted, 3 delivered"), "\(outcome)")
      #expect(outcome.contains(" events, 0 lost"), "\(outcome)")
    }

    @Test func aPacketALine() async throws {
      let outcome = try await follow(["--json"], record: true)
      let lines = outcome.split(separator: "\n").prefix(6)
      #expect(lines.count == 6, "\(outcome)")
      for line in lines { #expect(line.hasPrefix("{\"id\":") && line.hasSuffix("}"), "\(line)") }
      #expect(outcome.contains("6 packets"), "\(outcome)")
    }

    @Test func onlyTheLost() async throws {
      let outcome = try await follow(["--lost"], record: true)
      #expect(outcome.contains("0 packets"), "\(outcome)")
    }

    /// A packet that goes in fragments, and comes back in fragments, is one packet each way, whether it
    /// is put together at the first hook or at the last.
    @Test(arguments: [RouterPlan(), .ipv6], [true, false])
    func fragmentsAreTheirPacket(plan: RouterPlan, tracksConnections: Bool) async throws {
      let tracking =
        "nft add table inet t; nft 'add chain inet t c { type filter hook input priority 0; }'"
      let net = try await RouterNet(
        plan.with(tracksConnections ? "\(tracking); nft add rule inet t c ct state new" : ""))
      let outcome = try await net.inRouter(
        """
        "$NFTRACE" setup --no-record $SERVER/$HOST >/dev/null
        "$NFTRACE" show --follow -v >"$DIR/follow" 2>&1 & p=$!
        sleep 1; ping -q -c1 -W1 -s 4000 $SERVER >/dev/null
        sleep 1.5; kill -INT $p; wait $p || true
        cat "$DIR/follow"; "$NFTRACE" teardown >/dev/null
        """)
      #expect(outcome.contains("2 packets, 1 transmitted, 1 delivered\n"), "\(outcome)")
      #expect(outcome.contains("sent         out eth0, in 3 fragments\n"), "\(outcome)")
      #expect(outcome.contains("in eth0, ttl 64, in 3 fragments\n"), "\(outcome)")
    }

    /// Follows pings of a router to its server, and one more after them. Returns what is summed up of
    /// the packets and how many events came and were lost. `before` and `after` are done by the shell
    /// around the pings; $reader is the process that reads what the kernel says.
    private func flood(
      _ pings: String, before: String = "", after: String = "", record: Bool = false
    ) async throws -> (packets: String, events: Int, lost: Int) {
      let net = try await RouterNet(RouterPlan().withoutTun())
      // Neighbours that are known for good: looking for them would be events as well.
      let outcome = try await net.inRouter(
        #"""
        mac() { ip -n "$1" -br link show "$2" | awk '{print $3}'; }
        ip neigh replace $GATEWAY lladdr $(mac $S peer0) dev "$UPLINK" nud permanent
        ip -n $S neigh replace $ROUTER lladdr $(mac $R "$UPLINK") dev peer0 nud permanent
        "$NFTRACE" setup \#(record ? "" : "--no-record") $SERVER/32 >/dev/null
        "$NFTRACE" show --follow >"$DIR/flood" 2>&1 & follower=$!
        sleep 1
        recorder=$("$NFTRACE" status | sed -n 's/^recorder *process \([0-9]*\).*/\1/p')
        reader=${recorder:-$follower}
        \#(before)
        ping -q \#(pings) $SERVER >/dev/null
        \#(after)
        ticks() { cat /proc/$reader/stat /proc/$follower/stat | awk '{ t += $14 + $15 } END { print t }'; }
        rest() { t=$(ticks); while sleep 1; u=$(ticks); [ $u -gt $((t + 15)) ]; do t=$u; done; }
        rest; ping -q -c1 $SERVER >/dev/null; sleep 1; rest
        kill -INT $follower; code=0; wait $follower || code=$?
        "$NFTRACE" teardown >/dev/null
        tail -n 2 "$DIR/flood"; [ $code = 130 ]
        """#)
      let lines = outcome.split(separator: "\n").map(String.init)
      let words = try #require(lines.last, "\(outcome)").split(separator: " ")
      try #require(words.count == 4 && words[1] == "events," && words[3] == "lost", "\(outcome)")
      return (lines[0], try #require(Int(words[0])), try #require(Int(words[2])))
    }

    /// 250 exchanges a second, 12,000 events, are told whole.
    @Test(arguments: [true, false]) func keepsUp(record: Bool) async throws {
      let seen = try await flood("-i.004 -c749", record: record)
      #expect(seen.packets == "1500 packets, 750 transmitted, 750 delivered")
      #expect(seen.lost == 0)
    }

    /// A reader that stands still until the kernel has no more room for it says exactly how much it
    /// missed: with what it got, that is as much as of pings that were all seen.
    @Test(arguments: [true, false]) func saysWhatItMissed(record: Bool) async throws {
      let all = try await flood("-f -c99")
      #expect(all.lost == 0 && all.events % 100 == 0, "\(all)")
      let missed = try await flood(
        "-f -c15999", before: "kill -STOP $reader", after: "kill -CONT $reader", record: record)
      #expect(missed.lost > 0)
      #expect(missed.events + missed.lost == all.events * 160, "\(missed), \(all)")
    }
  }
}
