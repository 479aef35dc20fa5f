import Kernel
import Trace
import Testing
import Wire

extension LiveTests {
  struct DropWatchTests {
    @Test func available() throws {
      #expect(DropWatch.availability() == nil)
    }

    /// One thing that is wrong with the lab or the packet, and what the kernel says of it. The rows are
    /// those of the measurements that the design rests on, and so are the functions, which another
    /// kernel may have renamed: they are compared on the one that was measured.
    struct Scenario: Sendable, CustomTestStringConvertible {
      var name: String
      var commands: [String] = []
      var packet = DropLab.echo()
      var reason: String
      var function: String
      var device: String? = "tun0"
      var testDescription: String { name }
    }

    static let scenarios: [Scenario] = [
      Scenario(
        name: "forwarding is off", commands: ["sysctl -qw net.ipv4.ip_forward=0"],
        reason: "IP_INADDRERRORS", function: "ip_error"),
      Scenario(
        name: "reverse path", commands: ["sysctl -qw net.ipv4.conf.tun0.rp_filter=1"],
        packet: DropLab.echo(from: "10.55.0.1"), reason: "IP_RPFILTER",
        function: "ip_rcv_finish_core"),
      Scenario(
        name: "own source", packet: DropLab.echo(from: "172.20.0.2"), reason: "IP_LOCAL_SOURCE",
        function: "ip_rcv_finish_core"),
      Scenario(
        name: "loopback source", packet: DropLab.echo(from: "127.0.0.1"), reason: "IP_LOCALNET",
        function: "ip_rcv_finish_core"),
      Scenario(
        name: "multicast source", packet: DropLab.echo(from: "224.0.0.1"),
        reason: "IP_INVALID_SOURCE", function: "ip_rcv_finish_core"),
      Scenario(
        name: "no route", commands: ["ip route del default"], reason: "IP_INNOROUTES",
        function: "ip_error"),
      Scenario(
        name: "blackhole", commands: ["ip route add blackhole 198.51.100.10"],
        reason: "NOT_SPECIFIED", function: "ip_error"),
      Scenario(
        name: "time to live", packet: DropLab.echo(ttl: 1), reason: "IP_INHDR",
        function: "ip_forward"),
      Scenario(
        name: "too big", commands: ["ip link set up0 mtu 1000"],
        packet: DropLab.echo(size: 1200, dontFragment: true), reason: "PKT_TOO_BIG",
        function: "ip_forward"),
      Scenario(
        name: "header checksum", packet: Self.damaged(DropLab.echo()), reason: "IP_CSUM",
        function: "ip_rcv_core"),
      Scenario(
        name: "loopback destination", packet: DropLab.echo(to: "127.0.0.1"), reason: "IP_LOCALNET",
        function: "ip_rcv_finish_core"),
      Scenario(
        name: "longer than it is", packet: Array(DropLab.echo().dropLast(2)),
        reason: "PKT_TOO_SMALL",
        function: "ip_rcv_core"),
      Scenario(
        name: "nft drop",
        commands: [
          "nft 'add table inet u; add chain inet u f { type filter hook forward priority 0; };"
            + " add rule inet u f drop'"
        ], reason: "NETFILTER_DROP", function: "nft_do_chain"),
      Scenario(
        name: "dead neighbour",
        commands: [
          "sysctl -qw net.ipv4.neigh.up0.mcast_solicit=1 net.ipv4.neigh.up0.retrans_time_ms=20",
          "ip route replace default via 172.20.0.77",
        ], reason: "NEIGH_FAILED", function: "neigh_invalidate", device: "up0"),
      Scenario(
        name: "forwarding is off, IPv6",
        commands: ["sysctl -qw net.ipv6.conf.all.forwarding=0 net.ipv6.conf.tun0.forwarding=0"],
        packet: Self.echo6(), reason: "IP_INADDRERRORS", function: "ip6_forward"),
      Scenario(
        name: "no route, IPv6", commands: ["ip -6 route del default"], packet: Self.echo6(),
        reason: "IP_INNOROUTES", function: "ip6_pkt_discard"),
      Scenario(
        name: "hop limit, IPv6", packet: Self.echo6(ttl: 1), reason: "IP_INHDR",
        function: "ip6_forward"),
      Scenario(
        name: "multicast source, IPv6",
        packet: DropLab.echo(from: "ff02::1", to: "2001:db8::10"), reason: "IP_INHDR",
        function: "ip6_rcv_core"),
      Scenario(
        name: "no IPv6 here", commands: ["sysctl -qw net.ipv6.conf.tun0.disable_ipv6=1"],
        packet: Self.echo6(), reason: "IPV6DISABLED", function: "ip6_rcv_core"),
      Scenario(
        name: "nft drop, IPv6",
        commands: [
          "nft 'add table inet u; add chain inet u f { type filter hook forward priority 0; };"
            + " add rule inet u f drop'"
        ], packet: Self.echo6(), reason: "NETFILTER_DROP", function: "nft_do_chain"),
    ]

