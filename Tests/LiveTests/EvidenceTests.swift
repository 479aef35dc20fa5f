import FoundationEssentials
import Glibc
import Testing

extension LiveTests {
  /// What was recorded is not lost without a word: disks that are full, namespaces that are deleted,
  /// setups that come after others.
  @Suite(.timeLimit(.minutes(2)))
  struct EvidenceTests {
    /// Runs a script with `$N`, a namespace with only `lo`, and `$NFTRACE_STATE_DIR`, a directory of its
    /// own. Whatever it leaves is removed.
    private func run(_ suffix: String, _ script: String) async throws -> Outcome {
      let name = "nftrace-test-\(getpid())-\(suffix)"
      let state = "\(Programs.directory)/\(suffix)"
      let outcome = try await Programs.shell(
        """
        end() {
          "$NFTRACE" teardown --netns $N >/dev/null 2>&1 || true
          ip netns del $N 2>/dev/null || true
        }
        trap end EXIT
        mkdir -p "$NFTRACE_STATE_DIR"; chmod 700 "$NFTRACE_STATE_DIR"
        ip netns add $N; ip -n $N link set lo up
        inside() { ip netns exec $N "$@"; }
        recorder() { sed 's/.*"process":\\([0-9]*\\).*/\\1/' "$NFTRACE_STATE_DIR"/*.recorder; }
        over() { case $(sed 's/.*) //; s/ .*//' /proc/$1/stat 2>/dev/null) in ''|Z|X) true;; *) false;; esac; }
        \(script)
        """, environment: ["N": name, "NFTRACE_STATE_DIR": state])
      return outcome
    }

    private func number(_ pattern: Regex<(Substring, Substring)>, in text: String) throws -> Int {
      let found = try #require(text.firstMatch(of: pattern), "\(text)")
      return try #require(Int(found.output.1))
    }

