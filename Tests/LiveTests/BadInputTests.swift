import Glibc
import Testing

extension LiveTests {
  /// What cannot be: an exit code, a sentence that says why, and nothing left behind.
  struct BadInputTests {
    /// Arguments of `nftrace`, in a router like the walk's; what is expected on standard error.
    struct Case: Sendable, CustomTestStringConvertible {
      var words: [String]
      var code: Int32
      var message: String
      var testDescription: String { words.joined(separator: " ") }

      init(_ words: String, _ code: Int32, _ message: String) {
        self.words = words.split(separator: " ").map { $0 == "''" ? "" : String($0) }
        self.code = code
        self.message = message
      }
    }

    static let usage: [Case] = [
      Case("ping", 2, "dest"),
      Case("ping ''", 2, "'' is not an IPv4 or IPv6 address"),
      Case("ping 300.1.1.1", 2, "'300.1.1.1' is not an IPv4 or IPv6 address"),
      Case("ping 1.2.3", 2, "'1.2.3' is not an IPv4 or IPv6 address"),
      Case("ping 010.1.1.1", 2, "is not an IPv4 or IPv6 address"),
      Case("ping 1.2.3.4.5", 2, "is not an IPv4 or IPv6 address"),
      Case("ping fe80::1%eth9", 2, "there is no interface eth9"),
      Case("ping fe80::1%", 2, "is not an IPv4 or IPv6 address"),
      Case("ping [::1]443", 2, "is not an IPv4 or IPv6 address"),
      Case("ping host_of/nobody", 2, "is not an IPv4 or IPv6 address"),
      Case("ping 119.29.29.29:0", 2, "the port of DEST is 1 to 65535, not 0"),
      Case("ping 119.29.29.29:80 --dport 80", 2, "one of them is enough"),
      Case("ping 119.29.29.29 --dport tcp/80 -p udp", 2, "two protocols"),
      Case("ping 119.29.29.29 --dport nosuchservice -p udp", 2, "nor a service of udp"),
      Case("ping 119.29.29.29 -4 -6", 2, "exclude each other"),
      Case("ping 119.29.29.29 -6", 2, "an address of IPv4"),
      Case("ping 119.29.29.29 -I eth9", 2, "there is no interface eth9"),
      Case("ping 119.29.29.29 -I eth0 -s 192.168.69.1", 2, "no address of this host"),
      Case("ping 119.29.29.29 -I eth0 --tun tun0", 2, "a client is behind another"),
      Case("ping 119.29.29.29 -I 192.0.2.1 -s 192.0.2.2", 2, "two sources"),
      Case("ping 119.29.29.29 --cgroup /no/such/group", 2, "no such group"),
      Case("ping 119.29.29.29 --cgroup / --tun tun0", 2, "go with --local"),
      Case("ping --like /no/such/file", 2, "cannot read /no/such/file"),
      Case(
        "show src 10.0.0.1 and tcp port 443", 2, "show --from 10.0.0.1 --protocol tcp --port 443"),
      Case("show sport = :443", 2, "nftrace show --port 443"),
      Case("ping --dport ntp 127.0.0.1", 2, "is a service of udp: add -p udp"),
      Case("ping --html - 127.0.0.1", 2, "cannot write -"),
      Case("ping --like /proc/self/exe", 2, "neither a pcapng nor a pcap file"),
      Case("ping --like /dev/null", 2, "the file is empty"),
      Case("ping 119.29.29.29 -w 5", 2, "no deadline"),
      Case("ping 119.29.29.29 -w5", 2, "no deadline"),
      Case("ping --netsn x 119.29.29.29", 2, "no option --netsn; did you mean --netns?"),
      Case("ping --no-such-option", 2, "no option --no-such-option."),
      Case("setup --froward 10.0.0.0/8", 2, "did you mean --forward?"),
      Case("ping 1.2.3", 2, "four numbers of 0 to 255"),
      Case("ping 119.29.29.29:", 2, "the port is missing behind ':'"),
      Case("ping 119.29.29.29/80", 2, "a port stands behind ':': 119.29.29.29:80"),
      Case("ping 119.29.29.29%eth0", 2, "-I eth0 sends through an interface"),
      Case("ping [::1]80", 2, "is [IPV6]:PORT"),
      Case("ping 02:00:00:00:00:01", 2, "that is an Ethernet address"),
      Case("ping root@119.29.29.29", 2, "leave out the user: 119.29.29.29"),
      Case("ping 119.29.29.29 443", 2, "119.29.29.29:443"),
      Case("ping 119.29.29.29 nothing", 2, "there is one DEST"),
      Case("ping 119.29.29.29:80 -p icmp", 2, "DEST has the port 80, and ICMP has no ports"),
      Case("ping 119.29.29.29 --tos 0x100", 2, "--tos is 0 to 255"),
      Case("ping 119.29.29.29 --tos 0xg", 2, "it is a number, such as 16 or 0x10"),
      Case("ping 119.29.29.29 -qc2x", 2, "2x"),
      Case("ping 119.29.29.29 -s 1472", 2, "--size 1472 is the length"),
      Case("ping 119.29.29.29 -s eth0", 2, "--in eth0 lets the probe arrive there, and -I eth0"),
      Case("ping 119.29.29.29 -s 192.168.69.1:80", 2, "-s 192.168.69.1 --sport 80"),
      Case("ping -i eth0 119.29.29.29", 2, "--in eth0 lets the probe arrive there, and -I eth0"),
      Case("ping -i x= 119.29.29.29", 2, "it is a number of seconds"),
      Case("ping -p icmpv6 119.29.29.29", 2, "-p icmpv6 is of IPv6"),
      Case("ping icmp://119.29.29.29:80", 2, "DEST has the port 80, and ICMP has no ports"),
      Case("setup lo", 2, "'lo' is an interface"),
      Case("setup any", 2, "0.0.0.0/0 is all of IPv4, ::/0 all of IPv6"),
      Case("recordings --delete x", 2, "no option --delete: --remove NAME removes one."),
      Case("recordings rm x", 2, "nftrace recordings --remove x"),
      Case("recordings last.pcapng", 2, "nftrace show last.pcapng"),
      Case("-M do 119.29.29.29", 2, "no option -M: --df forbids fragmentation."),
      Case("ping -M do 119.29.29.29", 2, "no option -M: --df forbids fragmentation."),
      Case("ping -I lo 119.29.29.29", 2, "leads back to this host"),
      Case("pign 119.29.29.29", 2, "no command 'pign'; did you mean 'nftrace ping'?"),
      Case("mointor", 2, "did you mean 'nftrace show --follow'?"),
      Case("help pign", 2, "did you mean 'nftrace ping'?"),
      Case("trace 119.29.29.29", 2, "did you mean 'nftrace ping'?"),
      Case("no-such-command-at-all 119.29.29.29", 2, "no command 'no-such-command-at-all'."),
      Case("--json status", 2, "behind the command: nftrace status --json"),
      Case("show -r x", 2, "the file is named without an option"),
      Case("status --netns docker://nobody", 2, "network namespace nobody"),
      Case("status --netns ''", 2, "network namespace ''"),
      Case("ping 1:2:3:4:5:6:7:8:9", 2, "is not an IPv4 or IPv6 address"),
      Case("ping ::1::", 2, "is not an IPv4 or IPv6 address"),
      Case("ping no-such-host.invalid", 2, "cannot look up no-such-host.invalid"),
      Case("ping 119.29.29.0/24", 2, "is a subnet"),
      Case("ping 119.29.29.29 119.29.29.30", 2, "119.29.29.30"),
      Case("ping 119.29.29.29 -s 192.168.69", 2, "--source '192.168.69'"),
      Case("ping 119.29.29.29 -s fd00::1", 2, "a packet has one IP version"),
      Case("ping 2001:db8::1 -s 192.168.69.1", 2, "a packet has one IP version"),
      Case("ping 2001:db8::1 --tun-address 10.0.0.1/24", 2, "destination's version"),
      Case("ping 119.29.29.29 --tun-address 10.0.0.1", 2, "ADDRESS/LENGTH"),
      Case("ping 119.29.29.29 --tun-address 10.0.0.1/33", 2, "ADDRESS/LENGTH"),
      Case("ping 119.29.29.29 --tun-address 10.0.0.1/32", 2, "leaves no address"),
      Case("ping 119.29.29.29 --tun-address 10.0.0.1/31", 2, "leaves no address"),
      Case("ping 119.29.29.29 --tun tun0 --tun-address 10.0.0.1/24", 2, "--tun names one"),
      Case("ping 119.29.29.29 -t 0", 2, "--ttl is 1 to 255, not 0"),
      Case("ping 119.29.29.29 -t 256", 2, "--ttl is 1 to 255, not 256"),
      Case("ping 119.29.29.29 --ttl=-1", 2, "--ttl is 1 to 255, not -1"),
      // As with ping(8) and tail(1): what follows is the value, whatever it begins with.
      Case("ping 119.29.29.29 -t -1", 2, "--ttl is 1 to 255, not -1"),
      Case("ping 119.29.29.29 -c -1", 2, "--count is 1 to"),
      Case("ping 119.29.29.29 -i -1", 2, "--interval is in seconds"),
      Case("ping 119.29.29.29 -W -1", 2, "--timeout is in seconds"),
      Case("ping 119.29.29.29 --size -1", 2, "--size is 12 to"),
      Case("ping 119.29.29.29 -c --json", 2, "--json"),
      Case("setup 10.0.0.0/24 --group -1", 2, "--group is 0 to 65535, not -1"),
      Case("ping 119.29.29.29 --tun ''", 2, "a name is missing"),
      Case("ping 119.29.29.29 --tun a/b", 2, "cannot be an interface's name"),
      Case("ping 119.29.29.29 --tun abcdefghijklmnop", 2, "at most 15 characters"),
      Case("ping 119.29.29.29 -t many", 2, "many"),
      Case("ping 119.29.29.29 -t 99999999999999999999", 2, "99999999999999999999"),
      Case("ping 119.29.29.29 -c 0", 2, "--count is 1 to"),
      Case("ping 119.29.29.29 --count=-3", 2, "--count is 1 to"),
      Case("ping 119.29.29.29 --size 11", 2, "--size is 12 to"),
      Case("ping 119.29.29.29 --size 65536", 2, "--size is 12 to"),
      Case("ping 119.29.29.29 --tos 256", 2, "--tos is 0 to 255"),
      Case("ping 119.29.29.29 --interval=-1", 2, "--interval is in seconds"),
      Case("ping 119.29.29.29 -i nan", 2, "--interval is in seconds"),
      Case("ping 119.29.29.29 -i inf", 2, "--interval is in seconds"),
      Case("ping 119.29.29.29 -W 0", 2, "--timeout is in seconds"),
      Case("ping 119.29.29.29 -W nan", 2, "--timeout is in seconds"),
      Case("ping 119.29.29.29 --in eth0 --tun tun0", 2, "--tun and --in exclude each other"),
      Case("ping 119.29.29.29 --local --tun eth9", 2, "there is no interface eth9"),
      Case("ping 119.29.29.29 --in eth0 --tun-address 10.0.0.1/24", 2, "exclude each other"),
      Case("ping 119.29.29.29 --local --masquerade", 2, "sends from this host"),
      Case("ping 119.29.29.29 --in lo", 2, "is the loopback"),
      Case("ping 119.29.29.29 --in bare0", 2, "give one with --source"),
      Case("ping 119.29.29.29 --in nosuch0", 2, "no interface nosuch0 here"),
      Case("ping 119.29.29.29 --source-mac 02:00:00:00:00:01", 2, "goes with --in"),
      Case("ping 119.29.29.29 --in eth0 --source-mac 02:00", 2, "not an Ethernet address"),
      Case("ping 119.29.29.29 -p tcp", 2, "--dport N"),
      Case("ping 119.29.29.29 -p tcp --dport 0", 2, "--dport is 1 to 65535, not 0"),
      Case("ping 119.29.29.29 -p udp --sport 65536", 2, "--sport is 1 to 65535, not 65536"),
      Case("ping 119.29.29.29 --dport 80", 2, "ICMP has no ports"),
      Case("ping 119.29.29.29 -p tcp --dport 80 --size 65000 -c 100000", 2, "choose fewer"),
      Case("ping 119.29.29.29 -p carrier-pigeon", 2, "carrier-pigeon"),
      Case("ping 119.29.29.29 --color sometimes", 2, "sometimes"),
      Case("ping 119.29.29.29 --no-such-option", 2, "--no-such-option"),
      Case("ping 119.29.29.29 --tun eth9", 2, "there is no interface eth9"),
      Case("ping 119.29.29.29 --tun a-name-longer-than-15", 2, "a-name-longer-than-15"),
      Case("ping 119.29.29.29 --tun eth0", 2, "eth0 is no TUN device but a veth interface"),
      Case("ping 119.29.29.29 --tun lo", 2, "lo"),
      Case("ping 119.29.29.29 --tun tap0", 2, "tap0"),
      Case("ping 119.29.29.29 --tun down0", 2, "ip link set dev down0 up"),
      Case("ping 119.29.29.29 --tun bare0", 2, "give one with --source"),
      Case("ping 2001:db8::1 -s 2001:db8:5::5", 2, "behind no interface"),
      Case(
        "ping 119.29.29.29 --tun-address 10.1.1.1/24 -s 10.9.9.1", 2,
        "is not in the TUN device's subnet"),
      Case("ping 119.29.29.29 --tun-address 172.16.16.77/24", 2, "collides with 172.16.16.15/24"),
      Case("ping 119.29.29.29 --masquerade", 2, "send through that device with --tun tun0"),
      Case("ping 119.29.29.29 --tun-address 10.55.1.1/24", 2, "route to 10.55.0.0/16"),
      Case("ping 119.29.29.29 --tun-address 10.1.1.1/24 -s 10.1.1.1", 2, "itself"),
      Case("ping 119.29.29.29 --tun tun0 -w /tmp", 2, "Is a directory"),
      Case("ping 119.29.29.29 --tun tun0 -w /no/such/place", 2, "No such file or directory"),
      Case("show /tmp", 2, "/tmp"),
      Case("show /no/such/file", 2, "/no/such/file"),
      Case("show /dev/null", 2, "/dev/null"),
      Case("show /proc/self/exe", 2, "neither a session of nftrace nor a capture file"),
      Case("show --last 0 /dev/null", 2, "--last is 1 or more"),
      Case("show --packet 0 /dev/null", 2, "--packet is 1 or more"),
      Case("show --from nobody /dev/null", 2, "--from 'nobody'"),
      Case("show --protocol foo /dev/null", 2, "--protocol 'foo'"),
      Case("no-such-command", 2, "nor is 'no-such-command' a command"),
      Case("lab --no-such-option", 2, "--no-such-option"),
    ]

