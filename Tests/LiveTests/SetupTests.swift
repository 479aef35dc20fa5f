import Glibc
import Kernel
import Subprocess
import Testing
import Wire

/// Drives the built program in a namespace of its own: a router with a veth to a server's namespace.
private struct SetupLab: ~Copyable {
  let name: String
  let server: String
  let directory: String

  init(_ suffix: String) async throws {
    name = "nftrace-test-\(getpid())-\(suffix)"
    server = "\(name)-s"
    directory = "/tmp/\(name)"
    _ = try NetworkNamespace.create(named: name)
    _ = try NetworkNamespace.create(named: server)
    try await ip(
      "-n", name, "link", "add", "e0", "type", "veth", "peer", "name", "e0", "netns", server)
    for (space, address) in [(name, "172.20.0.2/24"), (server, "172.20.0.1/24")] {
      try await ip("-n", space, "addr", "add", address, "dev", "e0")
      try await ip("-n", space, "link", "set", "e0", "up")
    }
    try await shell("sysctl -qw net.ipv4.ip_forward=0 net.ipv6.conf.all.forwarding=0")
    try await shell("sleep 2.2")  // Addresses and carriers settle: they are compared later.
  }

  deinit {
    try? NetworkNamespace.remove(named: name)
    try? NetworkNamespace.remove(named: server)
    for file in (try? StateFile.names(in: directory)) ?? [] {
      try? StateFile.remove("\(directory)/\(file)")
    }
    Directory.remove(directory)
  }

  private func ip(_ words: String...) async throws {
    let result = try await run(
      .name("ip"), arguments: .init(words), output: .string(limit: 4096),
      error: .string(limit: 4096))
    #expect(result.terminationStatus.isSuccess, "\(result)")
  }

  /// The output of a shell in the router's namespace.
  @discardableResult
  func shell(_ script: String, server isServer: Bool = false) async throws -> String {
    let result = try await run(
      .name("ip"),
      arguments: ["netns", "exec", isServer ? server : name, "sh", "-c", script],
      output: .string(limit: 1 << 20), error: .string(limit: 1 << 16))
    return result.standardOutput + result.standardError
  }

  /// nftrace in the router's namespace: its exit code and everything it says.
  func nftrace(_ words: String...) async throws -> (code: Int32, text: String) {
    let result = try await run(
      .name("env"),
      arguments: .init(
        ["NFTRACE_STATE_DIR=\(directory)", Self.program] + words + ["--netns", name]),
      output: .string(limit: 1 << 20), error: .string(limit: 1 << 16))
    let text = result.standardOutput + result.standardError
    guard case .exited(let code) = result.terminationStatus else { return (-1, text) }
    return (Int32(code), text)
  }

  static var program: String {
    JournalTestsProgram.directory + "/nftrace"
  }

  /// Everything that setup could have touched.
  func everything() async throws -> String {
    try await shell(
      """
      nft list ruleset; ip -j link; ip -j addr; ip -j route show table all
      ip -j -6 route show table all | sed 's/"expires":[0-9]*,*//g'; ip -j rule; ip -j -6 rule
      sysctl -a 2>/dev/null | grep '^net\\.' \
        | grep -v -e nf_conntrack_count -e random -e stable_secret
      """)
  }

  /// A number in what the recorder wrote down, once it is `wanted`; waits up to three seconds.
  func wait(for script: String, until wanted: (String) -> Bool) async throws -> String {
    var text = ""
    for _ in 0..<60 {
      text = try await shell(script)
      if wanted(text) { break }
      usleep(50_000)
    }
    return text
  }

  var recorderFile: String { "\(directory)/*.recorder" }
}

/// Where the programs of this package are.
enum JournalTestsProgram {
  static var directory: String {
    String(LiveTests.JournalTests.helper.dropLast("/guardian-helper".count))
  }
}

