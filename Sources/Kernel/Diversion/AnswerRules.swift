internal import Trace
internal import Wire

/// Rules that change the answers to packets that an edit sent elsewhere: they then come from the address and port
/// that were asked, as the socket expects that asked. Maps say which. Errors that quote such a packet
/// are changed in what they quote.
///
/// They keep no state and need no conntrack, which would be switched on for the whole namespace. They stand
/// at the end of INPUT: routing, the reverse path filter, conntrack and all other rules see the answer as it came.
struct AnswerRules {
  private let table: String
  private let version: Int

  private static let family = NFProto.inet
  /// Behind all rules and translations, before conntrack confirms what is new: at INT_MAX, in IPv6 one less.
  private static let priority = Int32.max - 2
  private static let chain = OwnTable.answersChain

  /// Makes the chain, and for each IP version its maps and the rules that ask them.
  static func add(to batch: inout RulesetBatch, table: String, versions: Set<Int>) {
    guard !versions.isEmpty else { return }
    batch.addBaseChain(
      family: family, table: table, name: chain, hook: Hook.input.number(family: family),
      priority: priority)
    for version in versions.sorted() {
      AnswerRules(table: table, version: version).add(to: &batch)
    }
  }

  private func add(to batch: inout RulesetBatch) {
    let address: RulesetBatch.MapField = version == 4 ? .ipv4 : .ipv6
    var ids: [Map: UInt32] = [:]
    for map in Map.allCases {
      let ends: [RulesetBatch.MapField] = [.proto, address, address]
      ids[map] = batch.addMap(
        family: Self.family, table: table, name: name(map),
        from: map == .withoutPorts ? ends : ends + [.port, .port],
        to: [map == .ports ? .port : address], most: AnswerTranslation.most)
    }
    let isVersion: [RuleExpression] = [
      .loadFamily, .compare([version == 4 ? NFProto.ipv4 : NFProto.ipv6], equal: true),
    ]
    for rule in answers + errors {
      let change = rule.changes.flatMap { map, store -> [RuleExpression] in
        [.lookupValue(map: name(map), id: ids[map]!, from: proto, into: found), store]
      }
      batch.addRule(
        family: Self.family, table: table, chain: Self.chain,
        isVersion + rule.match + change + [.verdict(.accept)])
    }
  }

  /// What comes into effect with a packet.
  static func apply(_ change: AnswerChange, to batch: inout RulesetBatch, table: String) {
    if let removed = change.removed {
      let rules = AnswerRules(table: table, version: removed.asked.family)
      for (map, key, _) in elements(removed) {
        batch.remove(key, from: rules.name(map), table: table, family: family)
      }
    }
    let rules = AnswerRules(table: table, version: change.added.asked.family)
    for (map, key, value) in elements(change.added) {
      batch.put(key, value, into: rules.name(map), table: table, family: family)
    }
  }

  // MARK: Keys and values, as they lie in registers of four octets

  /// What is asked of a packet.
  private enum Map: String, CaseIterable {
    /// The address that its flow asked, and the port.
    case addresses, ports
    /// The address, in flows without ports.
    case withoutPorts = "others"
  }

  private func name(_ map: Map) -> String { "\(map.rawValue)\(version)" }

  private static func elements(
    _ translation: AnswerTranslation
  ) -> [(map: Map, key: [UInt8], value: [UInt8])] {
    let flow = translation.flow
    let ends = [flow.proto, 0, 0, 0] + flow.remote.bytes + flow.local.bytes
    guard let ports = flow.ports else {
      return [(.withoutPorts, ends, translation.asked.bytes)]
    }
    let key = ends + word(ports.remote) + word(ports.local)
    return [
      (.addresses, key, translation.asked.bytes), (.ports, key, word(translation.askedPort)),
    ]
  }

  /// A port begins its register.
  private static func word(_ port: UInt16) -> [UInt8] {
    [UInt8(port >> 8), UInt8(port & 255), 0, 0]
  }

