import FoundationEssentials
import Glibc
import Testing

extension LiveTests {
  /// README's table of rights: what a command needs to start, and what it has while it runs. Where
  /// rights are not all there, it is somebody else than root who has them.
  struct PrivilegeTests {
    /// Bits of capabilities(7).
    private enum Right: Int {
      case fileOverride = 1
      case reading = 2
      case bounding = 8
      case lowPorts = 10
      case network = 12
      case rawSockets = 13
      case processes = 19
      case system = 21
      case monitoring = 38
      case bpf = 39

      /// As setpriv(1) calls it.
      var name: String {
        switch self {
        case .fileOverride: "dac_override"
        case .reading: "dac_read_search"
        case .bounding: "setpcap"
        case .lowPorts: "net_bind_service"
        case .network: "net_admin"
        case .rawSockets: "net_raw"
        case .processes: "sys_ptrace"
        case .system: "sys_admin"
        case .monitoring: "perfmon"
        case .bpf: "bpf"
        }
      }
    }

    private static func word(_ rights: [Right]) -> String {
      let digits = String(rights.reduce(0 as UInt64) { $0 | 1 << UInt64($1.rawValue) }, radix: 16)
      return String(repeating: "0", count: 16 - digits.count) + digits
    }

    /// Somebody who has these rights and no others, in the network that the test made: a shell
    /// command before that of nftrace. They have a directory and a TUN device file of their own.
    private static func user(_ rights: [Right]) -> String {
      let names = rights.map { "+\($0.name)" }.joined(separator: ",")
      let sets = "-all" + (names.isEmpty ? "" : ",\(names)")
      return "setpriv --reuid=65534 --regid=65534 --clear-groups --bounding-set=\(sets) "
        + "--inh-caps=\(sets) --ambient-caps=\(sets) env NFTRACE_STATE_DIR=\"$DIR/nobody\" "
    }

    private static let prepare = """
      mount -t tmpfs none /dev/net
      mknod /dev/net/tun c 10 200; chmod 666 /dev/net/tun
      rm -rf "$DIR/nobody"; mkdir -p "$DIR/nobody"; chown 65534 "$DIR/nobody"; chmod 711 "$DIR"
      ip route replace 10.66.0.0/16 dev "$UPLINK"
      """

    /// Runs a script in the router, in a mount namespace of its own.
    private static func run(_ net: RouterNet, _ script: String) async throws -> Outcome {
      try await Programs.run(
        [
          "ip", "netns", "exec", net.router, "unshare", "--mount", "--propagation", "private", "sh",
          "-euc", "\(prepare)\n\(script)",
        ],
        environment: [
          "TUN": net.plan.tun, "UPLINK": net.plan.uplink, "SERVER": net.plan.server,
          "CLIENT": net.plan.client, "GATEWAY": net.plan.gateway,
        ])
    }

    /// What it needs to start. One less, and it says what is missing.
    @Test(
      arguments: [
        ("status", []),
        ("setup --no-record 10.66.0.0/16", [.network]), ("setup 10.66.0.0/16", [.network]),
        ("teardown", [.network]), ("ping --tun \"$TUN\" $SERVER -W 1", [.network]),
        ("ping --local $SERVER -W 1", [.network, .rawSockets]),
        ("ping --in \"$UPLINK\" -s $GATEWAY --dry-run $CLIENT -W 1", [.network, .bpf]),
      ] as [(String, [Right])])
    private func whatItNeedsToStart(_ command: String, _ rights: [Right]) async throws {
      let net = try await RouterNet(
        RouterPlan().with(
          """
          nft add table ip n
          nft 'add chain ip n p { type nat hook postrouting priority 100; }'
          nft add rule ip n p masquerade
          """
        ))
      let outcome = try await Self.run(
        net,
        "\(Self.user(rights))\"$NFTRACE\" \(command); \(Self.user([.network]))\"$NFTRACE\" teardown"
      )
      #expect(outcome.code == 0, "\(command)\n\(outcome)")
      for missing in rights {
        let less = try await Self.run(
          net, Self.user(rights.filter { $0 != missing }) + "\"$NFTRACE\" \(command)")
        if command == "teardown" { continue }
        #expect(less.code == 3 || less.code == 2, "\(command) without \(missing)\n\(less)")
        let word = "CAP_" + missing.name.uppercased()
        #expect(less.error.contains(word), "\(command) without \(missing)\n\(less)")
      }
    }

    /// What `nftrace status` says of rights that are not there.
    @Test func whatStatusSays() async throws {
      let net = try await RouterNet()
      let none = try await Self.run(net, Self.user([]) + "\"$NFTRACE\" status")
      #expect(none.code == 0, "\(none)")
      for row in [/CAP_NET_ADMIN +no +for/, /CAP_NET_RAW +no +for --local/, /CAP_BPF/] {
        #expect(none.output.contains(row), "\(none)")
      }
      let all = try await Self.run(
        net, Self.user([.network, .rawSockets, .bpf, .monitoring]) + "\"$NFTRACE\" status")
      for row in [/CAP_NET_ADMIN +yes/, /CAP_NET_RAW +yes/, /bpf_clone_redirect +yes/] {
        #expect(all.output.contains(row), "\(all)")
      }
    }

