import Foundation
import Testing

extension LiveTests {
  /// `record --metrics`: what node_exporter reads, and what drops are in it.
  @Suite(.timeLimit(.minutes(4)))
  struct MetricsTests {
    /// A series' value, by what its name and labels begin with and have in them.
    private func values(_ text: String, _ name: String, _ parts: String...) -> [UInt64] {
      text.split(separator: "\n")
        .filter { line in line.hasPrefix(name) && parts.allSatisfy { line.contains($0) } }
        .compactMap { UInt64($0.split(separator: " ").last ?? "") }
    }

    /// Sends so many datagrams from the router to a port of the server.
    private static func send(_ count: Int, to port: Int) -> String {
      """
      ip netns exec $R python3 -c '
      import socket
      s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
      for _ in range(\(count)):
        try: s.sendto(b"x", ("\(RouterPlan().server)", \(port)))
        except OSError: pass
      '
      """
    }

    /// Records what a script does in the router. Returns all that was printed; the file is $DIR/m.$R/n.prom.
    private func recording(
      _ net: RouterNet, _ script: String
    ) async throws -> Outcome {
      try await Programs.shell(
        """
        mkdir -p $DIR/m.$R
        ip netns exec $R $NFTRACE setup -q --no-record $SERVER >/dev/null
        ip netns exec $R $NFTRACE record $DIR/r.$R --metrics $DIR/m.$R/n.prom 2>$DIR/e.$R & recorder=$!
        trap 'kill $recorder 2>/dev/null || :; ip netns exec $R $NFTRACE teardown -q >/dev/null' EXIT
        while ! grep -q recording $DIR/e.$R 2>/dev/null; do sleep 0.02; done
        \(script)
        kill -INT $recorder; wait $recorder || :
        cat $DIR/e.$R >&2
        cat $DIR/m.$R/n.prom 2>/dev/null || :
        rm -rf $DIR/m.$R $DIR/e.$R $DIR/r.$R
        """, environment: net.environment)
    }

    @Test func eachDropIsCounted() async throws {
      let net = try await RouterNet()
      try await net.inRouter(
        """
        nft add table inet m
        nft add chain inet m out '{ type filter hook output priority 0; policy accept; }'
        nft add chain inet m sub
        nft add rule inet m sub udp dport 82 drop comment '"say no"'
        nft add rule inet m out udp dport 81 drop
        nft add rule inet m out jump sub
        """)
      let outcome = try await recording(
        net,
        """
        \(Self.send(1000, to: 81)); \(Self.send(30, to: 82)); \(Self.send(5, to: 83))
        """)
      let text = outcome.output
      #expect(
        values(text, "nftrace_dropped_packets_total", "chain=\"out\"", "hook=\"output\"") == [1000],
        "\(outcome)")
      #expect(
        values(text, "nftrace_dropped_packets_total", "chain=\"sub\"", "hook=\"output\"") == [30],
        "\(outcome)")
      #expect(
        values(text, "nftrace_rule_info", "chain=\"sub\"", #"comment \"say no\"""#) == [1],
        "\(outcome)")
      #expect(values(text, "nftrace_points_packets_total", "point=\"OUTPUT\"") == [1035])
      #expect(values(text, "nftrace_recorder_up") == [0])
      // No packet's address is in it.
      #expect(!text.contains(net.plan.server) && !text.contains(net.plan.router))
    }

    /// What no trace told of, for the recorder could not read them, is counted all the same.
    @Test func noneIsLostWithTheMessages() async throws {
      let net = try await RouterNet()
      try await net.inRouter(
        """
        nft add table inet m
        nft add chain inet m out '{ type filter hook output priority 0; policy accept; }'
        nft add rule inet m out udp dport 81 drop
        """)
      let outcome = try await recording(
        net,
        """
        kill -STOP $recorder; pkill -STOP -P $recorder || :
        \(Self.send(60000, to: 81))
        pkill -CONT -P $recorder || :; kill -CONT $recorder; sleep 1
        """)
      let all = values(outcome.output, "nftrace_dropped_packets_total", "chain=\"out\"")
      #expect(all.reduce(0, +) == 60000, "\(outcome)")
    }

    @Test func prometheusTakesIt() async throws {
      let net = try await RouterNet()
      let outcome = try await recording(
        net,
        """
        \(Self.send(3, to: 83))
        while ! [ -s $DIR/m.$R/n.prom ]; do sleep 0.05; done
        stat -c 'mode %a' $DIR/m.$R/n.prom >&2
        ls -A $DIR/m.$R | sed 's/^/there is /' >&2
        command -v promtool >/dev/null || exit 0
        promtool check metrics <$DIR/m.$R/n.prom >&2 && echo 'promtool is content' >&2
        """)
      #expect(outcome.error.contains("mode 644"), "\(outcome)")
      #expect(outcome.error.contains("there is n.prom\n"))
      #expect(!outcome.error.contains(".new"))
      if FileManager.default.isExecutableFile(atPath: "/usr/bin/promtool") {
        #expect(outcome.error.contains("promtool is content"), "\(outcome)")
      }
    }

    /// On a disk that is full the old file stays, that is said once, and the recorder goes on.
    @Test func aFullDisk() async throws {
      let net = try await RouterNet()
      let outcome = try await Programs.shell(
        """
        mkdir -p $DIR/m.$R; mount -t tmpfs -o size=16k none $DIR/m.$R
        trap 'umount $DIR/m.$R' EXIT
        ip netns exec $R $NFTRACE setup -q --no-record $SERVER >/dev/null
        ip netns exec $R $NFTRACE record $DIR/r.$R --metrics $DIR/m.$R/n.prom 2>$DIR/e.$R & recorder=$!
        while ! [ -s $DIR/m.$R/n.prom ]; do sleep 0.05; done
        dd if=/dev/zero of=$DIR/m.$R/fill bs=4k 2>/dev/null || :
        cp $DIR/m.$R/n.prom $DIR/before.$R
        sleep 11
        cmp $DIR/m.$R/n.prom $DIR/before.$R && echo whole
        kill -INT $recorder; code=0; wait $recorder || code=$?; echo code $code
        ip netns exec $R $NFTRACE teardown -q >/dev/null
        cat $DIR/e.$R >&2; rm -f $DIR/e.$R $DIR/r.$R $DIR/before.$R
        """, environment: net.environment)
      #expect(outcome.output.contains("whole\n"), "\(outcome)")
      #expect(outcome.output.contains("code 130"), "\(outcome)")
      let said = outcome.error.split(separator: "\n").filter { $0.contains("n.prom") }
      #expect(said.count == 1 && said[0].contains("No space left"), "\(outcome)")
    }

    @Test func setupHandsItOn() async throws {
      let net = try await RouterNet()
      let outcome = try await Programs.shell(
        """
        cd $DIR; mkdir -p m.$R
        ip netns exec $R $NFTRACE setup -q $SERVER --metrics m.$R/n.prom
        while ! [ -s m.$R/n.prom ]; do sleep 0.05; done
        cat m.$R/n.prom
        ip netns exec $R $NFTRACE teardown -q >/dev/null
        grep recorder_up m.$R/n.prom; rm -rf m.$R
        """, environment: net.environment)
      #expect(outcome.code == 0, "\(outcome)")
      #expect(values(outcome.output, "nftrace_recorder_up") == [1, 0], "\(outcome)")
    }
  }
}