    static func echo6(ttl: UInt8 = 64) -> [UInt8] {
      DropLab.echo(from: "fd00:69::1", to: "2001:db8::10", ttl: ttl)
    }

    static func damaged(_ packet: [UInt8]) -> [UInt8] {
      var packet = packet
      packet[10] ^= 0xff
      return packet
    }

    @Test(arguments: scenarios) func reasons(_ scenario: Scenario) throws {
      try inNewNamespace {
        let lab = try DropLab()
        for command in scenario.commands { DropLab.shell(command) }
        var watch = try DropWatch(filter: DropFilter(nonce: DropLab.nonce))
        let began = Clock.realtime
        // The same from somebody else: it dies of the same, and is not ours.
        var other = scenario.packet
        other[other[0] >> 4 == 4 ? 28 : 48] ^= 0xff
        try lab.tun.write(other)
        try lab.tun.write(scenario.packet)
        let events = Self.events(&watch)
        // Other packets may be dropped for it, as an ICMP error that quotes it; the first is it itself.
        let event = try #require(events.first)
        #expect(event.reason == scenario.reason)
        #expect(events.filter { $0.packet[12...] == event.packet[12...] }.count == 1)
        let function = event.location?.split(separator: "+").first.map(String.init)
        if Machine.kernelRelease.hasPrefix("6.18.") { #expect(function == scenario.function) }
        #expect(function != nil)
        #expect(began...Clock.realtime ~= event.time)
        var routes = lab.routes
        #expect(
          event.device == (try scenario.device.map { try routes.existingLink($0).index } ?? 0))
        #expect(event.namespace == UInt32(try NetworkNamespace.current().identity.inode))
        let sent = try Packet(scenario.packet)
        let seen = try Packet(event.packet)
        #expect(seen.source == sent.source && seen.destination == sent.destination)
        #expect(event.packet.count == min(128, scenario.packet.count))
        #expect(try watch.lost() == 0)
      }
    }

    /// An address is enough, in either place and as a prefix; others do not pass. So is nothing at
    /// all.
    @Test(arguments: [
      (["192.168.69.1"], 1), (["198.51.100.10"], 1), (["198.51.100.0/27"], 1), (["0.0.0.0/0"], 2),
      (["198.51.100.11", "192.168.69.0/24"], 2), (["198.51.100.11", "192.168.69.2/32"], 1),
      (["10.0.0.0/8", "::/0"], 1), (["fd00:69::/32"], 1), (["2001:db8::1"], 0), ([], 3),
      (["fd00:69::1", "192.168.69.1"], 2), (["fd00:69:0:0:8000::/65"], 0),
    ])
    func addresses(_ prefixes: [String], _ expected: Int) throws {
      try inNewNamespace {
        let lab = try DropLab()
        DropLab.shell(
          "nft 'add table inet u; add chain inet u f { type filter hook forward priority 0; };"
            + " add rule inet u f drop'")
        var watch = try DropWatch(filter: DropFilter(prefixes: prefixes.map { Prefix($0)! }))
        try lab.tun.write(DropLab.echo())
        try lab.tun.write(DropLab.echo(from: "192.168.69.2", to: "203.0.113.5"))
        try lab.tun.write(Self.echo6())
        var count = 0
        watch.drain { event in
          if event.reason == "NETFILTER_DROP" { count += 1 }
        }
        #expect(count == expected)
      }
    }