    /// What it has while it runs, when root starts it with everything: the sets of each thread.
    @Test(
      arguments: [
        ("ping --tun \"$TUN\" -i 0.2 -c 1000 $SERVER", [.network]),
        ("ping --local -i 0.2 -c 1000 $SERVER", [.network]),
        ("ping --local -p udp --sport 53 -i 0.2 -c 1000 $SERVER", [.network, .lowPorts]),
        ("ping --in \"$UPLINK\" -s $GATEWAY -i 0.2 -c 1000 $CLIENT", [.network, .bpf]),
        ("intercept 10.66.0.0/16", [.network]), ("intercept --trace 10.66.0.0/16", [.network]),
        ("record \"$DIR/r.pcapng\"", [.network]), ("show --follow", [.network]),
        ("show --follow \"$DIR/f.pcapng\"", []),
        ("record \"$DIR/nobody/r.pcapng\"", [.network, .fileOverride]),
      ] as [(String, [Right])])
    private func whatItHasWhileItRuns(_ command: String, _ rights: [Right]) async throws {
      let net = try await RouterNet()
      let outcome = try await Self.run(
        net,
        """
        "$NFTRACE" setup --no-record 10.66.0.0/16 >/dev/null
        "$NFTRACE" ping --tun "$TUN" -q -W 0.1 -w "$DIR/f.pcapng" $SERVER >/dev/null || test $? = 1
        chmod 700 "$DIR/nobody"
        exec 3<&0
        "$NFTRACE" \(command) >"$DIR/out" 2>&1 & pid=$!
        for i in $(seq 100); do
          sleep 0.05
          grep -q 'NoNewPrivs:.1' /proc/$pid/status && break
        done
        sleep 0.5
        cat /proc/$pid/task/*/status || { cat "$DIR/out"; exit 8; }
        kill -INT $pid
        code=0; wait $pid || code=$?
        "$NFTRACE" teardown >/dev/null
        echo "code $code"; cat "$DIR/out"
        """)
      #expect(outcome.code == 0, "\(command)\n\(outcome)")
      Self.expect(rights, outcome.output, command)
      #expect(outcome.output.contains(/code (130|0|1)\n/), "\(outcome)")
    }

    /// What it has when it tells what it did or found: nobody reads the pipe it writes to, which is full.
    @Test(
      arguments: [
        ("show \"$DIR/f.pcapng\"", []), ("show --json -v \"$DIR/f.pcapng\"", []),
        ("show --backend log \"$DIR/f.log\"", []), ("status", []), ("status --json", []),
        ("setup 10.66.1.0/24", [.network, .bounding]),
        ("teardown", [.network, .system]), ("recordings", []),
      ] as [(String, [Right])])
    private func whatItHasWhenItTells(_ command: String, _ rights: [Right]) async throws {
      let net = try await RouterNet()
      let outcome = try await Self.run(
        net,
        """
        "$NFTRACE" setup --no-record 10.66.0.0/16 >/dev/null
        "$NFTRACE" ping --tun "$TUN" -q -W 0.1 -w "$DIR/f.pcapng" $SERVER >/dev/null || test $? = 1
        echo 'kernel: Linux version 6.1.0' >"$DIR/f.log"
        rm -f "$DIR/pipe"; mkfifo "$DIR/pipe"
        exec 4<>"$DIR/pipe"
        head -c 65536 /dev/zero >&4
        "$NFTRACE" \(command) >&4 2>&1 & pid=$!
        for i in $(seq 100); do
          sleep 0.05
          grep -q pipe_write /proc/$pid/wchan && break
        done
        cat /proc/$pid/wchan; echo
        cat /proc/$pid/task/*/status
        cat <&4 >/dev/null & reader=$!
        code=0; wait $pid || code=$?
        kill $reader
        "$NFTRACE" teardown >/dev/null
        echo "code $code"
        """)
      #expect(outcome.code == 0, "\(command)\n\(outcome)")
      #expect(outcome.output.contains("pipe_write"), "\(command)\n\(outcome)")
      Self.expect(rights, outcome.output, command)
      #expect(outcome.output.contains(/code [01]\n/), "\(outcome)")
    }

    /// A lab's command has what its caller has.
    @Test func whatALabsCommandHas() async throws {
      let net = try await RouterNet()
      let outcome = try await Self.run(
        net,
        """
        grep ^Cap /proc/self/status >"$DIR/caller.caps"
        "$NFTRACE" lab -- grep ^Cap /proc/self/status >"$DIR/command"
        cmp "$DIR/caller.caps" "$DIR/command"
        """)
      #expect(outcome.code == 0, "\(outcome)")
    }