    @Test func wrongUsage() async throws {
      let net = try await RouterNet(
        RouterPlan().with(
          """
          ip tuntap add tap0 mode tap; ip link set tap0 up
          ip tuntap add down0 mode tun; ip tuntap add bare0 mode tun
          sysctl -qw net.ipv6.conf.bare0.disable_ipv6=1; ip link set bare0 up
          ip route add 10.55.0.0/16 via $GATEWAY
          sleep 1.2
          """))
      let before = try await net.state()
      for example in Self.usage {
        let outcome = try await Programs.run(
          ["ip", "netns", "exec", net.router, Programs.nftrace] + example.words,
          environment: ["NFTRACE_STATE_DIR": "\(Programs.directory)/none"])
        let found = outcome.error.contains(example.message)
        #expect(
          outcome.code == example.code && found && outcome.output.isEmpty,
          "\(example.testDescription): \(example.message): \(outcome)")
      }
      try await net.expectState(before, "wrong usage")
    }

    @Test(arguments: ["no-such-namespace", "/no/such/path", "/etc/passwd", "999999999", "''"])
    func whatIsNoNamespace(_ name: String) async throws {
      let name = name == "''" ? "" : name
      let outcome = try await Programs.nftrace(["ping", "--netns", name, "119.29.29.29"])
      #expect(outcome.code == 2 && outcome.output.isEmpty, "\(outcome)")
      #expect(outcome.error.contains(name), "\(outcome)")
    }