    /// The nonce is found where an ICMP error quotes the packet, too: the error is lost on its way to
    /// a source that there is no route to.
    @Test func quoted() throws {
      try inNewNamespace {
        let lab = try DropLab()
        DropLab.shell(
          "nft 'add table inet u; add chain inet u f { type filter hook output priority 0; };"
            + " add rule inet u f drop'; sysctl -qw net.ipv4.conf.tun0.rp_filter=0"
            + " net.ipv4.conf.all.rp_filter=0")
        var watch = try DropWatch(filter: DropFilter(nonce: DropLab.nonce))
        try lab.tun.write(DropLab.echo(ttl: 1))
        let events = Self.events(&watch)
        #expect(events.map(\.reason) == ["NETFILTER_DROP", "IP_INHDR"])
        let error = try Packet(#require(events.first).packet)
        #expect(error.destination == IPAddress("192.168.69.1"))
        #expect(error.quoted?.destination == IPAddress("198.51.100.10"))
      }
    }

    /// A packet of a socket that is at no interface yet has its namespace from the socket.
    @Test func sentFromHere() throws {
      try inNewNamespace {
        let lab = try DropLab()
        DropLab.shell(
          "nft 'add table inet u; add chain inet u f { type filter hook output priority 0; };"
            + " add rule inet u f ip daddr 198.51.100.10 drop'")
        var watch = try DropWatch(filter: DropFilter())
        DropLab.shell("bash -c 'echo x > /dev/udp/198.51.100.10/53' 2> /dev/null || true")
        // An interface that has just come up may lose some packets of the host's own.
        let events = Self.events(&watch).filter { $0.packet.first == 0x45 }
        #expect(events.map(\.reason) == ["NETFILTER_DROP"])
        let packet = try Packet(#require(events.first).packet)
        #expect(packet.destination == IPAddress("198.51.100.10"))
        #expect(
          events.first?.namespace == UInt32(try NetworkNamespace.current().identity.inode))
        _ = lab.tun.index  // The lab lives until here.
      }
    }

    /// What happens in another namespace is none of ours.
    @Test func otherNamespaces() throws {
      let other = try NetworkNamespace.create()
      try inNewNamespace {
        let lab = try DropLab()
        try Sysctl.forwarding4.write("0")
        let filter = DropFilter(nonce: DropLab.nonce)
        var watch = try DropWatch(filter: filter, namespace: other.identity)
        var own = try DropWatch(filter: filter)
        try lab.tun.write(DropLab.echo())
        var seen = 0
        watch.drain { _ in seen += 1 }
        #expect(seen == 0)
        own.drain { _ in seen += 1 }
        #expect(seen == 1)
      }
    }

    /// What other namespaces drop is told where it is the probe's, and nobody else's although the addresses are
    /// the same.
    @Test(arguments: ["icmp", "udp", "tcp", "sctp", "gre"]) func elsewhere(_ proto: String) throws {
      let other = try NetworkNamespace.create()
      let kind = ProbeProtocol(proto)!
      func plan(nonce: UInt64) -> ProbePlan {
        ProbePlan(
          source: IPAddress("192.168.69.1")!, destination: IPAddress("198.51.100.10")!, proto: kind,
          identifier: 1, count: 2, interval: 1, timeout: 1, ttl: 64, tos: 0, dontFragment: false,
          size: kind.kind.size.usual, nonce: nonce, device: nil,
          destinationPort: kind.kind.ports == .none ? nil : 80, entrance: .local)
      }
      try inNewNamespace {
        let lab = try DropLab()
        try Sysctl.forwarding4.write("0")
        let ours = plan(nonce: DropLab.nonce)
        let theirs = plan(nonce: DropLab.nonce ^ 0x1111_1111_1111_1111)
        var watch = try DropWatch(
          filter: DropFilter(ours, everywhere: true), namespace: other.identity)
        for sequence in 1...2 {
          try lab.tun.write(theirs.packet(sequence: sequence).bytes)
          try lab.tun.write(ours.packet(sequence: sequence).bytes)
        }
        let events = Self.events(&watch)
        let seen = try events.map { ours.sequence(of: try Packet($0.packet)) }
        // What this host answers with may be dropped as well: it quotes the probe.
        #expect(Set(seen) == [1, 2])
        let inode = try NetworkNamespace.current().identity.inode
        #expect(events.allSatisfy { UInt64($0.namespace) == inode })
        // Who does not ask for others is told nothing.
        var own = try DropWatch(filter: DropFilter(ours), namespace: other.identity)
        try lab.tun.write(ours.packet(sequence: 1).bytes)
        #expect(Self.events(&own).isEmpty)
      }
    }

    /// More than there is room for is counted, to the last packet.
    @Test func losses() throws {
      try inNewNamespace {
        let lab = try DropLab()
        try Sysctl.forwarding4.write("0")
        var watch = try DropWatch(filter: DropFilter(nonce: DropLab.nonce))
        for _ in 0..<3000 { try lab.tun.write(DropLab.echo()) }
        var seen: UInt64 = 0
        watch.drain { _ in seen += 1 }
        #expect(seen > 1000 && seen < 3000)
        #expect(try watch.lost() + seen == 3000)
        // And there is room again.
        try lab.tun.write(DropLab.echo())
        watch.drain { _ in seen += 1 }
        #expect(try watch.lost() + seen == 3001)
      }
    }

    @Test func tooManyPrefixes() {
      let prefix = Prefix("2001:db8::1/127")!
      let error = #expect(throws: KernelError.self) {
        _ = try DropWatch(filter: DropFilter(prefixes: Array(repeating: prefix, count: 129)))
      }
      #expect(error?.help == "at most 128 can be told apart in the kernel")
      #expect(throws: Never.self) {
        _ = try DropWatch(
          filter: DropFilter(nonce: 1, prefixes: Array(repeating: prefix, count: 128)))
      }
    }

