import FoundationEssentials
import Testing

extension LiveTests {
  /// Other programs, and kernels and rights that allow less: the answer may say less, and is never
  /// wrong.
  struct BadCompanyTests {
    private static let dropping = RouterPlan().with(
      """
      nft add table inet fw
      nft 'add chain inet fw f { type filter hook forward priority 0; }'
      nft add rule inet fw f ip daddr $SERVER drop
      """)

    private func ping(_ words: String) -> String {
      #""$NFTRACE" ping --netns $R --tun "$TUN" -W 0.3 \#(words) $SERVER"#
    }

    /// The cause is still named; `status` says what would be known besides.
    @Test(arguments: [
      (
        "unshare --mount --propagation private sh -euc 'mount -t tmpfs none /sys/kernel/btf; $0'",
        "BTF"
      ),
      ("setpriv --bounding-set=-bpf,-perfmon,-sys_admin sh -euc '$0'", "CAP_BPF"),
    ])
    func withoutDropReasons(_ wrapper: String, _ missing: String) async throws {
      let net = try await RouterNet(Self.dropping)
      let script = #""$NFTRACE" status; ! "$NFTRACE" ping --tun "$TUN" -W 0.3 $SERVER"#
      let told = try await net.inRouter(wrapper.replacing("$0", with: script))
      #expect(told.contains(/drop reasons +no +for/) && told.contains(missing), "\(told)")
      #expect(told.contains("chain f (inet fw) drops it\n"), "\(told)")
    }