    /// What is to come in through a device that a program holds arrives there; to divert traffic takes a
    /// device of one's own.
    @Test func aDeviceInUse() async throws {
      let net = try await RouterNet(
        RouterPlan().with("iptables -t nat -A POSTROUTING -s $SUBNET -j MASQUERADE"))
      let outcome = try await net.run(
        """
        ip netns exec $R python3 -c '
        import fcntl, os, struct, sys, time
        device = os.open("/dev/net/tun", os.O_RDWR)
        fcntl.ioctl(device, 0x400454ca, struct.pack("16sH", sys.argv[1].encode(), 0x1001))
        time.sleep(120)' "$TUN" & holder=$!
        # The kernel takes up to a second to open the queue of a device that was just opened, and drops till then.
        timeout 20 sh -c "until ip -n $R link show $TUN | grep -q LOWER_UP; do sleep .05; done"
        for way in --tun --in; do
          "$NFTRACE" ping --netns $R $way "$TUN" $SERVER 2>&1
        done
        kill -KILL $holder; wait $holder || true
        """)
      let arrived = "arrived      in \(net.plan.tun), ttl 64"
      #expect(outcome.ranges(of: "119.29.29.29 answered").count == 2, "\(outcome)")
      #expect(outcome.ranges(of: arrived).count == 2, "\(outcome)")
    }

