import Fixtures
import Testing
import Wire

@testable import Trace

/// What the kernel listed takes the place of what it listed before: between two probes somebody may
/// have changed it.
@Suite struct SnapshotTests {
  private struct Session {
    var header: SessionHeader
    var records: [Record] = []

    init(_ name: String) throws {
      var decoder = SessionDecoder()
      decoder.feed(try Fixtures.octets(name))
      guard case .header(let header?) = try decoder.next() else { throw CancellationError() }
      self.header = header
      while case .record(let record) = try decoder.next() { records.append(record) }
    }

    /// What is found about its probes.
    func findings() throws -> [Finding] {
      var ping = try #require(PingStory(header: header))
      var results: [ProbeResult] = []
      for record in records { results += ping.replay(record) }
      return (results + ping.finishReplay()).flatMap(\.findings)
    }

    /// Where the records of this type stand.
    func places(of type: UInt16) -> [Int] {
      records.indices.filter {
        if case .netlink(let message) = records[$0].content { message.type == type } else { false }
      }
    }

    func message(_ place: Int) -> NetlinkMessage {
      guard case .netlink(let message) = records[place].content else { preconditionFailure() }
      return message
    }

    mutating func insert(_ message: NetlinkMessage, at place: Int) {
      records.insert(Record(time: records[max(place - 1, 0)].time, .netlink(message)), at: place)
    }
  }

  /// The place and the message of the route that refuses, as the kernel listed it.
  private func refusal(_ session: Session) throws -> (place: Int, message: NetlinkMessage) {
    let place = try #require(
      session.places(of: RouteMessageType.newRoute).first { place in
        let message = session.message(place)
        return message.isPartOfDump
          && (try? RouteMessage(parsing: message))?.kind == .unreachable
          && message.payload[1] == 64
      })
    return (place, session.message(place))
  }

  /// The type of a route is the eighth octet of struct rtmsg.
  private func blackhole(_ route: NetlinkMessage) -> NetlinkMessage {
    var other = route
    other.payload[7] = RouteMessage.Kind.blackhole.rawValue
    return other
  }

  /// In one place of a table there is one route: the later one.
  @Test func theLaterRouteOfTwo() throws {
    var session = try Session("route-unreachable-v6")
    let refusal = try refusal(session)
    session.insert(blackhole(refusal.message), at: refusal.place)
    let finding = try #require(try session.findings().first)
    #expect(finding.id == .unreachableRoute, "\(finding)")
    #expect(finding.remedy?.text.contains("unreachable") == true, "\(finding)")

    session = try Session("route-unreachable-v6")
    session.insert(blackhole(refusal.message), at: refusal.place + 1)
    #expect(try session.findings().first?.id == .blackholeRoute)
  }

  /// What an earlier list had, with a better metric even, is gone if a later list has it not. Sessions
  /// without the requests tell the lists apart by the numbers of the answers.
  @Test(arguments: [true, false]) func anEarlierList(_ hasRequest: Bool) throws {
    var session = try Session("route-unreachable-v6")
    let refusal = try refusal(session)
    let first = try #require(
      session.places(of: RouteMessageType.newRoute).first {
        session.message($0).isPartOfDump && session.message($0).payload[0] == 10
      })
    var old = try RouteMessage(parsing: blackhole(refusal.message))
    old.metric = 1
    var message = old.message
    message.flags = refusal.message.flags
    message.port = refusal.message.port
    message.sequence = refusal.message.sequence &- 2
    session.insert(message, at: first)
    if hasRequest {
      session.insert(
        RouteMessageType.dump(RouteMessageType.getRoute, family: 10), at: first + 1)
    }
    let finding = try #require(try session.findings().first)
    #expect(finding.id == .unreachableRoute, "\(finding)")
  }

  /// A list that has nothing in it is one as well: here of a host that has no routes any more.
  @Test func anEmptyList() throws {
    var session = try Session("route-unreachable-v6")
    let last = try #require(session.places(of: RouteMessageType.newRoute).last)
    session.insert(RouteMessageType.dump(RouteMessageType.getRoute, family: 10), at: last + 1)
    let findings = try session.findings()
    for evidence in findings.flatMap(\.evidence) {
      if case .route = evidence { Issue.record("\(findings)") }
    }
  }

  /// An address that moved to another host, as VRRP has it, is this host's no longer.
  @Test func anAddressThatLeft() throws {
    let virtual = AddressMessage(interface: 2, local: Prefix("192.0.2.1/24")!)
    let own = AddressMessage(interface: 2, local: Prefix("192.0.2.7/24")!)
    var snapshot = Snapshot()
    for address in [virtual, own] { snapshot.take(address.message) }
    #expect(snapshot.isLocal(IPAddress("192.0.2.1")!))
    snapshot.take(virtual.deletion)
    #expect(!snapshot.isLocal(IPAddress("192.0.2.1")!))
    #expect(snapshot.addresses.isBroadcast(IPAddress("192.0.2.255")!))
    snapshot.take(RouteMessageType.dump(RouteMessageType.getAddress))
    #expect(!snapshot.isLocal(IPAddress("192.0.2.7")!))
    #expect(!snapshot.addresses.isBroadcast(IPAddress("192.0.2.255")!))
  }

  /// Eight times the routes take some eight times as long, whatever their prefixes.
  @Test func costsGrowLinearly() throws {
    let session = try Session("forwarding-off-v4")
    func duration(_ count: UInt32) throws -> Duration {
      var large = session
      let last = large.records.last!.time
      large.records += (0..<count).map { number in
        let prefix = Prefix(.v4(0x1400_0000 | number << 8), length: 24)!
        var message = RouteMessage(to: prefix, via: .v4(0x0a00_0001), interface: 2).message
        message.flags = 2
        return Record(time: last, .netlink(message))
      }
      var findings: [Finding] = []
      let time = try ContinuousClock().measure { findings = try large.findings() }
      #expect(findings.first?.id == .forwardingDisabled)
      return time
    }
    _ = try duration(500)
    let ratio = try (0..<3).map { _ in try duration(8000) / duration(1000) }.min()!
    #expect(ratio < 24, "\(ratio)")
  }
}
