import Testing

extension LiveTests {
  /// The options of ping, as people write them.
  struct OptionTests {
    @Test(arguments: [RouterPlan(), .ipv6]) func destinations(plan: RouterPlan) async throws {
      let net = try await RouterNet(plan)
      let host = plan.version == 4 ? plan.server : "[\(plan.server)]"
      let output = try await net.run(
        """
        p() { "$NFTRACE" ping --netns $R "$@" || true; }
        p $SERVER -q -I $ROUTER -p eigrp
        p $SERVER -q -c3 -W2 -i0.05 -t9
        p '\(host):7' -q
        p 'http://\(host)/x' -q
        p $SERVER -q --dport tcp/8
        p $SERVER -q -pudp --dport domain
        p $SERVER -q -I "$UPLINK"
        p localhost -\(plan.version) -q -n
        """)
      let lines = output.split(separator: "\n")
      try #require(lines.count >= 9)
      #expect(lines[1..<4].allSatisfy { $0.contains("answered in") })
      for (line, port) in zip(
        lines[4...], ["TCP port 7", "TCP port 80", "TCP port 8", "UDP port 53"])
      {
        #expect(line.contains("\(port) there"), "\(line)")
      }
      #expect(lines[8].contains("sent from this host through \(plan.uplink)"))
      #expect(lines[0].contains("protocol 88"))
    }

    /// A name is looked up where the command is run, and the address said.
    @Test func aName() async throws {
      let net = try await RouterNet()
      let output = try await net.run(
        "\"$NFTRACE\" ping --netns $R -4 localhost; \"$NFTRACE\" ping --netns $R -4 localhost --json"
      )
      #expect(output.hasPrefix("localhost (127.0.0.1) answered"))
      #expect(output.contains("\"name\": \"localhost\""))
    }

    /// With an interface, nothing else is a way: not even the one that the address is on.
    @Test func boundToAnInterface() async throws {
      let net = try await RouterNet()
      let output = try await net.run(
        """
        ip -n $R link add other0 type veth peer name other1; ip -n $R addr add 198.51.100.1/24 dev other0
        ip -n $R link set other0 up; ip -n $R link set other1 up
        "$NFTRACE" ping --netns $R $SERVER -I other0 || true
        "$NFTRACE" ping --netns $R $SERVER -I other0 -p udp || true
        """)
      // Nobody is there, and that is asked of this interface.
      #expect(output.ranges(of: "does not answer ARP on other0").count == 2, "\(output)")
      #expect(output.ranges(of: "out other0").count >= 2 && !output.contains("out eth0"))
    }

    /// Rules see the control group that a socket was made in.
    @Test(arguments: ["icmp", "udp --dport 53 -c2 -i0", "tcp --dport 80 --user nobody"])
    func controlGroup(probe: String) async throws {
      let net = try await RouterNet()
      let output = try await net.run(
        """
        unshare -m sh -e -c '
          mount --make-rprivate /; mount -t tmpfs none /sys/fs/cgroup
          mount -t cgroup2 none /sys/fs/cgroup
          group=nftrace-test-$$; mkdir /sys/fs/cgroup/$group
          nsenter --net=/run/netns/$R nft "add table inet c; add chain inet c o { type filter hook output priority 0; }"
          nsenter --net=/run/netns/$R nft "add rule inet c o socket cgroupv2 level 1 \\"$group\\" drop"
          "$NFTRACE" ping --netns $R $SERVER -q -p \(probe) --cgroup /$group || true
          "$NFTRACE" ping --netns $R $SERVER -q -p \(probe) || true
          cat /sys/fs/cgroup/$group/cgroup.procs
          rmdir /sys/fs/cgroup/$group'
        """)
      let lines = output.split(separator: "\n")
      let (inside, outside) = (lines.prefix(lines.count / 2), lines.suffix(lines.count / 2))
      #expect(!lines.isEmpty && lines.count % 2 == 0)
      #expect(inside.allSatisfy { $0.contains("chain o (inet c) drops it") })
      #expect(outside.allSatisfy { !$0.contains("chain o") })
    }
  }
}