extension LiveTests {
  @Suite(.timeLimit(.minutes(2)))
  struct SetupTests {
    @Test func teardownIsTheInverse() async throws {
      let lab = try await SetupLab("inverse")
      try await lab.shell("iptables -A FORWARD -s 10.99.0.0/16 -j ACCEPT")
      let before = try await lab.everything()
      let made = try await lab.nftrace(
        "setup", "192.168.69.0/24", "fd00:69::/64", "--tun", "tun5", "--masquerade", "--forward")
      #expect(made.code == 0, "\(made.text)")
      #expect(try await lab.shell("cat /proc/sys/net/ipv4/ip_forward") == "1\n")
      let during = try await lab.everything()
      #expect(during.contains("nftrace_setup") && during.contains("tun5"))
      let again = try await lab.nftrace(
        "setup", "192.168.69.0/24", "fd00:69::/64", "--tun", "tun5", "--masquerade", "--forward")
      #expect(again.code == 0 && again.text.contains("nothing to do"), "\(again.text)")
      #expect(try await lab.everything() == during)
      let more = try await lab.nftrace("setup", "10.1.0.0/16", "10.0.0.0/8")
      #expect(more.code == 0, "\(more.text)")
      // 10.0.0.0/8 takes 10.1.0.0/16 in.
      let rules = try await lab.shell("nft list chain inet nftrace_setup prerouting")
      #expect(
        rules.contains("ip saddr != 10.0.0.0/8 ip saddr != 192.168.69.0/24 ip daddr != "),
        "\(rules)")
      let fewer = try await lab.nftrace("teardown", "10.1.0.0/16", "10.0.0.0/8", "10.7.0.0/16")
      #expect(fewer.code == 0 && fewer.text.contains("10.7.0.0/16 is not set up"), "\(fewer.text)")
      let gone = try await lab.nftrace("teardown")
      #expect(gone.code == 0, "\(gone.text)")
      #expect(try await lab.everything() == before)
      let twice = try await lab.nftrace("teardown")
      #expect(twice.code == 0 && twice.text.contains("nothing to do"), "\(twice.text)")
    }

    @Test func whatIsRefusedChangesNothing() async throws {
      let lab = try await SetupLab("refused")
      let before = try await lab.everything()
      for (words, code) in [
        (["10.0.0.5/24"], Int32(2)), (["10.0.0.0/8", "nonsense"], 2),
        (["10.0.0.0/8", "--masquerade", "--forward"], 2), (["10.0.0.0/8", "--tun", "e0"], 2),
        (["10.0.0.0/8", "--tun", "t9", "--tun-address", "172.20.0.9/24", "--forward"], 2),
      ] {
        let result = try await lab.nftrace(
          "setup", words[0], words[safe: 1], words[safe: 2],
          words[safe: 3], words[safe: 4], words[safe: 5])
        #expect(result.code == code, "\(words): \(result.text)")
        #expect(try await lab.everything() == before, "\(words)")
      }
      let none = try await lab.nftrace("record", "/tmp/none.pcapng")
      #expect(none.code == 2 && none.text.contains("nothing is set up"), "\(none.text)")
    }

    /// Somebody's program holds the group: everything is taken back, sysctls and device too.
    @Test func aGroupThatIsTaken() async throws {
      let lab = try await SetupLab("group")
      let before = try await lab.everything()
      let namespace = try NetworkNamespace(lab.name)
      var socket = try namespace.within { () throws(KernelError) in try NetfilterSocket() }
      try socket.takeGroup(77)
      let result = try await lab.nftrace(
        "setup", "10.0.0.0/8", "--group", "77", "--tun", "t9", "--forward")
      #expect(result.code == 3 && result.text.contains("pid \(getpid())"), "\(result.text)")
      #expect(try await lab.everything() == before)
    }

    @Test func reloadsAreNoticed() async throws {
      let lab = try await SetupLab("reload")
      let made = try await lab.nftrace("setup", "172.20.0.0/24")
      #expect(made.code == 0, "\(made.text)")
      try await lab.shell(
        """
        nft add table inet user; nft add chain inet user late '{ type filter hook output priority 7; }'
        nft add rule inet user late ip daddr 172.20.0.1 counter accept
        """)
      let points = try await lab.wait(for: "nft list table inet nftrace_setup") {
        $0.contains("late-OUTPUT")
      }
      #expect(points.contains("late-OUTPUT"))
      try await lab.shell("ping -c2 -i0.2 -W1 172.20.0.1; sleep 0.5")
      let shown = try await lab.nftrace(
        "show", "\(lab.directory)/\(try recording(in: lab.directory))")
      #expect(shown.code == 0 && shown.text.contains("late"), "\(shown.text)")
      // All of it gone: the tables come back, the user's do not.
      try await lab.shell("nft flush ruleset")
      let tables = try await lab.wait(for: "nft list tables") {
        $0.contains("netdev nftrace_setup")
      }
      #expect(tables == "table inet nftrace_setup\ntable netdev nftrace_setup\n")
      let status = try await lab.nftrace("status")
      #expect(status.code == 0 && status.text.contains("installed again 1 times"), "\(status.text)")
      let gone = try await lab.nftrace("teardown")
      #expect(gone.code == 0 && gone.text.contains(" events, 0 lost: "), "\(gone.text)")
      #expect(try await lab.shell("nft list ruleset").isEmpty)
    }

