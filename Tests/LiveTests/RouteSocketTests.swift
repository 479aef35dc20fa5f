import Kernel
import Testing
import Trace
import Wire

extension LiveTests {
  struct RouteSocketTests {
    @Test func linksAndAddresses() throws {
      try inNewNamespace {
        var socket = try RouteSocket()
        try socket.createVeth("left", peer: "right")
        try socket.setLink("left", mtu: 1400)
        try socket.setLink("left", address: HardwareAddress([2, 0, 0, 0, 0, 9]))
        try socket.setLink("left", up: true)
        try socket.setLink("right", up: true)
        let left = try socket.existingLink("left")
        #expect(left.kind == "veth" && left.mtu == 1400 && left.flags.contains(.up))
        #expect(left.address == HardwareAddress([2, 0, 0, 0, 0, 9]))
        #expect(left.link == (try socket.existingLink("right").index))

        for text in ["10.1.2.3/24", "2001:db8::3/64"] {
          let prefix = try #require(Prefix(text))
          try socket.add(prefix, to: "left")
          let added = try socket.addresses().first { $0.local == prefix }
          #expect(added?.interface == left.index)
          #expect(added.map { $0.flags & AddressMessage.tentative } == 0)
          #expect(throws: KernelError.self) { try socket.add(prefix, to: "left") }
          try socket.delete(prefix, from: "left")
          #expect(try !socket.addresses().contains { $0.local == prefix })
        }

        try socket.createLink("br0", kind: "bridge")
        try socket.setLink("left", master: "br0")
        #expect(try socket.existingLink("left").master == socket.existingLink("br0").index)
        try socket.deleteLink("br0")
        try socket.deleteLink("left")
        #expect(try socket.links().map(\.name) == ["lo"])
      }
    }

    /// What is added, moved and removed is heard of, in its order.
    @Test func changesOfInterfacesAndAddresses() throws {
      try inNewNamespace {
        var watch = try InterfaceWatch()
        var socket = try RouteSocket()
        var heard: [NetlinkMessage] = []
        func hear() -> Bool {
          let changes = watch.changes()
          heard = (changes.made + changes.removed).compactMap { record in
            guard case .netlink(let message) = record.content else { return nil }
            return message
          }
          return changes.areAll
        }
        #expect(hear() && heard.isEmpty)
        try socket.createVeth("left", peer: "right")
        try socket.setLink("left", up: true)
        let prefix = Prefix("10.1.2.3/24")!
        try socket.add(prefix, to: "left")
        try socket.delete(prefix, from: "left")
        try socket.deleteLink("left")
        #expect(hear())
        let addresses = heard.filter { (try? AddressMessage(parsing: $0))?.local == prefix }
        #expect(
          addresses.map(\.type) == [RouteMessageType.newAddress, RouteMessageType.deleteAddress])
        let links = heard.filter { (try? LinkMessage(parsing: $0))?.name == "left" }
        #expect(links.first?.type == RouteMessageType.newLink)
        #expect(links.last?.type == RouteMessageType.deleteLink)

        // More than it has room for.
        try socket.createVeth("left", peer: "right")
        for number in 1...1000 { try socket.setLink("left", up: number % 2 == 1) }
        #expect(!hear())
      }
    }

    @Test func vethIntoAnotherNamespace() throws {
      let other = try NetworkNamespace.create()
      try inNewNamespace {
        var socket = try RouteSocket()
        try socket.createVeth("eth0", peer: "eth0", peerNamespace: other.descriptor)
        try socket.createVeth("a", peer: "b")
        try socket.moveLink("b", to: other.descriptor)
        #expect(try socket.links().map(\.name).sorted() == ["a", "eth0", "lo"])
      }
      let names = try other.within { () throws(KernelError) in
        var socket = try RouteSocket()
        return try socket.links().map(\.name).sorted()
      }
      // The other ends went with their namespace, or will in a moment.
      #expect(Set(names).isSubset(of: ["b", "eth0", "lo"]))
    }

