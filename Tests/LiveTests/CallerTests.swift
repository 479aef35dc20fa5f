import Testing

extension LiveTests {
  /// What whoever starts nftrace may have left for it: an environment, dispositions of signals, limits,
  /// files that are none, other PID namespaces. And moments at which it is not given the processor.
  struct CallerTests {
    private func shell(_ net: RouterNet, _ script: String) async throws -> Outcome {
      try await Programs.run(
        [
          "ip", "netns", "exec", net.router, "sh", "-euc",
          "rm -rf \"$DIR/callers\"; mkdir -m 700 \"$DIR/callers\"; cd \"$DIR/callers\"\n\(script)",
        ],
        environment: net.environment)
    }

    /// A router whose client gets answers.
    private static let plan = RouterPlan().with(
      """
      nft add table ip n
      nft 'add chain ip n p { type nat hook postrouting priority 100; }'
      nft add rule ip n p masquerade
      """)

    /// A process that is stopped, or waits for a processor, learns late that its probe was answered: that
    /// is no loss.
    @Test(arguments: ["--tun $TUN", "--local"]) func aStoppedPing(_ way: String) async throws {
      let net = try await RouterNet(Self.plan)
      let outcome = try await shell(
        net,
        """
        "$NFTRACE" ping \(way) -c 60 -i 0.005 -W 0.1 $SERVER >out & pid=$!
        for i in $(seq 12); do
          sleep .03; kill -STOP $pid 2>/dev/null || break; sleep .15; kill -CONT $pid || :
        done
        code=0; wait $pid || code=$?
        grep received out; exit $code
        """)
      #expect(outcome.code == 0, "\(outcome)")
      #expect(outcome.output.contains("60 received"), "\(outcome)")
    }

    /// Nor is what a slow reader hears late: each read takes longer than the probe waits for.
    @Test func aSlowReader() async throws {
      let net = try await RouterNet(Self.plan)
      let outcome = try await shell(
        net,
        """
        strace -f -b execve -e trace=recvfrom -e inject=recvfrom:delay_exit=60000:when=1+7 -o /dev/null \
          "$NFTRACE" ping --tun "$TUN" -W 0.3 $SERVER
        """)
      #expect(outcome.code == 0 && outcome.output.contains("1 received"), "\(outcome)")
    }

    /// A FIFO that nobody reads from is not waited for.
    @Test func aPipeThatNobodyReads() async throws {
      let net = try await RouterNet(RouterPlan().withoutTun())
      let before = try await net.state()
      let outcome = try await shell(
        net,
        """
        mkfifo pipe
        code=0; timeout -k 1 10 "$NFTRACE" ping -w pipe -c 1 --masquerade --forward $SERVER || code=$?
        exit $code
        """)
      #expect(outcome.code == 2 && outcome.error.contains("Nobody reads from it"), "\(outcome)")
      #expect(try await net.state() == before)
    }

    /// A recording is begun anew in its own place: what is no file on a disk stays what it is.
    @Test(arguments: ["mknod file c 1 7", "mkfifo file", "mkdir file"])
    func recordingToWhatIsNoFile(_ make: String) async throws {
      let net = try await RouterNet()
      let outcome = try await shell(
        net,
        """
        \(make)
        before=$(stat -c '%F %i' file)
        "$NFTRACE" setup --no-record $SERVER/32 >/dev/null
        code=0; timeout -k 1 10 "$NFTRACE" record file || code=$?
        "$NFTRACE" teardown >/dev/null
        [ "$before" = "$(stat -c '%F %i' file)" ]
        exit $code
        """)
      #expect(outcome.code == 2, "\(outcome)")
    }

    /// A recording is where it was put, also for commands in other directories that have a file of that
    /// name, and with a link that leads elsewhere meanwhile.
    @Test func aRecordingByARelativeName() async throws {
      let net = try await RouterNet(Self.plan)
      let outcome = try await shell(
        net,
        """
        mkdir a b; echo other >b/r.pcapng
        "$NFTRACE" setup --no-record $SERVER/32 >/dev/null
        cd a; "$NFTRACE" record r.pcapng >/dev/null & pid=$!
        for i in $(seq 50); do sleep .1; [ -s r.pcapng ] && break; done
        cd ../b
        "$NFTRACE" ping --tun "$TUN" -q $SERVER >/dev/null
        sleep 0.7
        "$NFTRACE" status | grep -A3 recorder
        "$NFTRACE" show -q
        again=0; "$NFTRACE" record elsewhere 2>&1 || again=$?
        kill -INT $pid; wait $pid || true
        "$NFTRACE" teardown
        echo "again $again"
        """)
      #expect(outcome.code == 0, "\(outcome)")
      #expect(outcome.output.contains("/callers/a/r.pcapng, "), "\(outcome)")
      #expect(outcome.output.contains("is recorded already, by process"), "\(outcome)")
      #expect(outcome.output.contains("again 2"), "\(outcome)")
      #expect(!outcome.output.contains(" 0 events"), "\(outcome)")
    }

    /// A file that may not grow any more is an error like a disk that is full, not an end.
    @Test(arguments: [180, 300, 400, 1000]) func aLimitOfFileSizes(_ octets: Int) async throws {
      let net = try await RouterNet(RouterPlan().withoutTun())
      let before = try await net.state()
      let outcome = try await shell(
        net,
        """
        code=0
        prlimit --fsize=\(octets) "$NFTRACE" ping --masquerade --forward -c 1 $SERVER || code=$?
        [ $code = 0 ] || [ $code = 3 ]
        """)
      #expect(outcome.code == 0, "\(outcome)")
      #expect(try await net.state() == before)
    }

