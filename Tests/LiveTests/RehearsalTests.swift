import FoundationEssentials
import Testing

extension LiveTests {
  /// The copy of a network namespace, and what is tried in it.
  @Suite(.timeLimit(.minutes(4)))
  struct RehearsalTests {
    /// What a copy must have as the original has it, in the words of its tools.
    private static let listing = """
      nft -a list ruleset | sed 's/ expires [^ ]*//'
      ip -o addr | sed 's/ valid_lft.*//; s/ noprefixroute//; s/ nodad//; s/ *\\\\\\\\ *$//; s/ dynamic//'
      ip -br link | grep -v '^tun' | sed 's/@[^ ]*//; s/<[^>]*>//; s/  */ /g'
      for version in -4 -6; do
        ip $version route show table all | grep -v '^\\(local\\|broadcast\\|anycast\\|multicast\\) ' |
          sed 's/ linkdown//' | sort
        ip $version rule
        ip $version neigh | grep -v FAILED | sed 's/ [A-Z]* *$//' | sort
      done
      for tool in iptables ip6tables; do $tool-legacy-save 2>/dev/null | grep -v '^#' | sed 's/ [[].*//'; done
      iptables-save 2>/dev/null | grep -v '^#' | sed 's/ [[].*//'
      sysctl -a -r '^net[.]' 2>/dev/null |
        grep -v '[.]neigh[.]\\|nf_log\\|stable_secret\\|addr_gen_mode\\|_dad\\|dad_\\|solicit\\|tempaddr\\|_count'
      """

    private static let iptables = """
      iptables -A FORWARD -p tcp -m multiport --dports 80,443 -m comment --comment 'the web' -j ACCEPT
      iptables -A FORWARD -p udp -m hashlimit --hashlimit-upto 5/s --hashlimit-name u -j ACCEPT
      iptables -A FORWARD ! -p icmp -m statistic --mode random --probability 0.5 -j MARK --set-mark 1
      iptables -t nat -A POSTROUTING -s $SUBNET -o $UPLINK -j MASQUERADE
      iptables -t mangle -A FORWARD -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu
      iptables-legacy -A INPUT -p tcp -m tcp --dport 22 -j ACCEPT
      iptables-legacy -N own; iptables-legacy -A FORWARD -m state --state INVALID -j own
      iptables-legacy -P OUTPUT DROP
      ip6tables-legacy -A INPUT -p tcp -m multiport --dports 1,2 -j REJECT
      """

    private static let tables = """
      table inet fw {
        counter seen { packets 3 bytes 4; }
        quota much { over 10 mbytes used 2 mbytes; }
        limit few { rate 5/second; }
        set ports { type inet_service; flags interval; elements = { 22, 80-90, 91-100, 65000-65535 }; }
        set pairs { type ipv4_addr . inet_service; flags interval; elements = { 10.0.0.0/8 . 1-5, 192.168.0.1 . 9 }; }
        set seenlately { type ipv4_addr; flags dynamic,timeout; timeout 1h; elements = { 10.0.0.9 }; }
        set counted { type ipv4_addr; counter; elements = { 10.0.0.1 counter packets 5 bytes 6 }; }
        map ways { type mark : verdict; elements = { 1 : jump side, 2 : drop }; }
        map names { type ifname : ipv4_addr; elements = { "wan0" : 10.0.0.1 }; }
        map objects { type inet_service : counter; elements = { 80 : "seen" }; }
        chain side { counter name seen; limit name few accept; }
        chain in { type filter hook input priority 0; policy drop;
          ct state vmap { established : accept, invalid : drop }
          tcp dport @ports accept comment "some ports"
          ip saddr . tcp dport @pairs accept
          meta mark vmap @ways
          iifname { "a", "b" } tcp dport { 1-5, 9 } jump side
          quota name much drop
          update @seenlately { ip saddr limit rate 3/minute } log prefix "x" reject with tcp reset
          fib saddr . iif oif missing drop
        }
      }
      table bridge b { chain f { type filter hook forward priority -200; ether type arp accept; }; }
      table netdev d { chain i { type filter hook ingress device "lo" priority 0; drop; }; }
      table arp a { chain i { type filter hook input priority 0; arp operation request accept; }; }
      """

