import Kernel
import Testing
import Wire

extension LiveTests {
  struct TunDeviceTests {
    @Test func packetsGoThroughIt() throws {
      try inNewNamespace {
        let tun = try TunDevice("nftrace%d")
        #expect(tun.name == "nftrace0")
        var socket = try RouteSocket()
        let link = try socket.existingLink("nftrace0")
        #expect(link.index == tun.index && link.tun?.isPersistent == false)
        let echo = Self.echoRequest
        let down = #expect(throws: KernelError.self) { try tun.write(echo) }
        #expect(down?.help == "the interface is down")
        try Sysctl.interface("nftrace0", family: 6, "disable_ipv6")?.write("1")
        try tun.setMTU(1400)
        try socket.setLink("nftrace0", up: true)
        try socket.add(#require(Prefix("192.168.69.100/24")), to: "nftrace0")
        #expect(try tun.read() == nil)
        try tun.write(echo)
        let reply = try #require(try tun.read())
        #expect(reply.count == echo.count && reply[20] == 0)
        #expect(reply[12..<16].elementsEqual([192, 168, 69, 100]))
        #expect(try socket.existingLink("nftrace0").mtu == 1400)
      }
    }

    /// 192.168.69.1 to 192.168.69.100, 28 octets.
    static let echoRequest: [UInt8] = {
      var header: [UInt8] = [0x45, 0, 0, 28, 0, 1, 0, 0, 64, 1, 0, 0]
      header += [192, 168, 69, 1, 192, 168, 69, 100]
      let sum = checksum(header)
      header[10] = UInt8(sum >> 8)
      header[11] = UInt8(sum & 255)
      var message: [UInt8] = [8, 0, 0, 0, 0, 1, 0, 1]
      let inner = checksum(message)
      message[2] = UInt8(inner >> 8)
      message[3] = UInt8(inner & 255)
      return header + message
    }()

    private static func checksum(_ bytes: [UInt8]) -> UInt16 {
      var sum: UInt32 = 0
      for index in stride(from: 0, to: bytes.count, by: 2) {
        sum += UInt32(bytes[index]) << 8 | UInt32(bytes[index + 1])
      }
      while sum > 0xffff { sum = sum >> 16 + sum & 0xffff }
      return ~UInt16(sum)
    }

    @Test func goesWhenClosedUnlessPersistent() throws {
      try inNewNamespace {
        var socket = try RouteSocket()
        func openOnce(persistent: Bool) throws {
          let tun = try TunDevice("tun0")
          try tun.setPersistent(persistent)
        }
        try openOnce(persistent: false)
        #expect(try socket.link("tun0") == nil)
        try openOnce(persistent: true)
        #expect(try socket.existingLink("tun0").tun?.isPersistent == true)
        let error = #expect(throws: KernelError.self) { _ = try TunDevice("tun0", mustBeNew: true) }
        #expect(error?.help == "it exists; give the name of a device that can be made")
        try openOnce(persistent: false)
        #expect(try socket.link("tun0") == nil)
      }
    }

    /// What a device was made like it stays like, and packets go through it all the same.
    @Test(arguments: ["", "pi", "vnet_hdr", "pi vnet_hdr multi_queue"]) func anotherKindOfDevice(
      kind: String
    ) async throws {
      let net = try await RouterNet(
        RouterPlan().withoutTun().with(
          """
          ip tuntap add tun0 mode tun \(kind)
          ip addr add 192.168.69.100/24 dev tun0
          ip -6 addr add fd00:69::100/64 dev tun0
          ip link set tun0 up
          """))
      let before = try await net.inRouter("ip tuntap")
      for destination in ["192.168.69.100", "fd00:69::100"] {
        let outcome = try await net.ping(["--tun", "tun0"], to: destination)
        #expect(outcome.code == 0, "\(outcome)")
      }
      // Answers are read from it where it has a carrier.
      try await net.inRouter("sysctl -qw net.ipv4.conf.tun0.ignore_routes_with_linkdown=1")
      let outcome = try await net.ping(["--tun", "tun0"], to: "192.168.69.100")
      #expect(outcome.code == 0, "\(outcome)")
      #expect(try await net.inRouter("ip tuntap") == before)
    }

    /// What refuses a device that is there does not open it to find out: a carrier would change it.
    @Test func existingOnesAreNotOpenedToBeRefused() async throws {
      let net = try await RouterNet()
      let before = try await net.state()
      let outcome = try await Programs.nftrace(
        ["intercept", "--netns", net.router, "--tun", "tun0", "203.0.113.0/24"])
      #expect(outcome.code == 2 && outcome.error.contains("it exists; give"), "\(outcome)")
      try await Task.sleep(for: .milliseconds(300))
      #expect(try await net.state() == before)
    }

    @Test func busySaysByWhom() throws {
      try inNewNamespace {
        let tun = try TunDevice("tun0")
        let error = #expect(throws: KernelError.self) { _ = try TunDevice("tun0") }
        #expect(error?.errno == 16)
        #expect(error?.help?.hasPrefix("in use by process ") == true, "\(error?.help ?? "")")
        #expect(tun.name == "tun0")
      }
    }

    @Test func somethingElseOfThatName() throws {
      try inNewNamespace {
        var socket = try RouteSocket()
        try socket.createLink("br0", kind: "bridge")
        let bridge = #expect(throws: KernelError.self) { _ = try TunDevice("br0") }
        #expect(
          bridge?.help == "br0 is no TUN device but a bridge interface; give another name")
        #expect(throws: KernelError.self) { _ = try TunDevice("lo") }
      }
    }
  }

  struct SysctlTests {
    @Test func writing() throws {
      try inNewNamespace {
        #expect(try Sysctl.forwarding4.read() == "0")
        try Sysctl.forwarding4.write("1")
        #expect(try Sysctl.forwarding4.read() == "1")
        let error = #expect(throws: KernelError.self) { try Sysctl.forwarding4.write("many") }
        #expect(error?.help == "the kernel does not take the value 'many'")
      }
      #expect(try inNewNamespace { try Sysctl.forwarding4.read() } == "0")
    }
  }
}
