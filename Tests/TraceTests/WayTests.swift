import Testing
import Wire

@testable import Trace

/// What happened to a packet, step by step.
struct WayTests {
  private static func hop(_ hook: Hook, ttl: UInt8 = 64) -> Hop {
    let packet = Packet(
      source: .v4(0x0a00_0001), destination: .v4(0xc000_0201), proto: .udp, ttl: ttl,
      identification: 1, transport: .udp(UDPHeader(sourcePort: 1, destinationPort: 53)),
      payload: [])
    return Hop(
      point: ObservationPoint(
        hook: hook, priority: 0, table: nil, label: hook.rawValue, chain: hook.rawValue),
      time: 0, packet: packet)
  }

  private static func rule(_ handle: UInt64) -> RuleStep {
    RuleStep(
      family: NFProto.ipv4, table: "t", chain: "c", .nft(handle: handle), verdict: .continue)
  }

  private static let route = RouteDecision(
    device: "eth1", gateway: nil, destination: nil, table: 254, rule: nil, preferredSource: nil)
  private static let change = Change(.ttl, from: "64", to: "63", cause: .forwarding)

  @Test func whatWasNeverSeenHasNoWay() {
    #expect(Way([]) == nil)
    #expect(Way([.rule(Self.rule(1)), .routed(Self.route)]) == nil)
  }

  @Test func legsHaveWhatStandsBeforeTheirHop() throws {
    let (first, second) = (Self.hop(.prerouting), Self.hop(.forward, ttl: 63))
    let way = try #require(
      Way([
        .tracked(.new), .seen(first), .routed(Self.route), .rule(Self.rule(1)),
        .changed(Self.change), .seen(second), .rule(Self.rule(2)),
      ]))
    #expect(way.first == first && way.last == second && Array(way.hops) == [first, second])
    let legs = way.legs
    #expect(legs.map(\.hop) == [first, second])
    #expect(legs.map(\.tracked) == [.new, nil] && legs.map(\.route) == [nil, Self.route])
    #expect(legs.map(\.changes) == [[], [Self.change]])
    #expect(legs.map { $0.rules.map(\.handle) } == [[], [1]])
    #expect(way.trailingRules.map(\.handle) == [2] && way.rules.map(\.handle) == [1, 2])
    #expect(way.lastLeg(to: first).rules.map(\.handle) == [2])
    #expect(way.route == Self.route && way.changes == [Self.change])
  }

  /// What conntrack made of a packet is told behind the hop that it concerns.
  @Test func whatConntrackMadeOfItIsOfTheLastHop() {
    var way = Way(Self.hop(.prerouting))
    way.append(Self.rule(1))
    way.append(Self.hop(.prerouting, ttl: 63))
    way.track(.invalid)
    way.track(.new)
    #expect(way.legs.map(\.tracked) == [nil, .new] && way.last.packet.ttl == 63)
    #expect(way.steps.count == 4)
    way.append(Self.rule(2))
    way.track(.untracked)
    #expect(way.legs.map(\.tracked) == [nil, .untracked] && way.rules.map(\.handle) == [1, 2])
    way.setVerdictOfLastRule(.drop)
    #expect(way.rules.map(\.verdict) == [.continue, .drop])
    way.updateHop(0) { $0.fragments = 3 }
    #expect(way.hops.map(\.fragments) == [3, 1])
  }
}
