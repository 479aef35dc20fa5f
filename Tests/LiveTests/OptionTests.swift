import FoundationEssentials
import Testing
import Wire

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

    /// As habit has it: a destination alone, options that stand together, and a port with its protocol.
    @Test(arguments: [RouterPlan(), .ipv6]) func habits(plan: RouterPlan) async throws {
      let net = try await RouterNet(plan)
      let host = plan.version == 4 ? plan.server : "[\(plan.server)]"
      let output = try await net.run(
        """
        n() { ip netns exec $R "$NFTRACE" "$@" || true; }
        n $SERVER -q
        n -qc2 -i0 $SERVER
        n ping -qc2 -i0 --tos 0x10 $SERVER
        n ping $SERVER -q --dport 53/udp
        n '\(host):53/udp' -q
        n 'icmp://\(host)' -q
        n -V
        n recordings ls -q
        """)
      let lines = output.split(separator: "\n")
      try #require(lines.count > 9, "\(output)")
      #expect(lines[7].contains("answered in"))
      #expect(lines[8].hasPrefix("nftrace ") && lines[8].contains("."))
      #expect(lines[9...].contains("last.pcapng"))
      #expect(lines[0..<5].allSatisfy { $0.contains("answered in") })
      #expect(lines[5...6].allSatisfy { $0.contains("UDP port 53 there") })
      #expect(lines[3].hasPrefix("seq 1") && lines[4].hasPrefix("seq 2"))
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

    /// What was captured of a client and of the router is sent again, each from where it came from.
    @Test(arguments: [RouterPlan(), .ipv6]) func likeWhatWasCaptured(plan: RouterPlan) async throws
    {
      let net = try await RouterNet(plan)
      let file = "\(Programs.directory)/like-\(UInt64.random(in: 0 ... .max)).pcap"
      try Data(Self.capture(plan)).write(to: URL(filePath: file))
      defer {
        for path in [file, file + ".pcapng"] { try? FileManager.default.removeItem(atPath: path) }
      }
      let output = try await net.run(
        """
        ip -n $S route add $SUBNET via $ROUTER
        nft="ip netns exec $R nft"; $nft add table inet f
        $nft "add chain inet f c { type filter hook prerouting priority 0; }"
        $nft "add rule inet f c udp dport 9 drop"
        p() { "$NFTRACE" ping --netns $R "$@" || true; }
        for n in 1 2 3 4 5 6; do p -q --like '\(file)':$n; done
        p -q --like '\(file)' -w '\(file).pcapng'; "$NFTRACE" show -q '\(file).pcapng'
        p --local --like '\(file)' 2>&1
        """)
      let lines = output.split(separator: "\n")
      try #require(lines.count >= 9, "\(output)")
      // The client's, by the TUN device: an echo, a datagram, a SYN.
      #expect(lines[0].contains("answered in") && lines[0].contains("forwarded \(plan.tun)"))
      #expect(lines[1].contains("chain c (inet f) drops it"), "\(lines[1])")
      #expect(lines[2].contains("nothing listens on TCP port 80"), "\(lines[2])")
      // The router's own.
      #expect(lines[3].contains("answered in") && lines[3].contains("sent from this host"))
      #expect(lines[4].contains("nothing listens on UDP port 10"), "\(lines[4])")
      #expect(lines[5].contains("nothing listens on TCP port 80"), "\(lines[5])")
      #expect(lines[6] == lines[7] && lines[6].contains("answered in"), "\(lines[6...7])")
      #expect(output.contains("the packet's source \(plan.client) is no address of this host"))
    }

    private static func capture(_ plan: RouterPlan) -> [UInt8] {
      let isV6 = plan.version == 6
      var bytes = PcapFile.header(linkType: .raw)
      for source in [plan.client, plan.router] {
        let isOwn = source == plan.router
        let transports: [(IPProtocol, Transport, [UInt8])] = [
          (
            isV6 ? .icmpv6 : .icmp,
            .icmp(ICMPHeader(type: isV6 ? 128 : 8, rest: 0x0102_0003)), Array("octets".utf8)
          ),
          (
            .udp, .udp(UDPHeader(sourcePort: 40001, destinationPort: isOwn ? 10 : 9)),
            Array("a question".utf8)
          ),
          (
            .tcp,
            .tcp(TCPHeader(sourcePort: 40001, destinationPort: 80, sequence: 77, flags: .syn)), []
          ),
        ]
        for (proto, transport, payload) in transports {
          let packet = Packet(
            source: IPAddress(source)!, destination: IPAddress(plan.server)!, proto: proto,
            identification: isV6 ? nil : 9, dontFragment: isV6, transport: transport,
            payload: payload)
          bytes += PcapFile.record(CapturedPacket(interface: 0, time: 1, data: packet.bytes))
        }
      }
      return bytes
    }
  }
}