    /// The connection through which somebody types is not recorded, unless that is asked for.
    @Test func onesOwnConnection() async throws {
      let lab = try await SetupLab("ownssh")
      let made = try await lab.shell(
        """
        export NFTRACE_STATE_DIR=\(lab.directory) NFTRACE=\(SetupLab.program)
        ip link set lo up
        SSH_CONNECTION='127.0.0.1 52011 127.0.0.1 7022' "$NFTRACE" setup 127.0.0.0/8
        SSH_CONNECTION='127.0.0.1 52011 127.0.0.1 7022' "$NFTRACE" setup 127.0.0.0/8
        python3 - <<'P'
        import socket
        for port in (7022, 7023):
            s = socket.create_server(("127.0.0.1", port))
            c = socket.create_connection(("127.0.0.1", port), source_address=("127.0.0.1", port + 44989))
            a, _ = s.accept(); c.sendall(b"x"); a.recv(1); c.close(); a.close(); s.close()
        P
        sleep 1.5; "$NFTRACE" show -q 2>/dev/null; "$NFTRACE" status
        "$NFTRACE" setup --own-ssh 127.0.0.0/8; "$NFTRACE" status; "$NFTRACE" teardown
        """)
      #expect(made.contains("without your own SSH connection, 127.0.0.1 52011 127.0.0.1 7022"))
      #expect(made.contains("nothing to do: watching 127.0.0.0/8 already"), "\(made)")
      #expect(made.contains("127.0.0.1:7023") && !made.contains("127.0.0.1:7022"), "\(made)")
      #expect(made.ranges(of: "left out").count == 1, "\(made)")
    }

    /// What was recorded before is kept under another name.
    @Test func anEarlierRecordingIsKept() async throws {
      let lab = try await SetupLab("kept")
      #expect(try await !lab.nftrace("setup", "172.20.0.0/24").text.contains("earlier"))
      try await lab.shell("ping -c1 -W1 172.20.0.1")
      let gone = try await lab.nftrace("teardown")
      #expect(gone.text.contains(" events, 0 lost: "), "\(gone.text)")
      // A setup that records nothing leaves it, and is not what it shows.
      #expect(try await lab.nftrace("setup", "--backend", "log", "10.9.0.0/24").code == 0)
      let other = try await lab.nftrace("show")
      #expect(other.code == 2 && other.text.contains("show --backend log"), "\(other.text)")
      let path = "\(lab.directory)/\(try recording(in: lab.directory))"
      #expect(try await lab.nftrace("show", path).code == 0)
      #expect(try await lab.nftrace("teardown").code == 0)
      let next = try await lab.nftrace("setup", "10.9.0.0/24")
      let kept = try #require(
        next.text.split(separator: "\n").first { $0.contains("the earlier recording is kept: ") })
      let previous = String(try #require(kept.split(separator: " ").last))
      #expect(next.text.contains("the earlier recording is kept: \(previous)"), "\(next.text)")
      let shown = try await lab.nftrace("show", previous)
      #expect(shown.code == 0 && shown.text.contains("echo request"), "\(shown.text)")
      #expect(try await lab.nftrace("show").code == 1)
      #expect(try await lab.nftrace("teardown").code == 0)
    }

    private func recording(in directory: String) throws -> String {
      try #require(try StateFile.names(in: directory).first { $0.hasSuffix(".pcapng") })
    }