    /// The recorder of a setup, and the guardian of settings that are changed.
    @Test func recorderAndGuardian() async throws {
      let net = try await RouterNet()
      let outcome = try await Self.run(
        net,
        """
        "$NFTRACE" setup 10.66.0.0/16 >"$DIR/out"
        cat /proc/$(sed -n 's/.*process //p' "$DIR/out")/task/*/status
        "$NFTRACE" teardown >/dev/null
        sysctl -qw net.ipv4.ip_forward=0
        "$NFTRACE" ping --forward --tun "$TUN" -i 0.2 -c 1000 $SERVER >/dev/null 2>&1 & pid=$!
        for i in $(seq 100); do
          sleep 0.05
          child=
          for its in $(cat /proc/$pid/task/*/children); do
            grep -qz '^guardian$' /proc/$its/cmdline && child=$its
          done
          test -n "$child" && grep -q 'NoNewPrivs:.1' /proc/$child/status \\
            && grep -q 'NoNewPrivs:.1' /proc/$pid/status && break
        done
        cat /proc/$child/task/*/status
        kill -9 $pid
        for i in $(seq 100); do sleep 0.05; test -d /proc/$child || break; done
        sysctl net.ipv4.ip_forward
        """)
      #expect(outcome.code == 0, "\(outcome)")
      Self.expect([.network], outcome.output, "recorder and guardian")
      #expect(outcome.output.hasSuffix("net.ipv4.ip_forward = 0\n"), "\(outcome)")
    }

    /// The second process of a ping looks at other programs and does nothing else; it goes with the ping.
    @Test func deputy() async throws {
      let net = try await RouterNet()
      let outcome = try await Self.run(
        net,
        """
        # What another test has left there is no sign of this one's.
        rm -f "$DIR/out"
        "$NFTRACE" ping --tun "$TUN" --no-rehearsal -i 0.2 -c 1000 $SERVER >"$DIR/out" 2>&1 & pid=$!
        for i in $(seq 100); do test -s "$DIR/out" && break; sleep 0.05; done
        child=$(cat /proc/$pid/task/*/children | tr -d ' ')
        cat /proc/$child/task/*/status
        ls /proc/$child/fd | tr '\\n' ' ' >"$DIR/open"
        kill -9 $pid
        # Whoever looks after orphans may take its time on a busy machine.
        for i in $(seq 500); do test -d /proc/$child || break; sleep 0.02; done
        test ! -d /proc/$child
        grep -qx '0 1 2 3 ' "$DIR/open"
        """)
      #expect(outcome.code == 0, "\(outcome)")
      Self.expect([.reading, .network, .rawSockets, .processes, .system], outcome.output, "deputy")
    }

    /// One that is stopped is not waited for, and does not stay.
    @Test func stoppedDeputy() async throws {
      let net = try await RouterNet()
      let outcome = try await Self.run(
        net,
        #"""
        perl -MSocket=:all -e 'socket(my $s, AF_INET, SOCK_DGRAM, 0);
          bind($s, pack_sockaddr_in(5999, INADDR_LOOPBACK)) or die $!; sleep 30' & reader=$!
        sleep 0.3
        "$NFTRACE" ping -c 3 -i 0.2 -W 1 -p udp --dport 5999 127.0.0.1 >"$DIR/out" 2>&1 & pid=$!
        child=
        for i in $(seq 200); do
          child=$(cat /proc/$pid/task/*/children | tr -d ' '); test -n "$child" && break; sleep 0.005
        done
        kill -STOP $child
        began=$(date +%s)
        code=0; wait $pid || code=$?
        took=$(($(date +%s) - began))
        kill $reader
        test $code = 1
        test $took -le 8
        grep -q 'has UDP port 5999' "$DIR/out"
        test ! -d /proc/$child
        """#)
      #expect(outcome.code == 0, "\(outcome)")
    }

    private static func expect(_ rights: [Right], _ status: String, _ command: String) {
      var count = 0
      for line in status.split(separator: "\n") {
        let words = line.split(separator: "\t")
        guard words.count == 2 else { continue }
        switch words[0] {
        case "CapPrm:", "CapEff:", "CapBnd:":
          #expect(words[1] == word(rights), "\(command): \(line)")
          count += 1
        case "CapInh:", "CapAmb:": #expect(words[1] == word([]), "\(command): \(line)")
        case "NoNewPrivs:": #expect(words[1] == "1", "\(command): \(line)")
        default: break
        }
      }
      #expect(count >= 3, "\(status)")
    }

    /// Texts of rules come from programs, which have what nftrace has. The lock that iptables-legacy
    /// takes is root's.
    @Test(arguments: ["iptables-nft", "iptables-legacy"])
    func textsOfRules(_ iptables: String) async throws {
      let net = try await RouterNet()
      let nobody = iptables == "iptables-nft" ? Self.user([.network, .rawSockets]) : ""
      let outcome = try await Self.run(
        net,
        """
        \(iptables) -A FORWARD -d $SERVER -m comment --comment "not there" -j DROP
        "$NFTRACE" ping --tun "$TUN" -W 0.5 $SERVER || test $? = 1
        \(nobody)"$NFTRACE" ping --tun "$TUN" -W 0.5 $SERVER || test $? = 1
        """)
      #expect(outcome.code == 0, "\(outcome)")
      let texts = outcome.output.split(separator: #"--comment "not there" -j DROP"#)
      #expect(texts.count == 3, "\(outcome)")
    }
  }
}