    /// What is recorded may not be seen, which is not that nothing is.
    @Test func hiddenRecordings() async throws {
      let outcome = try await Programs.shell(
        """
        chmod 700 "$DIR"
        exec setpriv --reuid=65534 --regid=65534 --clear-groups --bounding-set=-all --inh-caps=-all \
          env NFTRACE_STATE_DIR="$DIR" "$NFTRACE" show
        """)
      #expect(outcome.code == 3 && outcome.error.contains("may only be read by root"), "\(outcome)")
    }

    /// Nobody's capabilities: what is missing is named.
    @Test(arguments: [
      ["ping", "--tun-address", "10.1.1.1/24", "119.29.29.29"],
      ["ping", "--tun", "tun0", "119.29.29.29"], ["lab"],
    ])
    func withoutRights(_ words: [String]) async throws {
      let net = try await RouterNet()
      let before = try await net.state()
      let outcome = try await Programs.run(
        [
          "ip", "netns", "exec", net.router, "setpriv", "--reuid=65534", "--regid=65534",
          "--clear-groups", "--bounding-set=-all", "--inh-caps=-all", Programs.nftrace,
        ] + words, environment: ["NFTRACE_STATE_DIR": "/tmp"])
      #expect(outcome.code == 3 && outcome.output.isEmpty, "\(outcome)")
      let named = ["CAP_NET_ADMIN", "CAP_SYS_ADMIN", "/dev/net/tun"]
        .contains { outcome.error.contains($0) }
      #expect(named, "\(outcome)")
      try await net.expectState(before, "no rights")
    }