    @Test func aRecorderThatIsKilled() async throws {
      let lab = try await SetupLab("killed")
      let before = try await lab.everything()
      #expect(try await lab.nftrace("setup", "172.20.0.0/24").code == 0)
      let pid = try await lab.shell("sed 's/.*\"process\":\\([0-9]*\\).*/\\1/' \(lab.recorderFile)")
      let process = try #require(Int32(pid.split(separator: "\n").first ?? ""))
      kill(process, SIGKILL)
      while ProcessIdentity(process)?.isAlive == true { usleep(1000) }
      #expect(try await lab.nftrace("status").text.contains("was killed"))
      let again = try await lab.nftrace("setup", "172.20.0.0/24")
      #expect(again.code == 0 && again.text.contains("recording to"), "\(again.text)")
      let next = try await lab.shell(
        "sed 's/.*\"process\":\\([0-9]*\\).*/\\1/' \(lab.recorderFile)")
      kill(try #require(Int32(next.split(separator: "\n").first ?? "")), SIGKILL)
      #expect(try await lab.nftrace("teardown").code == 0)
      #expect(try await lab.everything() == before)
    }

    @Test func aDeviceThatIsGone() async throws {
      let lab = try await SetupLab("device")
      let before = try await lab.everything()
      let made = try await lab.nftrace(
        "setup", "10.0.0.0/8", "--tun", "t9", "--tun-address", "10.9.0.1/24")
      #expect(made.code == 0, "\(made.text)")
      try await lab.shell("ip link del t9")
      let again = try await lab.nftrace("setup", "10.0.0.0/8")
      #expect(again.code == 0 && again.text.contains("made the TUN device t9"), "\(again.text)")
      #expect(try await lab.shell("ip addr show t9").contains("10.9.0.1/24"))
      let next = try await lab.nftrace("setup", "10.0.0.0/8", "--tun", "t9")
      #expect(next.code == 0 && next.text.contains("nothing to do"), "\(next.text)")
      #expect(try await lab.nftrace("teardown").code == 0)
      #expect(try await lab.everything() == before)
    }

    @Test func manyDevices() async throws {
      let lab = try await SetupLab("many")
      try await lab.shell("for n in $(seq 20); do ip link add a$n type veth peer name b$n; done")
      _ = try await lab.nftrace("setup", "172.20.0.0/24", "--no-record")
      let again = try await lab.nftrace("setup", "172.20.0.0/24", "--no-record").text
      let text = again + (try await lab.nftrace("ping", "-v", "172.20.0.1").text)
      #expect(["nothing to do", "out e0", "in e0"].allSatisfy { text.contains($0) }, "\(text)")
    }

    /// What a setup changed is taken back without its state: what it says cannot be believed.
    @Test(arguments: ["head -c 200 S.good > S", "rm S", "sed 's/,\"points\":.*$/}/' S.good > S"])
    func aStateThatIsDamaged(_ damage: String) async throws {
      let lab = try await SetupLab("damaged-\(damage.utf8.count)")
      let before = try await lab.everything()
      let made = try await lab.nftrace(
        "setup", "10.0.0.0/8", "--tun", "a\"\\é", "--masquerade", "--forward")
      #expect(made.code == 0, "\(made.text)")
      let file = "\(lab.directory)/setup-"
      try await lab.shell(
        "cd \(lab.directory); S=$(ls setup-*.json); cp $S good; "
          + damage.replacing("S.good", with: "good").replacing("S", with: "$S") + "; rm good")
      let status = try await lab.nftrace("status")
      #expect(
        status.code == 0 && status.text.contains("'nftrace teardown' takes"), "\(status.text)")
      let again = try await lab.nftrace("setup", "10.0.0.0/8")
      #expect(again.code == 2 && again.text.contains("'nftrace teardown'"), "\(again.text)")
      let gone = try await lab.nftrace("teardown")
      #expect(gone.code == 0 && gone.text.contains("took back"), "\(gone.text)")
      #expect(try await lab.everything() == before)
      #expect(try await lab.shell("ls \(file)* 2>/dev/null").isEmpty)
    }

