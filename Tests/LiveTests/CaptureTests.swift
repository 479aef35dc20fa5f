import Fixtures
import Foundation
import Testing

extension LiveTests {
  /// nftrace as a capture interface of Wireshark, and in pipes.
  @Suite(.timeLimit(.minutes(2)))
  struct CaptureTests {
    /// A program that captures a ping of the router, started by `start`, which ends with a shell's `&`. Returns
    /// what `read` prints then.
    private func capture(record: Bool, _ start: String, _ read: String) async throws -> String {
      let net = try await RouterNet()
      return try await net.inRouter(
        """
        "$NFTRACE" setup \(record ? "" : "--no-record") $SERVER/32 >/dev/null
        mkdir -p "$DIR/captured/config/wireshark/extcap"
        ln -sf "$NFTRACE" "$DIR/captured/config/wireshark/extcap/nftrace"
        export XDG_CONFIG_HOME="$DIR/captured/config"
        rm -f "$DIR/captured/capture" "$DIR/captured/fifo"; mkfifo "$DIR/captured/fifo"
        wait_for() { i=0; until "$@"; do i=$((i + 1)); [ $i -lt 400 ]; sleep .05; done; }
        \(start)
        wait_for test -s "$DIR/captured/capture"; sleep .2
        ping -q -c1 -W1 $SERVER >/dev/null
        \(read)
        "$NFTRACE" teardown >/dev/null
        """)
    }

    /// As Wireshark calls it: by a link, without a command, into a FIFO. The signal ends it.
    @Test(arguments: [true, false]) func intoAFIFO(record: Bool) async throws {
      let output = try await capture(
        record: record,
        #"""
        cat "$DIR/captured/fifo" >"$DIR/captured/capture" &
        "$XDG_CONFIG_HOME/wireshark/extcap/nftrace" --capture --extcap-interface nftrace \
          --fifo "$DIR/captured/fifo" --extcap-version=4.0 & p=$!
        """#,
        """
        wait_for sh -c '"$NFTRACE" show -q --last 99 "$DIR/captured/capture" 2>/dev/null | grep -q answered'
        kill -TERM $p; wait $p; echo "code $?"
        "$NFTRACE" show -q --last 99 "$DIR/captured/capture"
        """)
      #expect(output.hasPrefix("code 0\n"), "\(output)")
      #expect(output.contains("echo request"), "\(output)")
      #expect(output.contains(": answered"), "\(output)")
    }

    /// Where nobody reads any more it ends, though nothing comes.
    @Test func theReaderGoes() async throws {
      let output = try await capture(
        record: true,
        #"""
        head -c 100 "$DIR/captured/fifo" >"$DIR/captured/capture" &
        "$NFTRACE" extcap --capture --fifo "$DIR/captured/fifo" & p=$!
        """#, "wait $p; echo \"code $?\"")
      #expect(output == "code 0\n")
    }

    /// tshark finds it in its directory, captures from it, and reads from a pipe; what is captured is a session.
    @Test(arguments: [
      #"tshark -n -i nftrace -w "$DIR/captured/capture""#,
      #""$NFTRACE" record - | tshark -n -i - -w "$DIR/captured/capture""#,
    ]) func byTshark(command: String) async throws {
      let output = try await capture(
        record: true, "sh -c '\(command)' >\"$DIR/captured/said\" 2>&1 & p=$!",
        """
        wait_for sh -c '"$NFTRACE" show -q --last 99 "$DIR/captured/capture" 2>/dev/null | grep -q answered'
        "$NFTRACE" show -q --last 99 "$DIR/captured/capture"
        tshark -D 2>/dev/null
        "$NFTRACE" teardown >/dev/null; wait $p || cat "$DIR/captured/said"
        "$NFTRACE" setup $SERVER/32 >/dev/null
        """)
      #expect(output.contains(": answered"), "\(output)")
      #expect(output.contains("nftrace (What netfilter does with packets)"), "\(output)")
    }

    /// The rows of a session have names in Wireshark.
    @Test func rowsHaveNames() async throws {
      let script = Fixtures.directory.appending(path: "../packaging/wireshark/nftrace.lua").path
      func rows(_ session: String, _ filter: String, _ fields: [String]) async throws -> [String] {
        let outcome = try await Programs.run(
          [
            "tshark", "-n", "-X", "lua_script:\(script)", "-Y", filter, "-T", "fields", "-E",
            "separator=|", "-r", Fixtures.directory.appending(path: "\(session).pcapng").path,
          ] + fields.flatMap { ["-e", $0] })
        #expect(outcome.code == 0 && !outcome.error.contains("Lua"), "\(outcome)")
        return outcome.output.split(separator: "\n").map(String.init)
      }
      let dropped = "drop-iptables-subchain-v4"
      let rules = ["table", "chain", "handle"].map { "nftrace.rule.\($0)" }
      #expect(
        try await rows(dropped, #"nftrace.kind == "rule met""#, rules + ["nftrace.verdict"]) == [
          "filter|FORWARD|3|jump", "filter|GUESTS|5|drop",
        ])
      #expect(
        try await rows(
          dropped, #"nftrace.kind == "drop""#, ["nftrace.drop.reason", "ip.dst", "_ws.col.Info"]
        )
        .map { $0.prefix(72) } == [
          "NETFILTER_DROP|203.0.113.7|[dropped: NETFILTER_DROP] Echo (ping) request"
        ])
      let seen = ["point", "hook", "table", "in", "out"].map { "nftrace.\($0)" }
      let points = try await rows(dropped, #"nftrace.kind == "packet""#, seen)
      #expect(points.first == "INGRESS|INGRESS||tun7|")
      #expect(points.last == "mangle-FORWARD|FORWARD|mangle|tun7|up0")
      // Ethernet has a header there.
      let sent = #"nftrace.hook == "EGRESS" && icmp.type == 8"#
      #expect(
        try await rows("healthy-nft-v4", sent, ["nftrace.out", "ip.src", "ip.dst"]) == [
          "up0|10.77.2.2|203.0.113.7"
        ])
      #expect(
        try await rows("healthy-nft-v4", #"nftrace.kind == "received""#, ["ip.src"]) == [
          "203.0.113.7"
        ])
    }

    @Test func whatCannotBeCaptured() async throws {
      let net = try await RouterNet(RouterPlan().withoutTun())
      let output = try await net.inRouter(
        """
        mkdir -p "$DIR/captured"; mkfifo "$DIR/captured/none" || true
        n() { "$NFTRACE" "$@" 2>&1 || echo "code $?"; }
        cat "$DIR/captured/none" & n --capture --fifo "$DIR/captured/none" --extcap-interface nftrace
        cat "$DIR/captured/none" & n --capture --fifo "$DIR/captured/none" --extcap-capture-filter icmp
        n extcap --capture --fifo /dev/null
        n extcap --capture
        n --extcap-config --extcap-interface eth0
        n --extcap-interface nftrace --extcap-capture-filter icmp
        n --extcap-interface nftrace --extcap-capture-filter ''
        n extcap
        n record - | cat
        """)
      let lines = output.split(separator: "\n").filter { !$0.hasPrefix("  ") }
      for text in [
        "nothing is set up in this network namespace: 'nftrace setup SUBNET' first",
        "It is no FIFO",
        "nftrace has no capture filters", "--capture needs a --fifo", "not 'eth0'",
        "extcap is run by Wireshark",
      ] {
        #expect(output.contains(text), "\(text): \(output)")
      }
      #expect(lines.count { $0 == "code 2" } == 7, "\(output)")
    }
  }
}