    /// Handles begin again in a table that is made anew: no rule's text is told for another's, and no
    /// command names a handle that may be another's.
    @Test func aDropThatIsReloaded() async throws {
      let net = try await RouterNet(Self.dropping)
      let output = try await net.inRouter(
        """
        for n in 1 2 3; do
          printf 'flush ruleset\\ntable inet fw { chain f { type filter hook forward priority 0;\\n'
          # The rule that drops has another place each time, and so another handle.
          for i in $(seq $n); do echo "ip daddr 203.0.113.$i drop"; done
          echo "ip daddr $SERVER drop"
          printf '}\\n}\\n'
        done >"$DIR/all"
        awk -v dir="$DIR" '/^flush/ { n++ } { print > (dir "/ruleset" n) }' "$DIR/all"
        (while :; do for n in 1 2 3; do nft -f "$DIR/ruleset$n"; done; done) & reload=$!
        "$NFTRACE" ping --tun "$TUN" -c 40 -i 0.02 -W 0.2 --json $SERVER || test $? = 1
        kill $reload
        """)
      let report = try FindingReport(output)
      #expect(report.probes.count == 40)
      for probe in report.probes {
        #expect(probe.outcome == "lost")
        let drop = try #require(probe.findings.first { $0.id == "rule-drop" }, "\(probe)")
        #expect(drop.at?.chain == "f", "\(probe)")
        if let rule = drop.at?.rule { #expect(rule == "ip daddr 119.29.29.29 drop") }
      }
    }

    /// Two rulesets take turns: in each a rule of the same handle, or at the same place, drops
    /// another port. Where it is told what a rule says, it is the rule that the packet met.
    @Test(arguments: ["nft -f", "iptables-nft-restore", "iptables-legacy-restore"])
    func noRuleIsTakenForAnother(_ load: String) async throws {
      let net = try await RouterNet()
      let output = try await net.inRouter(
        """
        for n in 1 2; do
          first=100$n second=100$((3 - n))
          if [ "\(load)" = "nft -f" ]; then
            printf 'flush ruleset\ntable inet fw { chain f { type filter hook forward priority 0;\n'
            printf 'udp dport %s drop\n' $first $second
            printf '}\n}\n'
          else
            printf '*filter\n:FORWARD ACCEPT [0:0]\n'
            printf '%s\n' "-A FORWARD -p udp --dport $first -j DROP" \
              "-A FORWARD -p udp --dport $second -j DROP"
            echo COMMIT
          fi >"$DIR/ruleset$n"
        done
        \(load) "$DIR/ruleset1"
        (while :; do for n in 2 1; do \(load) "$DIR/ruleset$n"; sleep 0.0$n; done; done) & reload=$!
        ping() {
          echo ----
          "$NFTRACE" ping --tun "$TUN" -p udp --dport $1 -W 0.2 --json $2 $SERVER || test $? = 1
        }
        for port in 1001 1002 1001 1002; do ping $port "-c 25 -i 0.005"; done
        kill $reload
        wait $reload || true
        \(load) "$DIR/ruleset2"
        ping 1002 "-c 1"
        """)
      let reports = try output.split(separator: "----\n").map { try FindingReport(String($0)) }
      #expect(reports.count == 5)
      for (index, report) in reports.enumerated() {
        let port = index % 2 == 0 && index < 4 ? "1001" : "1002"
        #expect(report.probes.count == (index < 4 ? 25 : 1))
        for probe in report.probes {
          let drop = try #require(probe.findings.first { $0.id.hasSuffix("-drop") }, "\(probe)")
          if let rule = drop.at?.rule {
            #expect(rule.contains("dport \(port)"), "\(drop)")
          } else {
            #expect(drop.summary.contains("loaded anew meanwhile"), "\(drop)")
          }
        }
      }
      // What stays is told with its text.
      #expect(reports.last?.probes.first?.findings.first?.at?.rule?.contains("dport 1002") == true)
    }

    /// Loaded once, between two probes: the second is told with the text of the rule it met.
    @Test func reloadedBetweenProbes() async throws {
      let net = try await RouterNet(Self.dropping)
      let output = try await net.inRouter(
        """
        cat >"$DIR/ruleset" <<.
        flush ruleset
        table inet fw { chain f { type filter hook forward priority 0; meta l4proto icmp drop; }; }
        .
        (sleep 0.6; nft -f "$DIR/ruleset") &
        "$NFTRACE" ping --tun "$TUN" -c 2 -i 1.2 -W 0.3 --json $SERVER || test $? = 1
        wait
        """)
      let rules = try FindingReport(output).probes.map { $0.findings.first?.at?.rule }
      #expect(rules == ["ip daddr 119.29.29.29 drop", "meta l4proto icmp drop"], "\(output)")
    }

    /// Nobody but its owner can change such a table: no command is given that would fail.
    @Test func aTableOfAnotherProgram() async throws {
      let net = try await RouterNet()
      let output = try await net.inRouter(
        """
        mkfifo "$DIR/nft"
        nft -i <"$DIR/nft" >/dev/null & owner=$!
        exec 9>"$DIR/nft"
        echo 'add table inet own { flags owner; }' >&9
        echo 'add chain inet own f { type filter hook forward priority 3; }' >&9
        echo "add rule inet own f ip daddr $SERVER drop" >&9
        until nft list ruleset | grep -q "$SERVER drop"; do sleep 0.05; done
        "$NFTRACE" ping --tun "$TUN" -W 0.3 --json $SERVER || test $? = 1
        exec 9>&-
        rm "$DIR/nft"
        wait $owner
        """)
      let finding = try #require(try FindingReport(output).probes.first?.findings.first)
      #expect(finding.id == "rule-drop" && finding.at?.rule == "ip daddr 119.29.29.29 drop")
      #expect(finding.remedy == nil)
      #expect(finding.summary.contains("only the program that owns this table can change it"))
    }

    /// Rules of iptables, and no iptables to tell them: libnftables cannot.
    @Test func aRuleThatNobodyCanPrint() async throws {
      let net = try await RouterNet(
        RouterPlan().with(
          "iptables-nft -A FORWARD -m statistic --mode nth --every 1 --packet 0 -j DROP"))
      let told = try await net.run(
        """
        unshare --mount --propagation private sh -euc '
          mount --bind /dev/null "$(readlink -f /usr/sbin/iptables-nft)"
          ! \(ping(""))'
        """)
      #expect(told.contains(/handle \d+ of chain FORWARD \(ip filter\) drops it/), "\(told)")
    }

    /// TRACE of iptables-legacy goes to NFLOG group 0, which may have one reader.
    @Test func whoeverReadsGroup0() async throws {
      let net = try await RouterNet(
        RouterPlan().with("iptables-legacy -A FORWARD -d $SERVER -j DROP"))
      let told = try await net.inRouter(
        """
        tcpdump -i nflog:0 -w /dev/null 2>"$DIR/tcpdump" & reader=$!
        until grep -q listening "$DIR/tcpdump"; do sleep 0.05; done
        ! "$NFTRACE" ping --tun "$TUN" -W 0.3 -v $SERVER
        kill $reader
        """)
      #expect(
        told.contains("a rule of the iptables-legacy table filter drops it (likely)"), "\(told)")
      #expect(told.contains("It is held by tcpdump"), "\(told)")
    }

    /// Somebody else's packets fail the reverse path filter all the time; the probe does not.
    @Test func countersOfOthers() async throws {
      let net = try await RouterNet(
        RouterPlan().with(
          """
          iptables-nft -t nat -A POSTROUTING -s $SUBNET -j MASQUERADE
          sysctl -qw net.ipv4.conf.all.rp_filter=1
          """))
      let told = try await net.run(
        """
        ip -n $R route add blackhole 198.51.100.0/24
        ip -n $S addr add 198.51.100.9/32 dev lo
        ip netns exec $S ping -q -i 0.01 -I 198.51.100.9 $ROUTER >/dev/null 2>&1 & flood=$!
        sleep 0.2
        ip netns exec $R setpriv --bounding-set=-bpf,-perfmon,-sys_admin \
          "$NFTRACE" ping --tun "$TUN" -W 0.3 --json 119.29.29.99 || test $? = 1
        kill $flood
        """)
      let ids = try FindingReport(told).probes.first?.findings.map(\.id)
      #expect(ids?.contains("reverse-path-filter") == false, "\(told)")
    }