    /// The state is on the disk that is full: why the recorder ended, and how much there is, is said all
    /// the same, by everybody alike.
    @Test func aFullDisk() async throws {
      let outcome = try await run(
        "full",
        #"""
        unshare --mount --propagation private sh -euc '
          mount -t tmpfs -o size=600k none "$NFTRACE_STATE_DIR"; chmod 700 "$NFTRACE_STATE_DIR"
          "$NFTRACE" setup --netns $N 127.0.0.0/8
          ip netns exec $N ping -q -f -c 400 127.0.0.1 >/dev/null
          sleep 0.7
          echo == status; "$NFTRACE" status --netns $N
          echo == show; "$NFTRACE" show --netns $N
          echo == json; "$NFTRACE" show --netns $N --json
          echo == recordings; "$NFTRACE" recordings
          echo == teardown; "$NFTRACE" teardown --netns $N
          tail -c 100 "$NFTRACE_STATE_DIR"/recording-*.pcapng | grep -aq "disk is full"'
        """#)
      #expect(outcome.code == 0, "\(outcome)")
      let parts = outcome.output.split(separator: "== ").map(String.init)
      try #require(parts.count == 6, "\(outcome)")
      #expect(parts[1].contains("recorder   ended early, at "), "\(parts[1])")
      #expect(parts[1].contains("UTC: the disk is full;"), "\(parts[1])")
      #expect(!parts[1].contains("killed"), "\(parts[1])")
      #expect(parts[2].contains("note      the recording ended early: the disk is full"))
      #expect(!parts[2].contains("✗"), "a packet at the cut is lost: \(parts[2].suffix(3000))")
      #expect(parts[4].contains("ended early: the disk is full"), "\(parts[4])")
      #expect(parts[5].contains("the recorder ended early: the disk is full"), "\(parts[5])")
      #expect(!outcome.error.contains("cut off") && !outcome.error.contains("damaged"))
      // Nothing but log and trace messages here: what is counted is what is in the file.
      let counts = try [1, 4, 5].map { try number(/([0-9]+) events/, in: parts[$0]) }
      let found =
        try number(/"nflog": ([0-9]+)/, in: parts[3])
        + number(/"trace": ([0-9]+)/, in: parts[3])
      #expect(counts == [found, found, found] && found > 100, "\(counts), \(found)")
      let unwritten = try number(/([0-9]+) could not be written/, in: parts[1])
      #expect(unwritten > 0)
    }

    /// The recorder in the foreground ends with 3, and says what it has.
    @Test func aFullDiskInTheForeground() async throws {
      let outcome = try await run(
        "foreground",
        #"""
        "$NFTRACE" setup --no-record --netns $N 127.0.0.0/8 >/dev/null
        unshare --mount --propagation private sh -uc '
          mkdir -p "$DIR/small"; mount -t tmpfs -o size=300k none "$DIR/small"
          "$NFTRACE" record --netns $N "$DIR/small/file" & p=$!
          sleep 1; ip netns exec $N ping -q -f -c 200 127.0.0.1 >/dev/null
          wait $p; echo code $?
          "$NFTRACE" show -q "$DIR/small/file" | tail -n 1'
        "$NFTRACE" status --netns $N
        """#)
      #expect(outcome.output.contains("code 3\n"), "\(outcome)")
      #expect(outcome.output.contains(" could not be written: "), "\(outcome)")
      #expect(outcome.error.contains("No space left on device"), "\(outcome)")
      #expect(outcome.output.contains("recorder   ended early, at "), "\(outcome)")
    }

    /// Of a recorder that was killed, what is in the file is counted, and the rest is not known.
    @Test func whatAKilledRecorderLeaves() async throws {
      let outcome = try await run(
        "killed",
        #"""
        "$NFTRACE" setup --netns $N 127.0.0.0/8 >/dev/null
        inside ping -q -c 5 -i 0.05 127.0.0.1 >/dev/null
        sleep 0.5; kill -9 $(recorder); sleep 0.2
        "$NFTRACE" status --netns $N; "$NFTRACE" status --json --netns $N
        "$NFTRACE" recordings
        "$NFTRACE" teardown --netns $N
        """#)
      #expect(
        outcome.output.contains("240 events in the file; how many were lost is not known"),
        "\(outcome)")
      #expect(outcome.output.contains("\"events\": null,"), "\(outcome)")
      #expect(outcome.output.contains("\"lost\": null,"), "\(outcome)")
      #expect(outcome.output.contains("  the recorder was killed\n"), "\(outcome)")
      #expect(
        outcome.output.contains(" its recorder did not say how it ended\n"), "\(outcome)")
    }

    /// What was lost a moment before somebody looks is told as lost, also while it is recorded; of what
    /// goes on in that moment nobody knows.
    @Test func lostAMomentAgo() async throws {
      let net = try await RouterNet(RouterPlan().withoutTun())
      let outcome = try await net.run(
        #"""
        ip netns exec $R sysctl -qw net.ipv4.ip_forward=0
        ip -n $S route add 203.0.113.9 via $ROUTER
        "$NFTRACE" setup --netns $R 203.0.113.9 >/dev/null
        trap '"$NFTRACE" teardown --netns $R >/dev/null' EXIT
        ip netns exec $S ping -q -c 1 -W 0.2 203.0.113.9 >/dev/null || true
        "$NFTRACE" show --netns $R --lost -q --last 9 2>/dev/null
        ip netns exec $S ping -q -c 1 -W 0.2 203.0.113.9 >/dev/null || true
        "$NFTRACE" teardown --netns $R >/dev/null
        "$NFTRACE" show --netns $R --lost -q --last 9 2>/dev/null
        """#)
      let lines = outcome.split(separator: "\n")
      #expect(lines.count == 3, "\(outcome)")
      #expect(lines.allSatisfy { $0.hasSuffix("then lost in the routing decision") }, "\(outcome)")
    }

    /// Recorders that are killed one after the other: the next goes on with the file of the one before
    /// it, and what is older than that has a name of its own. Who follows is told.
    @Test func recordersThatAreKilled() async throws {
      let outcome = try await run(
        "kills",
        #"""
        for count in 1 2 3; do
          "$NFTRACE" setup --netns $N 127.0.0.0/8
          inside ping -q -c $count -i 0.02 127.0.0.1 >/dev/null
          sleep 0.5; kill -9 $(recorder); sleep 0.2
        done
        "$NFTRACE" setup --netns $N 127.0.0.0/8
        echo == list; "$NFTRACE" recordings
        echo == follow; "$NFTRACE" show --follow --netns $N & follower=$!
        sleep 0.7; kill -9 $(recorder); wait $follower
        """#)
      #expect(outcome.code == 0, "\(outcome)")
      let parts = outcome.output.split(separator: "== ").map(String.init)
      try #require(parts.count == 3, "\(outcome)")
      #expect(parts[0].ranges(of: "earlier recording is kept: ").count == 1, "\(outcome)")
      let events = parts[1].matches(of: /([0-9]+) events/).map(\.output.1)
      #expect(events == ["144", "144"], "48 and 96 are together: \(parts[1])")
      #expect(outcome.error.contains("nftrace: the recorder was killed\n"), "\(outcome)")
    }

    /// Where there is no room to begin with, setup says so and leaves nothing.
    @Test func noRoomAtAll() async throws {
      let outcome = try await run(
        "room",
        #"""
        unshare --mount --propagation private sh -uc '
          mount -t tmpfs -o size=600k none "$NFTRACE_STATE_DIR"; chmod 700 "$NFTRACE_STATE_DIR"
          head -c 598016 /dev/zero >"$NFTRACE_STATE_DIR/much"
          "$NFTRACE" setup --netns $N 127.0.0.0/8; echo code $?
          ls "$NFTRACE_STATE_DIR" | grep -c recording'
        ip netns exec $N nft list tables
        """#)
      #expect(outcome.output == "code 3\n0\n", "\(outcome)")
      #expect(outcome.error.contains("No space left on device"), "\(outcome)")
    }

    /// No setup removes what others recorded, and all of it can be shown, listed and removed.
    @Test func threeSetups() async throws {
      let outcome = try await run(
        "three",
        #"""
        for count in 1 2 3; do
          "$NFTRACE" setup --netns $N 127.0.0.0/8
          inside ping -q -c $count -i 0.02 127.0.0.1 >/dev/null
          "$NFTRACE" teardown --netns $N >/dev/null
          sleep 0.1
        done
        "$NFTRACE" setup --netns $N 127.0.0.0/8
        echo == list; "$NFTRACE" recordings
        for name in $("$NFTRACE" recordings -q); do
          "$NFTRACE" show -q --last 9 $name | wc -l || true
        done
        echo == one; "$NFTRACE" recordings --remove $("$NFTRACE" recordings -q | head -n 1)
        echo == writing; "$NFTRACE" recordings --remove $("$NFTRACE" recordings -q | tail -n 1) \
          || echo code $?
        "$NFTRACE" recordings --remove nothing || echo code $?
        echo == all; "$NFTRACE" recordings --remove-all --json
        "$NFTRACE" recordings -q | wc -l
        setpriv --reuid 65534 --clear-groups "$NFTRACE" recordings || echo code $?
        "$NFTRACE" teardown --netns $N >/dev/null
        "$NFTRACE" recordings --remove-all >/dev/null; "$NFTRACE" recordings || echo code $?
        """#)
      #expect(outcome.code == 0, "\(outcome)")
      let parts = outcome.output.split(separator: "== ").map(String.init)
      try #require(parts.count == 5, "\(outcome)")
      #expect(parts[0].contains("  1 earlier recording is kept, "), "\(parts[0])")
      #expect(parts[0].contains("  3 earlier recordings are kept, "), "\(parts[0])")
      for events in [48, 96, 144] {
        #expect(parts[1].contains(", \(events) events, "), "\(parts[1])")
      }
      #expect(parts[1].contains("being written by process "), "\(parts[1])")
      #expect(parts[1].hasSuffix("\n1\n2\n3\n0\n"), "each has its pings: \(parts[1])")
      #expect(parts[2].contains("removed recording-"), "\(parts[2])")
      #expect(parts[3] == "writing\ncode 2\ncode 2\n", "\(outcome)")
      #expect(outcome.error.contains(" is being written by process "), "\(outcome)")
      #expect(outcome.error.contains("there is no recording 'nothing'; there are recording-"))
      #expect(parts[4].contains("\"kept\": [\n    \"recording-"), "\(parts[4])")
      #expect(parts[4].hasSuffix("}\n1\ncode 3\ncode 1\n"), "\(parts[4])")
    }

    /// A namespace is gone when its name is and nobody is in it; the recorder does not keep it.
    @Test func aNamespaceThatIsDeleted() async throws {
      let outcome = try await run(
        "deleted",
        #"""
        inside "$NFTRACE" setup 127.0.0.0/8 >/dev/null
        inside ping -q -c 2 -i 0.02 127.0.0.1 >/dev/null
        pid=$(recorder)
        ip netns exec $N sleep 30 & user=$!
        sleep 0.3; ip netns del $N
        sleep 2.5; over $pid && echo "it ended while somebody was there"
        kill $user; wait $user || true
        for i in $(seq 200); do over $pid && break; sleep 0.01; done
        over $pid || echo "it is still there"
        "$NFTRACE" status --all
        "$NFTRACE" recordings
        "$NFTRACE" show -q $("$NFTRACE" recordings -q)
        ip netns add $N; "$NFTRACE" teardown --netns $N
        ls "$NFTRACE_STATE_DIR"
        """#)
      #expect(outcome.code == 0, "\(outcome)")
      let text = outcome.output
      #expect(!text.contains("it ended while") && !text.contains("it is still"), "\(outcome)")
      #expect(text.contains("recorder   ended early: its network namespace was deleted"))
      #expect(text.contains("-deleted (net:[") && text.contains("]) is gone\n"), "\(outcome)")
      #expect(text.contains("-deleted, which is gone, of 127.0.0.0/8"), "\(outcome)")
      #expect(text.contains("96 events, "), "\(outcome)")
      let files = text.split(separator: "nothing is set up here\n").last ?? ""
      #expect(!files.contains("setup-") && files.contains("recording-"), "\(outcome)")
    }

    /// One that has no name is gone with its last process.
    @Test func aNamespaceWithoutAName() async throws {
      let outcome = try await run(
        "nameless",
        #"""
        unshare --net sleep 3 & user=$!
        sleep 0.3; "$NFTRACE" setup --netns $user 10.0.0.0/8 >/dev/null
        pid=$(recorder)
        sleep 1.5; over $pid && echo "it ended while somebody was there"
        wait $user
        for i in $(seq 200); do over $pid && break; sleep 0.01; done
        over $pid || echo "it is still there"
        cat "$NFTRACE_STATE_DIR"/*.recorder
        """#)
      #expect(outcome.code == 0, "\(outcome)")
      #expect(outcome.output.hasPrefix("{"), "\(outcome)")
      #expect(outcome.output.contains("its network namespace was deleted"), "\(outcome)")
    }

    /// What there is in every namespace is found from any, with the way to take it back.
    @Test func statusOfAll() async throws {
      let outcome = try await run(
        "everywhere",
        #"""
        unshare --net sleep 30 & user=$!
        sleep 0.3
        echo user $user
        trap '"$NFTRACE" teardown --netns $user >/dev/null 2>&1 || true; kill $user; end' EXIT
        "$NFTRACE" setup --netns $N 127.0.0.0/8 >/dev/null
        "$NFTRACE" setup --netns $user --no-record 10.7.0.0/16 >/dev/null
        cp "$NFTRACE_STATE_DIR"/*.recorder "$DIR/kept.recorder"
        echo == all; "$NFTRACE" status --all; "$NFTRACE" status --all -q
        echo == json; "$NFTRACE" status --all --json
        echo == orphans; inside nft add table inet nftrace_999999
        pid=$(recorder); rm "$NFTRACE_STATE_DIR"/*.recorder
        "$NFTRACE" status --all
        key=$(basename "$NFTRACE_STATE_DIR"/recording-*.pcapng .pcapng)
        cp "$DIR/kept.recorder" "$NFTRACE_STATE_DIR/setup-${key#recording-}.recorder"
        "$NFTRACE" teardown --netns $user
        echo == nobody; setpriv --reuid 65534 --clear-groups "$NFTRACE" status --all
        "$NFTRACE" status --all --netns $N || echo code $?
        echo pid $pid
        """#)
      #expect(outcome.code == 0, "\(outcome)")
      let parts = outcome.output.split(separator: "== ").map(String.init)
      try #require(parts.count == 5, "\(outcome)")
      let user = try number(/user ([0-9]+)/, in: parts[0])
      let pid = try number(/pid ([0-9]+)/, in: parts[4])
      #expect(parts[1].contains("  watching   127.0.0.0/8\n"), "\(parts[1])")
      #expect(parts[1].contains("  watching   10.7.0.0/16\n"), "\(parts[1])")
      #expect(parts[1].contains("-everywhere' takes it back\n"), "\(parts[1])")
      #expect(parts[1].contains("-everywhere: watching   127.0.0.0/8\n"), "\(parts[1])")
      #expect(
        parts[1].contains("'nftrace teardown --netns \(user)' takes it back\n"), "\(parts[1])")
      let json = parts[2].dropFirst("json\n".count)
      let object = try JSONDecoder().decode(All.self, from: Data(json.utf8))
      let found = object.namespaces.compactMap { $0.setup?.subnets }
      #expect(found.contains(["127.0.0.0/8"]) && found.contains(["10.7.0.0/16"]), "\(json)")
      #expect(object.namespaces.contains { $0.setup == nil }, "\(json)")
      #expect(parts[3].contains("nsenter --net=/run/netns/nftrace-test-"), "\(parts[3])")
      #expect(
        parts[3].contains("-everywhere nft delete table inet nftrace_999999\n"), "\(parts[3])")
      #expect(parts[3].contains("'kill \(pid)' ends it"), "\(parts[3])")
      #expect(parts[4].contains("run as root"), "\(parts[4])")
      #expect(parts[4].contains("code 2\n"), "\(parts[4])")
    }

    private struct All: Decodable {
      var namespaces: [Space]
      struct Space: Decodable {
        var netns: String?
        var setup: Setup?
      }
      struct Setup: Decodable { var subnets: [String] }
    }

    /// What is shown where nobody named it is said; and a ping is not hidden by what is empty.
    @Test func whatIsShownIsSaid() async throws {
      let outcome = try await run(
        "said",
        #"""
        "$NFTRACE" setup --netns $N 10.0.0.0/8 >/dev/null
        "$NFTRACE" teardown --netns $N >/dev/null
        "$NFTRACE" ping --netns $N --local 127.0.0.1 >/dev/null
        "$NFTRACE" show --netns $N | head -n 1
        "$NFTRACE" show | head -n 1
        "$NFTRACE" setup --netns $N 127.0.0.0/8 >/dev/null
        inside ping -q -c 1 127.0.0.1 >/dev/null; sleep 0.4
        "$NFTRACE" show --netns $N | grep -e '^recorded' -e '^#'
        "$NFTRACE" show -q last
        chmod 755 "$NFTRACE_STATE_DIR"
        inside setpriv --reuid 65534 --clear-groups "$NFTRACE" status
        inside setpriv --reuid 65534 --clear-groups "$NFTRACE" show || echo code $?
        inside setpriv --reuid 65534 --clear-groups \
          "$NFTRACE" show "$NFTRACE_STATE_DIR"/last.pcapng || echo code $?
        """#)
      #expect(outcome.code == 0, "\(outcome)")
      let lines = outcome.output.split(separator: "\n").map(String.init)
      #expect(lines[0].hasPrefix("127.0.0.1 answered in "), "\(outcome)")
      #expect(lines[1].hasPrefix("127.0.0.1 answered in "), "\(outcome)")
      #expect(lines[2].hasPrefix("recorded since 20"), "\(outcome)")
      #expect(lines[3].hasPrefix("#1-2  echo request 127.0.0.1"), "\(outcome)")
      #expect(lines[4].hasPrefix("127.0.0.1 answered in "), "\(outcome)")
      let words = outcome.error.split(separator: "\n").map(String.init)
      #expect(
        words[0].hasPrefix("nftrace: this is the last ping, in this network namespace, of 20"))
      #expect(words[0].hasSuffix("; what is recorded here is empty"), "\(words)")
      #expect(
        words[1].hasPrefix("nftrace: this is the last ping, in network namespace nftrace-test-"))
      #expect(
        words[2].hasPrefix(
          "nftrace: this is the recording of the setup in this network namespace, since 20"),
        "\(words)")
      #expect(!outcome.output.contains("damaged") && !outcome.output.contains("teardown"))
      #expect(outcome.output.contains("may only be read by root"), "\(outcome)")
      #expect(lines.suffix(2).allSatisfy { $0 == "code 3" }, "\(outcome)")
      #expect(words.suffix(4).filter { $0.contains("run as root (sudo)") }.count >= 2, "\(outcome)")
    }
  }
}
