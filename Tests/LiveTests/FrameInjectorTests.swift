import Kernel
import Testing
import Wire

extension LiveTests {
  struct FrameInjectorTests {
    private static let sender = HardwareAddress([2, 0, 0, 0, 0, 9])

    /// Rules that count what comes in on up0 from the sender's address, and everything else.
    private static func count() {
      DropLab.shell(
        """
        nft -f - <<'END'
        table inet u {
          chain p { type filter hook prerouting priority -300;
            iif up0 ether saddr 02:00:00:00:00:09 ether type ip ip saddr 172.20.0.1 counter
            iif up0 ether saddr 02:00:00:00:00:09 ether type ip6 counter
          }
          chain f { type filter hook forward priority 0; iif up0 oif tun0 counter; }
        }
        table netdev u {
          chain i { type filter hook ingress device up0 priority 0; ether saddr 02:00:00:00:00:09 counter; }
        }
        END
        """)
    }

    /// Whether the counters stand at these numbers of packets, in the order of the rules.
    private static func expectCounters(_ packets: [Int]) {
      let text = packets.map { "counter packets \($0)" }.joined(separator: "\n") + "\n"
      DropLab.shell(
        "test \"$(nft list ruleset | grep -o 'counter packets [0-9]*')\" = '\(text.dropLast())'")
    }

    @Test func arrivesOnTheInterface() throws {
      try inNewNamespace {
        let lab = try DropLab()
        Self.count()
        let injector = try FrameInjector(interface: "up0")
        var routes = lab.routes
        #expect(injector.index == (try routes.existingLink("up0").index))
        let four = DropLab.echo(from: "172.20.0.1", to: "192.168.69.1")
        try injector.inject(injector.frame(four, from: Self.sender))
        Self.expectCounters([1, 0, 1, 1])
        // What the host says of itself when an interface comes up may come first.
        var read: [[UInt8]] = []
        while let packet = try lab.tun.read() { read.append(packet) }
        #expect(read.contains { $0.suffix(20) == four.suffix(20) })
        let six = DropLab.echo(from: "fd00:20::1", to: "fd00:69::1")
        try injector.inject(injector.frame(six, from: Self.sender))
        Self.expectCounters([1, 1, 2, 2])
        // For somebody else, it is not let in.
        var other = injector.frame(four, from: Self.sender)
        other[5] ^= 1
        try injector.inject(other)
        Self.expectCounters([1, 1, 2, 3])
      }
    }

    @Test func fromAThreadOfItsOwn() throws {
      try inNewNamespace {
        let lab = try DropLab()
        let injector = try FrameInjector(interface: "up0")
        let packet = DropLab.echo(from: "172.20.0.1", to: "192.168.69.1")
        let frame = injector.frame(packet, from: Self.sender)
        let injection = try Injection(frame: frame, through: injector)
        injection.go()
        var arrived = false
        while injection.errno == nil || !arrived {
          Loop.wait(for: lab.tun.descriptor, nanoseconds: 10_000_000)
          if let read = try lab.tun.read(), read.suffix(20) == packet.suffix(20) { arrived = true }
        }
        #expect(injection.errno == 0 && arrived)
        #expect(injector.index > 0)
      }
    }

    /// A drop of such a frame is a drop at that interface.
    @Test func dropsAreSeen() throws {
      try inNewNamespace {
        let lab = try DropLab()
        try Sysctl.forwarding4.write("0")
        let injector = try FrameInjector(interface: "up0")
        var watch = try DropWatch(filter: DropFilter(nonce: DropLab.nonce))
        let packet = DropLab.echo(from: "172.20.0.1", to: "192.168.69.1")
        try injector.inject(injector.frame(packet, from: Self.sender))
        let events = DropWatchTests.events(&watch)
        #expect(events.map(\.reason) == ["IP_INADDRERRORS"])
        #expect(events.first?.device == injector.index)
        #expect(events.first?.packet == packet)
        _ = lab.tun.index  // The lab lives until here.
      }
    }

    @Test func refusals() throws {
      try inNewNamespace {
        var lab = try DropLab()
        func reason(_ name: String) -> String {
          let error = #expect(throws: KernelError.self) {
            _ = try FrameInjector(interface: name)
          }
          if case .usage? = error?.kind {} else { Issue.record("not a usage error") }
          return error?.description ?? ""
        }
        #expect(reason("lo").contains("lo is the loopback"))
        #expect(reason("none").contains("there is no interface none here"))
        try lab.routes.setLink("up0", up: false)
        #expect(
          reason("up0").contains("up0 is down, so nothing can arrive there: ip link set dev up0 up")
        )
      }
    }

    @Test func lengthsAndVanishing() throws {
      try inNewNamespace {
        var lab = try DropLab()
        let injector = try FrameInjector(interface: "up0")
        let longest = FrameInjector.maximumLength
        let frame = injector.frame(Array(repeating: 0x45, count: longest - 14), from: Self.sender)
        #expect(throws: Never.self) { try injector.inject(frame) }
        let long = #expect(throws: KernelError.self) { try injector.inject(frame + [0]) }
        #expect(long?.help?.hasPrefix("the packet has \(longest - 13) octets") == true)
        #expect(throws: KernelError.self) { try injector.inject([]) }
        try lab.routes.deleteLink("up0")
        let gone = #expect(throws: KernelError.self) { try injector.inject(frame) }
        #expect(
          gone?.help == "The interface was removed, or is in another network namespace.")
      }
    }
  }
}