    @Test func theKernelLog() async throws {
      let lab = try await SetupLab("log")
      let made = try await lab.nftrace("setup", "10.0.0.0/8", "--backend", "log")
      #expect(made.code == 0, "\(made.text)")
      let rules = try await lab.shell("nft list table inet nftrace_setup")
      #expect(
        rules.contains(
          /log prefix "net:\[[0-9]+\] conntrack-PREROUTING: " accept/),
        "\(rules)")
      #expect(!rules.contains("nftrace set"))
      let record = try await lab.nftrace("record", "/tmp/none.pcapng")
      #expect(record.code == 2 && record.text.contains("kernel log"), "\(record.text)")
      #expect(try await lab.nftrace("teardown").code == 0)
    }

    /// The kernel traces for who reads, and for nobody when nobody does.
    @Test func tracesAreForReaders() async throws {
      let lab = try await SetupLab("traces")
      #expect(try await lab.nftrace("setup", "172.20.0.0/24", "--no-record").code == 0)
      let output = try await lab.shell(
        """
        export NFTRACE_STATE_DIR='\(lab.directory)' N='\(Programs.nftrace)'
        traced() { nft list table inet nftrace_setup | grep -q 'nftrace set'; }
        await() { for i in $(seq 100); do if traced; then [ $1 = on ]; else [ $1 = off ]; fi && return
          sleep 0.1; done; echo "not $1 in time"; }
        traced && echo "for nobody"
        for reader in "show --follow" "record $NFTRACE_STATE_DIR/asked.pcapng"; do
          $N $reader >"$NFTRACE_STATE_DIR/out" 2>&1 & process=$!
          await on; sleep 0.5
          ping -q -c 1 172.20.0.1 >/dev/null; sleep 0.5
          kill -INT $process; wait $process
          await off; cat "$NFTRACE_STATE_DIR/out"
        done
        $N show "$NFTRACE_STATE_DIR/asked.pcapng" -q --last 9
        """)
      #expect(!output.contains("for nobody") && !output.contains("in time"), "\(output)")
      #expect(output.contains("echo request 172.20.0.2 → 172.20.0.1"), "\(output)")
      #expect(output.ranges(of: " 0 lost").count == 2, "\(output)")
      #expect(try await lab.nftrace("teardown").code == 0)
    }

    @Test func twoNamespaces() async throws {
      let first = try await SetupLab("one")
      let second = try await SetupLab("two")
      #expect(try await first.nftrace("setup", "10.1.0.0/16").code == 0)
      #expect(try await second.nftrace("setup", "10.2.0.0/16").code == 0)
      #expect(try await first.nftrace("teardown").code == 0)
      #expect(try await first.shell("nft list ruleset").isEmpty)
      let status = try await second.nftrace("status")
      #expect(status.text.contains("10.2.0.0/16") && !status.text.contains("10.1.0.0"))
      #expect(try await second.nftrace("teardown").code == 0)
    }

    @Test func theOldestIsDropped() async throws {
      let lab = try await SetupLab("bounded")
      #expect(try await lab.nftrace("setup", "172.20.0.0/24", "--limit", "1").code == 0)
      try await lab.shell("ping -q -f -c 600 172.20.0.1")
      usleep(500_000)
      let gone = try await lab.nftrace("teardown")
      #expect(gone.text.contains("dropped to keep to 1 MiB"), "\(gone.text)")
      let name = try recording(in: lab.directory)
      let sizes = [name, name + ".1"].compactMap { FileIdentity("\(lab.directory)/\($0)")?.size }
      #expect(sizes.count == 2 && sizes.reduce(0, +) < 1_100_000, "\(sizes)")
      #expect(Directory.mode(of: "\(lab.directory)/\(name)") == 0o600)
      #expect(Directory.mode(of: "\(lab.directory)/\(name).1") == 0o600)
      let shown = try await lab.nftrace("show", "\(lab.directory)/\(name)", "--last", "1")
      #expect(shown.code == 0 && shown.text.contains("echo re"), "\(shown.text)")
    }

    @Test func statusWithoutRights() async throws {
      let lab = try await SetupLab("nobody")
      let before = try await lab.everything()
      let result = try await lab.shell(
        "setpriv --reuid 65534 --clear-groups \(SetupLab.program) status; echo code $?")
      #expect(result.contains("CAP_NET_ADMIN") && result.contains("code 0"), "\(result)")
      #expect(try await lab.nftrace("status").code == 0)
      #expect(try await lab.everything() == before)
    }
  }
}

extension [String] {
  fileprivate subscript(safe index: Int) -> String { index < count ? self[index] : "-v" }
}