    /// What a ping pays, which may be 60 ms. Unoptimised code needs that for the kernel's types alone.
    @Test func cost() throws {
      try inNewNamespace {
        let lab = try DropLab()
        try Sysctl.forwarding4.write("0")
        var times: [[UInt64]] = [[], [], []]
        for _ in 0..<15 {
          // Attaching right after the last one has been detached waits for the kernel to forget that
          // one (RCU, 10 to 20 ms); a ping is alone.
          Loop.pause(nanoseconds: 50_000_000)
          let start = Clock.monotonic
          var watch = try DropWatch(filter: DropFilter(nonce: DropLab.nonce))
          let ready = Clock.monotonic
          try lab.tun.write(DropLab.echo())
          var events = 0
          watch.drain { _ in events += 1 }
          #expect(events == 1)
          let read = Clock.monotonic
          Self.end(watch)
          let parts = [ready - start, read - ready, Clock.monotonic - read]
          for (index, part) in parts.enumerated() { times[index].append(part) }
        }
        let medians = times.map { Double($0.sorted()[$0.count / 2]) / 1000 }
        print("drop reasons: begin \(medians[0]), a drop \(medians[1]), end \(medians[2]) µs")
        #if !DEBUG
          #expect(medians.reduce(0, +) < 60_000)
        #endif
      }
    }

    static func end(_ watch: consuming DropWatch) {}

    /// The events that come within half a second, once there is one.
    static func events(_ watch: inout DropWatch) -> [DropEvent] {
      var events: [DropEvent] = []
      let deadline = Clock.monotonic + 500_000_000
      while events.isEmpty, Clock.monotonic < deadline {
        Loop.wait(for: watch.fileDescriptor, nanoseconds: 50_000_000)
        watch.drain { events.append($0) }
      }
      return events
    }
  }
}