    private static let routing = """
      ip addr add 10.9.0.1/24 dev $UPLINK; ip -6 addr add fd99::1/64 dev $UPLINK nodad
      ip route add 10.8.0.0/16 via 10.9.0.7 metric 50
      ip route add blackhole 10.7.0.0/16; ip route add unreachable 10.6.0.0/16 metric 9
      ip route add default via 10.9.0.2 table 77; ip route add 10.5.0.0/16 table 77 src 10.9.0.1 dev $UPLINK mtu 1300
      ip route add 10.4.0.0/16 nexthop via 10.9.0.2 weight 2 nexthop via 10.9.0.3
      ip -6 route add fd98::/32 via fd99::2; ip -6 route add fd97::/32 nexthop via fd99::2 nexthop via fd99::3
      ip rule add pref 100 fwmark 0x10/0xf0 lookup 77; ip rule add pref 200 from 10.9.0.0/24 lookup main suppress_prefixlength 0
      ip rule add pref 300 iif $UPLINK ipproto tcp dport 80-90 prohibit; ip -6 rule add pref 400 to fd98::/32 lookup 77
      ip neigh add 10.9.0.2 lladdr 02:11:22:33:44:55 dev $UPLINK nud permanent
      ip neigh add proxy 10.9.0.77 dev $UPLINK
      ip link add br7 type bridge; ip link add p1 type veth peer name p2; ip link set p1 master br7
      ip link set br7 up; ip link set p1 up; ip link set p2 up; ip addr add 10.10.0.1/24 dev br7
      bridge link set dev p1 hairpin on isolated on
      bridge fdb add 02:99:99:99:99:99 dev p1 master static
      sysctl -qw net.ipv4.conf.$UPLINK.rp_filter=2 net.ipv4.conf.all.arp_ignore=1 net.ipv6.conf.p2.disable_ipv6=1
      """

    /// Rules with handles that have gaps and are in no order, as after a year of changes.
    private static let gaps = """
      nft add chain inet fw gone; nft add rule inet fw gone drop; nft delete chain inet fw gone
      nft insert rule inet fw in tcp dport 1 accept; nft insert rule inet fw in tcp dport 2 accept
      nft delete rule inet fw in handle $(nft -a list chain inet fw in | sed -n 's/.*dport 1 accept # handle //p')
      nft add chain inet fw last
      """

    @Test func aCopyIsTheSame() async throws {
      let net = try await RouterNet()
      try await net.inRouter(Self.iptables + "\nnft -f - <<'N'\n\(Self.tables)\nN\n")
      try await net.inRouter(Self.routing + "\n" + Self.gaps)
      let file = "\(Programs.directory)/listing.sh"
      try Self.listing.write(toFile: file, atomically: true, encoding: .utf8)
      let before = try await net.state()
      let original = try await net.inRouter("sh \(file) 2>&1")
      let copied = try await net.inRouter(
        """
        "$NFTRACE" ping -q --with 'sh \(file) >$DIR/copied 2>&1' $SERVER >$DIR/rehearsed || true
        cat $DIR/copied
        """)
      let (there, here) = (
        Set(copied.split(separator: "\n")), Set(original.split(separator: "\n"))
      )
      #expect(here.count > 300, "\(original)")
      #expect(here.subtracting(there).sorted() == [], "missing in the copy")
      #expect(there.subtracting(here).sorted() == [], "in the copy alone")
      try await net.expectState(before, "a copy")
    }