    @Test func routesRulesAndLookups() throws {
      try inNewNamespace {
        var socket = try RouteSocket()
        try socket.createVeth("left", peer: "right")
        try socket.setLink("left", up: true)
        try socket.setLink("right", up: true)
        try socket.add(try #require(Prefix("10.1.2.3/24")), to: "left")
        try socket.add(try #require(Prefix("2001:db8::3/64")), to: "left")
        let index = try socket.existingLink("left").index

        let blackhole = RouteMessage(to: try #require(Prefix("10.9.0.0/16")), kind: .blackhole)
        let way = RouteMessage(
          to: try #require(Prefix("0.0.0.0/0")), via: IPAddress("10.1.2.1"), interface: index)
        let table = RouteMessage(
          to: try #require(Prefix("10.7.0.0/16")), via: IPAddress("10.1.2.9"), interface: index,
          table: 1000)
        let way6 = RouteMessage(
          to: try #require(Prefix("::/0")), via: IPAddress("2001:db8::1"), interface: index)
        for route in [blackhole, way, table, way6] {
          try socket.add(route)
          #expect(
            try socket.routes().contains {
              $0.destination == route.destination && $0.table == route.table
                && $0.kind == route.kind && $0.gateway == route.gateway
            })
        }
        #expect(throws: KernelError.self) { try socket.add(way) }

        let rule = RoutingRule(
          family: 4, priority: 77, to: Prefix("10.7.1.0/24"), mark: 5, mask: 0xff, table: 1000)
        try socket.add(rule)
        #expect(try socket.rules().contains(rule))
        let prohibit = RoutingRule(
          family: 6, priority: 78, from: Prefix("2001:db8:9::/48"), table: 0, action: .prohibit)
        try socket.add(prohibit)
        #expect(try socket.rules().contains(prohibit))

        #expect(try socket.lookup(RouteLookup(to: IPAddress("10.9.1.1")!)) == .refused(errno: 22))
        #expect(
          try socket.lookup(RouteLookup(to: IPAddress("8.8.8.8")!, inputInterface: 99))
            == .refused(errno: 19))
        guard case .route(let found) = try socket.lookup(RouteLookup(to: IPAddress("8.8.8.8")!))
        else {
          Issue.record("no route")
          return
        }
        #expect(found.gateway == IPAddress("10.1.2.1") && found.outputInterface == index)
        #expect(found.preferredSource == IPAddress("10.1.2.3") && found.table == 254)
        let marked = RouteLookup(to: IPAddress("10.7.1.1")!, mark: 5, fibMatch: true)
        guard case .route(let special) = try socket.lookup(marked) else {
          Issue.record("no route")
          return
        }
        #expect(special.table == 1000 && special.destination == Prefix("10.7.0.0/16"))
        guard case .route(let six) = try socket.lookup(RouteLookup(to: IPAddress("2001:db8:1::1")!))
        else {
          Issue.record("no route")
          return
        }
        #expect(six.gateway == IPAddress("2001:db8::1"))

        try socket.delete(rule)
        try socket.delete(prohibit)
        #expect(try socket.rules().allSatisfy { ![77, 78].contains($0.priority) })
        for route in [blackhole, way, table, way6] { try socket.delete(route) }
        #expect(try socket.lookup(RouteLookup(to: IPAddress("8.8.8.8")!)) == .refused(errno: 101))
      }
    }

    @Test func errorsNameTheAttemptAndTheReason() throws {
      try inNewNamespace {
        var socket = try RouteSocket()
        let error = #expect(throws: KernelError.self) {
          try socket.add(
            RouteMessage(to: Prefix("0.0.0.0/0")!, via: IPAddress("10.1.2.1"), interface: 1))
        }
        let text = try #require(error?.description)
        #expect(text.hasPrefix("cannot add a route to 0.0.0.0/0: "))
        #expect(text.contains("the kernel says: Nexthop has invalid gateway"))
        #expect(throws: KernelError.self) { try socket.setLink("none", up: true) }
      }
    }

    @Test func neighbours() throws {
      try inNewNamespace {
        var socket = try RouteSocket()
        try socket.createVeth("left", peer: "right")
        try socket.setLink("left", up: true)
        let neighbour = NeighbourMessage(
          interface: try socket.existingLink("left").index, address: IPAddress("10.1.2.9")!,
          hardwareAddress: HardwareAddress([2, 0, 0, 0, 0, 9]))
        try socket.add(neighbour)
        #expect(try socket.neighbours().contains(neighbour))
      }
    }

    /// More than one datagram: dumps are put together.
    @Test func largeDumps() throws {
      try inNewNamespace {
        var socket = try RouteSocket()
        for number in 0..<2000 {
          try socket.add(
            RouteMessage(
              to: Prefix(.v4(0x0a00_0000 + UInt32(number) << 8), length: 24)!, kind: .blackhole))
        }
        #expect(try socket.routes().filter { $0.kind == .blackhole }.count == 2000)
      }
    }
  }
}