    @Test func withoutTunDevices() async throws {
      let net = try await RouterNet(RouterPlan().withoutTun())
      for hide in ["mount -t tmpfs none /dev/net", "mount --bind /etc/hostname /dev/net/tun"] {
        let outcome = try await Programs.run([
          "unshare", "--mount", "--propagation", "private", "sh", "-euc",
          "\(hide); exec \"$NFTRACE\" ping --netns \(net.router) --masquerade 119.29.29.29",
        ])
        #expect(outcome.code == 3 && outcome.error.contains("/dev/net/tun"), "\(hide): \(outcome)")
      }
    }

    /// Without libnftables the rule is named by its handle, and `status` says what is missing.
    @Test func withoutTheTextsOfRules() async throws {
      let net = try await RouterNet(
        RouterPlan().with(
          """
          nft add table inet fw
          nft 'add chain inet fw f { type filter hook forward priority 0; }'
          nft add rule inet fw f ip daddr $SERVER drop
          """))
      let told = try await net.run(
        #"""
        unshare --mount --propagation private sh -euc '
          for file in $(ldconfig -p | sed -n "s/.*libnftables.so.1 .*=> //p"); do
            mount --bind /dev/null $file
          done
          "$NFTRACE" status --netns $R | grep -A1 libnftables
          ! "$NFTRACE" ping --netns $R --tun "$TUN" -W 0.3 $SERVER'
        """#)
      #expect(told.contains(/libnftables +no +for the text of rules/), "\(told)")
      #expect(told.contains("apt install libnftables1"), "\(told)")
      #expect(told.contains(/handle \d+ of chain f \(inet fw\) drops it/), "\(told)")
    }

    /// A state directory that cannot be had costs the kept session, not the ping.
    @Test func withoutAPlaceForTheSession() async throws {
      let net = try await RouterNet()
      let outcome = try await net.ping(
        to: net.plan.router, environment: ["NFTRACE_STATE_DIR": "/proc/nothing"])
      #expect(outcome.code == 0 && outcome.error.contains("the session is not kept"), "\(outcome)")
    }
  }
}