    /// Who is asked in a copy answers, through NAT and back; and it has its own way out of nowhere.
    @Test(arguments: [RouterPlan(), .ipv6])
    func whatIf(_ plan: RouterPlan) async throws {
      let tables = plan.version == 4 ? "iptables" : "ip6tables"
      let net = try await RouterNet(
        plan.with(
          "\(tables) -P FORWARD DROP; \(tables) -t nat -A POSTROUTING -s $SUBNET -j MASQUERADE"))
      let before = try await net.state()
      for (command, code) in [("true", 1), ("\(tables) -P FORWARD ACCEPT", 0)] {
        let outcome = try await Programs.run(
          [
            "ip", "netns", "exec", net.router, Programs.nftrace, "ping", "--tun", plan.tun,
            "--with",
            command, plan.server,
          ])
        #expect(outcome.code == code, "\(outcome)")
        #expect(
          outcome.output.contains("in a copy of this network namespace")
            && outcome.output.contains("with      \(command)"), "\(outcome)")
      }
      try await net.expectState(before, "what if")
    }

    /// A rule in a chain without a name of its own is told as it is outside of copies.
    @Test func chainsWithoutNames() async throws {
      let net = try await RouterNet()
      try await net.inRouter(
        """
        nft add table inet f; nft "add chain inet f way { type filter hook forward priority 0; }"
        nft 'add rule inet f way tcp dport 1-100 jump { tcp dport 80 drop comment "no web"; }'
        """)
      let outcome = try await Programs.run(
        [
          "ip", "netns", "exec", net.router, Programs.nftrace, "ping", "--tun", net.plan.tun,
          "--with", "nft flush chain inet f nothing || true", "-v", "\(net.plan.server):80",
        ])
      #expect(outcome.code == 1)
      #expect(outcome.output.contains("tcp dport 80 drop comment \"no web\""), "\(outcome)")
      #expect(outcome.output.contains("tcp dport 1-100 jump { ... }"), "\(outcome)")
      #expect(!outcome.output.contains("__chain"), "\(outcome)")
    }

    /// A TUN device is Ethernet in a copy: that is said where rules ask for it.
    @Test func kindsOfInterfaces() async throws {
      let net = try await RouterNet()
      for (rule, isSaid) in [("meta iifkind tun", true), ("iifname lo", false)] {
        let told = try await net.inRouter(
          """
          nft add table inet f; nft "add chain inet f way { type filter hook forward priority 0; }"
          nft add rule inet f way \(rule) counter
          "$NFTRACE" ping --with true $SERVER || true; nft delete table inet f
          """)
        #expect(told.contains("of which kind an interface is") == isSaid, "\(told)")
      }
    }

    /// What rules have counted is not told by the kernel: that it begins anew is said, where they decide by it.
    @Test(arguments: [
      ("nft add rule inet f way limit rate 1/hour burst 1 packets accept", true),
      ("iptables -A FORWARD -m recent --update --seconds 5 -j DROP", true),
      ("iptables-legacy -A FORWARD -m limit --limit 1/hour -j ACCEPT", true),
      (
        "ip6tables-legacy -A FORWARD -m hashlimit --hashlimit-name x --hashlimit-above 1/hour -j DROP",
        true
      ),
      ("iptables -A FORWARD -m limit --limit 5/min -j LOG", false),
    ])
    func limits(_ rule: String, _ isSaid: Bool) async throws {
      let net = try await RouterNet()
      let told = try await net.inRouter(
        """
        nft add table inet f; nft "add chain inet f way { type filter hook forward priority 0; }"
        \(rule); "$NFTRACE" ping --with true $SERVER || true
        """)
      #expect(told.contains("differs   limits begin anew") == isSaid, "\(told)")
    }

    private static let through = "tried in a copy of this namespace: with it the probe gets through"