  private var length: UInt32 { version == 4 ? 4 : 16 }
  /// `NFT_REG32_00`, and those behind it.
  private var proto: UInt32 { 8 }
  private var remote: UInt32 { proto + 1 }
  private var local: UInt32 { remote + length / 4 }
  private var remotePort: UInt32 { local + length / 4 }
  private var localPort: UInt32 { remotePort + 1 }
  private var found: UInt32 { localPort + 1 }

  // MARK: Rules

  private typealias Rule = (
    match: [RuleExpression], changes: [(map: Map, store: RuleExpression)]
  )

  private static func isProtocol(_ number: IPProtocol) -> [RuleExpression] {
    [.loadTransport, .compare([number.rawValue], equal: true)]
  }

  private var icmp: [RuleExpression] { Self.isProtocol(version == 4 ? .icmp : .icmpv6) }

  private func load(_ offset: UInt32, _ length: UInt32, into register: UInt32) -> RuleExpression {
    .loadPayload(base: .transport, offset: offset, length: length, into: register)
  }

  private func isTransport(_ octets: [UInt8], at offset: UInt32) -> [RuleExpression] {
    [load(offset, UInt32(octets.count), into: 1), .compare(octets, equal: true)]
  }

  private var answers: [Rule] {
    let source: UInt32 = version == 4 ? 12 : 8
    let ends: [RuleExpression] = [
      .loadTransportInto(proto),
      .loadPayload(base: .network, offset: source, length: length, into: remote),
      .loadPayload(base: .network, offset: source + length, length: length, into: local),
    ]
    let ports = ends + [load(0, 2, into: remotePort), load(2, 2, into: localPort)]
    let newAddress = RuleExpression.storePayload(
      from: found, base: .network, offset: source, length: length,
      checksum: version == 4 ? 10 : nil, isAddress: true)
    func changes(checksum: UInt32?) -> [(map: Map, store: RuleExpression)] {
      // With the first of them the packet has another key, but that is in the registers.
      [
        (
          .ports,
          .storePayload(from: found, base: .transport, offset: 0, length: 2, checksum: checksum)
        ), (.addresses, newAddress),
      ]
    }
    return [
      (Self.isProtocol(.tcp) + ports, changes(checksum: 16)),
      // RFC 768: zero is no checksum, and stays that.
      (Self.isProtocol(.udp) + isTransport([0, 0], at: 6) + ports, changes(checksum: nil)),
      (Self.isProtocol(.udp) + ports, changes(checksum: 6)),
      (
        icmp + isTransport([version == 4 ? 0 : 129], at: 0) + ends + [
          load(4, 2, into: remotePort), load(4, 2, into: localPort),
        ], [(.addresses, newAddress)]
      ),
      (ends, [(.withoutPorts, newAddress)]),
    ]
  }

  /// Errors about what was sent: the packet is quoted behind eight octets (RFC 792, RFC 4443).
  private var errors: [Rule] {
    let quoted: UInt32 = 8
    let source = quoted + (version == 4 ? 12 : 8)
    let transport = quoted + (version == 4 ? 20 : 40)
    let types: [ClosedRange<UInt8>] = version == 4 ? [3...4, 11...12] : [1...4]
    // With options, the ports would be elsewhere.
    let isPlain = version == 4 ? isTransport([0x45], at: quoted) : []
    let ends = [
      load(quoted + (version == 4 ? 9 : 6), 1, into: proto),
      load(source + length, length, into: remote), load(source, length, into: local),
    ]
    let newAddress = RuleExpression.storePayload(
      from: found, base: .transport, offset: source + length, length: length, checksum: 2)
    let newPort = RuleExpression.storePayload(
      from: found, base: .transport, offset: transport + 2, length: 2, checksum: 2)
    return types.flatMap { types -> [Rule] in
      let match =
        icmp + [load(0, 1, into: 1), .within([types.lowerBound], [types.upperBound])] + isPlain
        + ends
      return [
        (
          match + isTransport([version == 4 ? 8 : 128], at: transport) + [
            load(transport + 4, 2, into: remotePort), load(transport + 4, 2, into: localPort),
          ], [(.addresses, newAddress)]
        ),
        (
          match + [load(transport + 2, 2, into: remotePort), load(transport, 2, into: localPort)],
          [(.ports, newPort), (.addresses, newAddress)]
        ),
      ]
    }
  }
}
