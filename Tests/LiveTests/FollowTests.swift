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
      let heads = outcome.split(separator: "\n").filter { $0.hasPrefix("#") }
      #expect(heads.count == 3 && heads.allSatisfy { $0.contains("echo request") }, "\(outcome)")
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
  }
}