    /// What helps is tried, also where something else comes behind it; and the file says what was told.
    @Test(arguments: [RouterPlan(), .ipv6])
    func remediesAreTried(_ plan: RouterPlan) async throws {
      let net = try await RouterNet(
        plan.with(
          """
          \(plan.version == 4 ? "iptables" : "ip6tables") -t nat -A POSTROUTING -s $SUBNET -j MASQUERADE
          """))
      try await net.inRouter(
        "nft 'table inet one { chain f { type filter hook forward priority 0; policy drop; }; }'")
      let before = try await net.state()
      let file = "\(Programs.directory)/tried.pcapng"
      let first = try await net.ping(["-w", file])
      let told = first.output.split(separator: "\n").joined(separator: " ").split(separator: " ")
        .joined(separator: " ")
      #expect(first.code == 1 && told.contains(Self.through), "\(first)")
      let shown = try await Programs.nftrace(["show", file])
      #expect(
        shown.output.split { $0.isWhitespace }.joined(separator: " ").contains(Self.through),
        "\(shown)")
      let untried = try await net.ping(["--no-rehearsal"])
      #expect(
        untried.output.contains("remedy") && !untried.output.contains("tried in a copy"),
        "\(untried)")
      try await net.expectState(before, "trials")

      try await net.inRouter(
        "nft 'table inet two { chain f { type filter hook forward priority 9; icmp type echo-request drop; "
          + "icmpv6 type echo-request drop; }; }'")
      let second = try await net.ping()
      #expect(
        second.output.contains("  then      ")
          && second.output.contains("nft insert rule inet two f"),
        "\(second)")
      let json = try await net.ping(["--json"])
      #expect(
        json.output.contains("\"rehearsed\": true")
          && json.output.contains("\"id\": \"rule-drop\""),
        "\(json)")
      // All of it, as it is printed, cures the original.
      let commands = second.output.split(separator: "remedy    ").dropFirst().map { block in
        block.split(separator: "\n").prefix { line in
          !line.contains("tried in a copy") && !line.hasPrefix("  then")
        }
        .joined(separator: "\n").split(separator: "\n\n")[0]
      }
      #expect(commands.count == 2, "\(second)")
      for command in commands { try await net.inRouter(String(command)) }
      let last = try await net.ping()
      #expect(last.code == 0, "\(last)")
    }

    /// Of several commands that may help, the narrowest that does is told.
    @Test func theNarrowestRemedyThatWorksIsTold() async throws {
      let net = try await RouterNet(.ipv6)
      try await net.inRouter(
        """
        nft -f - <<'N'
        table inet fw {
          set clients { type ipv6_addr; elements = { fd00:69::9 }; }
          set ports { type inet_service; elements = { 80, 443 }; }
          chain known { ct state established,related accept; }
          chain f { type filter hook forward priority 0; policy drop;
            jump known
            ip6 saddr @clients tcp dport @ports accept
          }
        }
        N
        """)
      // The client alone is missing in a set.
      let first = try await net.ping(["-p", "tcp", "--dport", "80", "--json"])
      #expect(
        first.output.contains("\"remedy\": \"nft add element inet fw clients '{ fd00:69::1 }'\"")
          && first.output.contains("\"rehearsed\": true"), "\(first)")
      // Port and client are: an element does not do, and a rule does; the answer has one already.
      let second = try await net.ping(["-p", "tcp", "--dport", "81", "--json"])
      #expect(
        second.output.contains("\"remedy\": \"nft add rule inet fw f ip6 saddr fd00:69::1 ")
          && second.output.contains("tcp dport 81 accept\"")
          && second.output.contains("\"rehearsed\": true"), "\(second)")
      // Unseen, what an expert would run.
      let untried = try await net.ping(["-p", "tcp", "--dport", "81", "--no-rehearsal", "--json"])
      #expect(
        untried.output.contains("tcp dport 81 accept && nft add rule")
          && untried.output.contains("\"rehearsed\": null"), "\(untried)")
    }

    /// Where no command is known to help, it is searched for one if more is to be told.
    @Test func whatHelpsIsSearchedFor() async throws {
      let net = try await RouterNet(
        RouterPlan().with(
          """
          iptables -t nat -A POSTROUTING -s $SUBNET -j MASQUERADE
          iptables -N cali-FORWARD; iptables -A FORWARD -j cali-FORWARD
          iptables -A cali-FORWARD -p icmp -j DROP
          """))
      let before = try await net.state()
      let file = "\(Programs.directory)/searched.pcapng"
      let verbose = try await net.ping(["-v", "-w", file])
      let found = "  found     iptables -t filter -D cali-FORWARD 1\n"
      #expect(
        verbose.code == 1 && verbose.output.contains(found)
          && verbose.output.contains("tried in a copy of this namespace: with it the probe gets")
          && !verbose.output.contains("  search "), "\(verbose)")
      let shown = try await Programs.nftrace(["show", "-v", file])
      #expect(shown.output.contains(found), "\(shown)")
      let json = try await net.ping(["-v", "--json"])
      #expect(
        json.output.contains("\"command\": \"iptables -t filter -D cali-FORWARD 1\""), "\(json)")
      for words in [[], ["-v", "--no-rehearsal"]] {
        let other = try await net.ping(words)
        #expect(!other.output.contains("found  "), "\(other)")
        #expect(other.output.contains("  search    nftrace why-not") == !words.isEmpty, "\(other)")
      }
      try await net.expectState(before, "a search")
    }

    /// Who was seen behind a port of a bridge is there alone; who was not, behind all.
    @Test func whoIsBehindAPort() async throws {
      let net = try await RouterNet()
      try await net.inRouter(
        """
        ip link add br5 type bridge; ip addr add 10.11.0.1/24 dev br5; ip link set br5 up
        for port in 1 2; do
          ip link add port$port type veth peer name out$port netns $S; ip link set port$port master br5 up
          ip netns exec $S ip link set out$port up
        done
        bridge fdb add 02:00:00:00:00:77 dev port2 master dynamic
        ip neigh add 10.11.0.7 lladdr 02:00:00:00:00:77 dev br5 nud permanent
        nft 'table bridge b { chain f { type filter hook input priority 0; iifname port2 drop; }; }'
        """)
      for (address, code) in [("10.11.0.7", 1), ("10.11.0.8", 0)] {
        let outcome = try await Programs.nftrace([
          "ping", "--netns", net.router, "--local", "--with",
          "ip neigh del 10.11.0.7 dev br5", address,
        ])
        #expect(outcome.code == code, "\(outcome)")
      }
    }

    /// Hosts of a bridge to whom its own host never spoke speak over the bridge in the copy as well; nobody is asked for
    /// in the original.
    @Test func neighboursOfEachOther() async throws {
      let net = try await RouterNet()
      try await net.inRouter(
        """
        for n in $R $S; do ip netns exec $n sysctl -qw net.ipv6.conf.default.disable_ipv6=1; done
        # One that snoops reports itself to other snoopers a second later.
        ip link add br5 type bridge mcast_snooping 0; ip addr add 10.11.0.1/24 dev br5; ip link set br5 up
        ip netns exec $S sysctl -qw net.ipv4.conf.all.arp_ignore=1
        for port in 1 2; do
          ip link add port$port type veth peer name out$port netns $S; ip link set port$port master br5 up
          ip netns exec $S ip addr add 10.11.0.1$port/24 dev out$port
          ip netns exec $S ip link set out$port up
        done
        nft 'table bridge b { chain f { type filter hook forward priority 0; icmp type echo-request drop; }; }'
        """)
      let count = "for port in 1 2; do ip -s link show port$port | tail -n 1; done"
      let before = try await net.inRouter(count)
      for (words, client, address) in [
        (["--in", "port1"], "10.11.0.11", "10.11.0.12"),
        (["--in", "port2"], "10.11.0.12", "10.11.0.11"),
      ] {
        let outcome = try await Programs.nftrace(
          ["ping", "--netns", net.router, "-s", client, "--with", "true", "-v"] + words + [address])
        #expect(outcome.output.contains("the rule"), "\(outcome)")
      }
      #expect(try await net.inRouter(count) == before)
    }

    private static let hasSets: Bool = ["/usr/sbin/ipset", "/sbin/ipset"].contains {
      FileManager.default.fileExists(atPath: $0)
    }

    /// Rules of iptables look packets up in sets of ipset, which they name by number: also where numbers between are free.
    @Test(.enabled(if: hasSets, "ipset is not here"), arguments: [RouterPlan(), .ipv6])
    func setsOfIPSet(_ plan: RouterPlan) async throws {
      let tables = plan.version == 4 ? "iptables" : "ip6tables"
      let net = try await RouterNet(
        plan.with("\(tables) -t nat -A POSTROUTING -s $SUBNET -j MASQUERADE"))
      let family = plan.version == 4 ? "inet" : "inet6"
      try await net.inRouter(
        """
        ipset create gone hash:ip family \(family)
        ipset create clients hash:ip family \(family) timeout 3000 counters comment
        ipset create nets hash:net family \(family)
        ipset create ports bitmap:port range 1-1000
        ipset create both list:set; ipset add both nets
        ipset add clients $CLIENT comment 'the one'; ipset add nets $SUBNET; ipset add ports 80
        ipset destroy gone
        \(tables) -A FORWARD -m set --match-set ports dst -p tcp -m set --match-set clients src -j ACCEPT
        \(tables)-legacy -A FORWARD -p icmp -m set --match-set both src -j ACCEPT
        \(tables)-legacy -A FORWARD -p ipv6-icmp -m set --match-set both src -j ACCEPT
        \(tables) -A FORWARD -s $SUBNET -p tcp -j REJECT
        """)
      let list =
        "ipset save | sed 's/timeout [0-9]*//; s/packets .* bytes [0-9]*//; s/initval [^ ]*//' | sort"
      let before = try await net.inRouter(list)
      for (words, code) in [
        (["-p", "tcp", "--dport", "80"], 0), (["-p", "tcp", "--dport", "81"], 1), ([], 0),
      ] {
        let outcome = try await net.ping(
          words + ["--with", "\(list) > $DIR/sets"], environment: ["DIR": Programs.directory])
        #expect(outcome.code == code && !outcome.output.contains("differs"), "\(outcome)")
        let copied = try String(contentsOfFile: "\(Programs.directory)/sets", encoding: .utf8)
        #expect(copied == before)
      }
    }

    @Test func aCommandThatFailsIsSaid() async throws {
      let net = try await RouterNet()
      let outcome = try await Programs.run(
        [
          "ip", "netns", "exec", net.router, Programs.nftrace, "ping", "--with",
          "nft add rule inet nothing there drop", net.plan.server,
        ])
      #expect(outcome.code == 2 && outcome.output.isEmpty, "\(outcome)")
      #expect(
        outcome.error.contains("failed in the copy with exit code 1")
          && outcome.error.contains("inet nothing"),
        "\(outcome)")
    }

    /// Killed while the probe is out: nothing is left, in the original and elsewhere.
    @Test func killed() async throws {
      let net = try await RouterNet()
      let before = try await net.state()
      let left = try await net.inRouter(
        """
        "$NFTRACE" ping -c 600 -i 0.1 --with "sysctl -w net.ipv4.ip_default_ttl=77" 192.0.2.1 >/dev/null 2>&1 & main=$!
        until [ "$(pgrep -P $main -x nftrace | wc -l)" -ge 1 ]; do sleep .02; done
        children=$(pgrep -P $main)
        sleep .3; kill -KILL $main; wait $main || true
        for child in $children; do timeout 5 sh -c "while kill -0 $child; do sleep .02; done" 2>/dev/null || echo $child; done
        """)
      #expect(left == "", "\(left)")
      try await net.expectState(before, "a killed rehearsal")
    }
  }
}