    /// A setup that gets no recorder is what it was before.
    @Test func aRecorderThatCannotBegin() async throws {
      let net = try await RouterNet()
      let outcome = try await shell(
        net,
        """
        "$NFTRACE" setup --no-record $SERVER/32 >/dev/null
        "$NFTRACE" status --json | jq .setup >before
        code=0; prlimit --fsize=6000 "$NFTRACE" setup $SERVER/32 || code=$?
        "$NFTRACE" status --json | jq .setup >after
        "$NFTRACE" teardown >/dev/null
        diff before after; [ -s before ]; exit $code
        """)
      #expect(outcome.code == 3, "\(outcome)")
    }

    /// Who ignores the end of processes learns how a lab's command ended all the same.
    @Test func whoIgnoresChildren() async throws {
      let net = try await RouterNet()
      let outcome = try await shell(
        net,
        """
        code=0
        python3 -c 'import os, signal, sys
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        os.execv(sys.argv[1], sys.argv[1:])' "$NFTRACE" lab -- sh -c 'exit 7' || code=$?
        exit $code
        """.replacing("\n        ", with: "\n"))
      #expect(outcome.code == 7, "\(outcome)")
    }

    /// From another PID namespace a process cannot be looked up: its journal is not taken for one that
    /// was left.
    @Test func anotherPIDNamespace() async throws {
      let net = try await RouterNet(RouterPlan().withoutTun())
      let outcome = try await shell(
        net,
        """
        before=$(sysctl -n net.ipv4.ip_forward); sysctl -qw net.ipv4.ip_forward=0
        "$NFTRACE" ping --masquerade --forward -c 100 -i 0.1 $SERVER >/dev/null & pid=$!
        for i in $(seq 50); do sleep .1; [ "$(sysctl -n net.ipv4.ip_forward)" = 1 ] && break; done
        unshare --pid --fork --mount-proc "$NFTRACE" status
        sysctl -n net.ipv4.ip_forward
        kill -INT $pid; wait $pid || true
        sysctl -n net.ipv4.ip_forward
        sysctl -qw net.ipv4.ip_forward=$before
        """)
      #expect(outcome.code == 0 && !outcome.error.contains("took back"), "\(outcome)")
      #expect(outcome.output.hasSuffix("\n1\n0\n"), "\(outcome)")
    }

    /// A namespace whose name is no text is one like others.
    @Test func aNameThatIsNoText() async throws {
      let net = try await RouterNet()
      let outcome = try await shell(
        net,
        """
        name=$(printf 'nftrace-test-\\377\\376')
        ip netns add "$name"
        code=0
        "$NFTRACE" setup --no-record 127.0.0.0/8 --netns "$name" || code=$?
        "$NFTRACE" status --all || code=$?
        "$NFTRACE" teardown --netns "$name" || code=$?
        ip netns del "$name"
        exit $code
        """)
      #expect(outcome.code == 0, "\(outcome)")
      #expect(outcome.output.contains("watching   127.0.0.0/8"), "\(outcome)")
      #expect(!outcome.output.contains("not to be found"), "\(outcome)")
    }

    /// Where the program has more rights than its caller, libraries in it follow no environment, and a
    /// program that is set-user-id does not work at all.
    @Test func aProgramWithMoreRights() async throws {
      let net = try await RouterNet()
      let outcome = try await shell(
        net,
        """
        chmod 755 "$DIR" .
        mkdir -m 700 state; chown 65534 state
        cp "$NFTRACE" capable; setcap cap_net_admin,cap_net_raw+ep capable
        cp "$NFTRACE" user; chmod 4755 user
        mkdir evil
        echo '__attribute__((constructor)) static void go(void) { creat("evil/ran", 0600); }' >evil/x.c
        sed -i '1i #include <fcntl.h>' evil/x.c
        cc -shared -fPIC -o evil/libxt_u32.so evil/x.c || clang -shared -fPIC -o evil/libxt_u32.so evil/x.c
        chmod 777 evil
        iptables-nft -A FORWARD -d $SERVER -m u32 --u32 "0>>28=4" -j DROP
        nft add chain ip filter extra '{ type filter hook forward priority 10; }'
        mount -t tmpfs -o uid=65534,mode=700 none /var/lib/nftrace 2>/dev/null \
          || { mkdir -p /var/lib/nftrace; mount -t tmpfs -o uid=65534,mode=700 none /var/lib/nftrace; }
        mount -t tmpfs none /dev/net; mknod /dev/net/tun c 10 200; chmod 666 /dev/net/tun
        nobody="setpriv --reuid=65534 --regid=65534 --clear-groups"
        # What the library would do is seen where it may.
        XTABLES_LIBDIR=$PWD/evil nft list ruleset >/dev/null 2>&1 || true
        [ -e evil/ran ]; rm evil/ran
        XTABLES_LIBDIR=$PWD/evil $nobody ./capable ping --tun "$TUN" -W 0.3 $SERVER || [ $? = 1 ]
        [ ! -e evil/ran ]
        code=0; $nobody ./user ping --tun "$TUN" -W 0.3 $SERVER || code=$?
        [ $code = 3 ]
        """)
      #expect(outcome.code == 0, "\(outcome)")
      #expect(outcome.error.contains("set-user-id"), "\(outcome)")
    }
  }
}
