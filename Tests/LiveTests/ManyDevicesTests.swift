import Testing
import Trace
import Wire

@testable import Kernel

extension LiveTests {
  /// Where there are many devices, the points at them are at all of them, or, where the kernel has no such chains, at each by
  /// its name.
  struct ManyDevicesTests {
    private static let points: [ObservationPoint] = [.ingress, .egress]

    private static func tables() -> ObservationTables {
      ObservationTables(
        prefixes: [Prefix("10.0.0.0/8")!], versions: [4], backend: .group(7))
    }

    private static func devices(_ count: Int) throws -> [String] {
      var routes = try RouteSocket()
      for number in 0..<count { try routes.createVeth("a\(number)", peer: "b\(number)") }
      return try routes.dump(RouteMessageType.getLink).compactMap { LinkMessage.called($0)?.name }
    }

    @Test(arguments: [true, false]) func all(knowsThem: Bool) throws {
      try inNewNamespace {
        let devices = try Self.devices(20)
        #expect(devices.count == 41 && Set(devices).isSuperset(of: ["lo", "a0", "b19"]))
        var tables = Self.tables()
        tables.standsAtAllDevices = knowsThem
        var socket = try NetfilterSocket()
        let made = try socket.install(
          tables, table: "nftrace_test", journals: nil, points: Self.points, devices: devices)
        #expect(made.contains(.ingress))
        var rules = try RulesetReader()
        let chains = try rules.chains()
        let installed = InstalledPoints(chains, table: "nftrace_test")
        #expect(installed.match(made, devices: devices))
        let named = try chains.map { try ChainMessage($0.payload).devices }
        if knowsThem, Machine.kernelRelease.starts(with: "6.18") {
          #expect(named.allSatisfy { $0 == ["*"] })
        }
        // Of one that is named, a device more is one that is not looked at.
        #expect(installed.match(made, devices: devices + ["new"]) == (named.first == ["*"]))
      }
    }

    /// A few are named, so that whoever lists them sees at which a chain is.
    @Test func aFewAreNamed() throws {
      try inNewNamespace {
        let devices = try Self.devices(2)
        var socket = try NetfilterSocket()
        let made = try socket.install(
          Self.tables(), table: "nftrace_test", journals: nil, points: Self.points, devices: devices
        )
        var rules = try RulesetReader()
        let chains = try rules.chains().map { try ChainMessage($0.payload) }
        #expect(!made.isEmpty && chains.allSatisfy { Set($0.devices) == Set(devices) })
      }
    }

    @Test func linksAreNamed() throws {
      try inNewNamespace {
        let devices = try Self.devices(1)
        var routes = try RouteSocket()
        let links = try routes.links()
        #expect(links.map(\.name) == devices)
        let messages = try routes.dump(RouteMessageType.getLink)
        #expect(messages.compactMap { LinkMessage.called($0)?.index } == links.map(\.index))
        #expect(LinkMessage.called(RouteMessageType.dump(RouteMessageType.getLink)) == nil)
        let counters = Counters.read(links: messages)
        #expect(devices.allSatisfy { counters["\($0).queue_dropped"] == 0 })
        #expect(counters.keys.sorted() == Counters.read().keys.sorted())
      }
    }
  }
}