    /// Conntrack's counters of clashes go up for others; this packet's next hop is not there.
    @Test func clashesOfOthers() async throws {
      let net = try await RouterNet(
        RouterPlan().with("iptables-nft -t nat -A POSTROUTING -s $SUBNET -j MASQUERADE"))
      let told = try await net.inRouter(
        """
        nft 'table ip one { chain post { type nat hook postrouting priority 90
          ip daddr '$SERVER' meta l4proto udp snat to '$ROUTER':7777
        }; }'
        sysctl -qw net.ipv4.neigh.$UPLINK.retrans_time_ms=1000
        ip route add 203.0.113.0/24 via 172.16.16.99
        (while :; do bash -c "echo x >/dev/udp/$SERVER/9" || true; done) 2>/dev/null & others=$!
        clashes() { conntrack -S | sed 's/.*insert_failed=\\([0-9]*\\).*/\\1/' | paste -sd+ | bc; }
        before=$(clashes)
        until [ "$(clashes)" -gt "$before" ]; do sleep .05; done
        "$NFTRACE" ping --tun "$TUN" -W 0.4 --json 203.0.113.9 || test $? = 1
        kill $others
        """)
      let ids = try FindingReport(told).probes.first?.findings.map(\.id)
      #expect(ids == ["neighbour-unresolved"], "\(told)")
    }

    /// What was seen before the interface went is told, as text and as JSON.
    @Test(arguments: ["", "--json"])
    func whatWasSeenBefore(_ words: String) async throws {
      let net = try await RouterNet(RouterPlan().withoutTun())
      let told = try await net.inRouter(
        """
        ip tuntap add gone0 mode tun; ip addr add 10.9.9.1/24 dev gone0; ip link set gone0 up
        (sleep 0.6; ip link del gone0) &
        "$NFTRACE" ping --tun gone0 \(words) -c 50 -i 0.1 -W 0.2 10.9.9.1 2>/dev/null || test $? = 3
        """)
      if words.isEmpty {
        #expect(told.contains("10.9.9.1 nftrace ping statistics"), "\(told)")
      } else {
        #expect(try FindingReport(told).probes.first?.outcome == "replied", "\(told)")
      }
    }

    /// The interface goes while probes are sent: the error says so, and nothing is left.
    @Test(arguments: [
      ("ip tuntap add gone0 mode tun", "--tun gone0"),
      ("ip link add gone0 type veth peer name gone1; ip link set gone1 up", "--in gone0"),
    ])
    func anInterfaceThatVanishes(_ make: String, _ entrance: String) async throws {
      let net = try await RouterNet(RouterPlan().withoutTun())
      let before = try await net.inRouter("nft list ruleset; ip -o link")
      let told = try await net.inRouter(
        """
        \(make); ip addr add 10.9.9.1/24 dev gone0; ip link set gone0 up
        (sleep 0.6; ip link del gone0) &
        "$NFTRACE" ping \(entrance) -c 20 -i 0.1 -W 0.2 $SERVER >/dev/null 2>"$DIR/error" || echo $?
        cat "$DIR/error"; wait
        """)
      #expect(
        told.hasPrefix("3\n") && told.lowercased().contains("interface was removed"), "\(told)")
      #expect(try await net.inRouter("nft list ruleset; ip -o link") == before)
    }

    /// A namespace lives as long as somebody works in it, whatever becomes of its name.
    @Test func aNamespaceWithoutItsName() async throws {
      let name = "nftrace-test-gone-\(UInt32.random(in: 0 ... .max))"
      let outcome = try await Programs.shell(
        """
        ip netns add \(name); ip -n \(name) link set lo up
        (sleep 0.5; ip netns del \(name)) &
        "$NFTRACE" ping --netns \(name) -c 10 -i 0.1 -W 0.2 --tun-address 10.9.9.1/24 10.9.9.1
        wait
        """)
      #expect(outcome.code == 0 && outcome.output.contains("10 received"), "\(outcome)")
    }

    /// The device's MTU is for what goes out to it: what comes in may be longer.
    @Test func aDeviceOfASmallMTU() async throws {
      let net = try await RouterNet(
        RouterPlan().with(
          """
          iptables-nft -t nat -A POSTROUTING -s $SUBNET -j MASQUERADE
          ip link set "$TUN" mtu 576
          """))
      let outcome = try await net.ping(["--size", "1400"])
      #expect(outcome.code == 0 && outcome.output.contains("answered"), "\(outcome)")
    }
  }
}

/// The findings of a ping's JSON.
private struct FindingReport: Decodable {
  var probes: [Probe]

  struct Probe: Decodable {
    var outcome: String
    var findings: [Finding]
  }

  struct Finding: Decodable {
    var id: String
    var summary: String
    var remedy: String?
    var at: Place?
  }

  struct Place: Decodable {
    var chain: String?
    var rule: String?
  }

  init(_ output: String) throws {
    self = try JSONDecoder().decode(FindingReport.self, from: Data(output.utf8))
  }
}
