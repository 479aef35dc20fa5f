internal import Wire

/// What the kernel's own listings said of the namespace: interfaces, chains, rules, connections.
/// Filled from the records of a session in their order, so that it is the same live and replayed.
struct Surroundings: Sendable {
  private(set) var linkNames: [UInt32: String] = [:]
  private(set) var linkTypes: [UInt32: UInt16] = [:]
  /// Addresses of this host, by the index of their interface.
  private(set) var addresses: [UInt32: [IPAddress]] = [:]
  private(set) var chains: [ChainKey: ChainMessage] = [:]
  private(set) var rules: [RuleKey: NFTRuleMessage] = [:]
  private(set) var connections: [UInt32: ConntrackMessage] = [:]
  /// Connection ids in the order they came, so that the oldest can be forgotten.
  private var connectionOrder: [UInt32] = []

  struct ChainKey: Hashable {
    var family: UInt8
    var table: String
    var chain: String
  }

  struct RuleKey: Hashable {
    var family: UInt8
    var table: String
    var chain: String
    var handle: UInt64
  }

  /// The name of an interface; "if7" for one whose name was never told.
  func name(_ index: UInt32?) -> String? {
    guard let index, index != 0 else { return nil }
    return linkNames[index] ?? "if\(index)"
  }

  /// Takes in what a message says; false if it is of no such kind.
  mutating func take(_ message: NetlinkMessage) -> Bool {
    switch message.type {
    case 16: takeLink(message.payload)
    case 20: takeAddress(message.payload)
    case ChainMessage.newType:
      guard let chain = try? ChainMessage(message.payload) else { return true }
      chains[ChainKey(family: chain.family, table: chain.table, chain: chain.name)] = chain
    case NFTRuleMessage.newType, NFTRuleMessage.deleteType:
      guard let rule = try? NFTRuleMessage(message.payload) else { return true }
      // A rule that is gone is still the one that decided: keep what is known of it.
      rules[
        RuleKey(family: rule.family, table: rule.table, chain: rule.chain, handle: rule.handle)] =
        rule
    default: return false
    }
    return true
  }

  /// Keeps what conntrack says of a connection; the oldest are forgotten when there are many.
  mutating func take(_ connection: ConntrackMessage) {
    guard let id = connection.id else { return }
    if connections[id] == nil { connectionOrder.append(id) }
    connections[id] = connection
    if connectionOrder.count > 8192 {
      for old in connectionOrder.prefix(4096) { connections[old] = nil }
      connectionOrder.removeFirst(4096)
    }
  }

  /// RTM_NEWLINK: struct ifinfomsg, then attributes; IFLA_IFNAME is 3.
  private mutating func takeLink(_ payload: [UInt8]) {
    guard let (index, type) = try? Self.interface(payload),
      let attributes = try? NetlinkAttribute.all(in: payload, from: 16)
    else { return }
    linkTypes[index] = type
    if let name = attributes[type: 3]?.string { linkNames[index] = name }
  }

  private static func interface(
    _ payload: [UInt8]
  ) throws(WireError) -> (index: UInt32, type: UInt16) {
    var reader = ByteReader(payload.span)
    try reader.skip(2)
    let type: UInt16 = try reader.littleEndian()
    return (try reader.littleEndian(), type)
  }

  /// RTM_NEWADDR: struct ifaddrmsg, then attributes; IFA_ADDRESS is 1, IFA_LOCAL 2.
  private mutating func takeAddress(_ payload: [UInt8]) {
    guard payload.count >= 8, let attributes = try? NetlinkAttribute.all(in: payload, from: 8),
      let address = (attributes[type: 2] ?? attributes[type: 1]).flatMap({
        IPAddress(bytes: $0.value)
      })
    else { return }
    let index = payload[4..<8].reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
    addresses[index, default: []].append(address)
  }

  /// The base chain's hook and priority, if that chain was listed.
  func place(of step: RuleStep) -> (hook: Hook, priority: Int32)? {
    let key = ChainKey(family: step.family, table: step.table, chain: step.chain)
    guard let chain = chains[key], let hook = chain.hook, let priority = chain.priority else {
      return nil
    }
    return (hook, priority)
  }

  /// What is known of the rule a step names.
  func rule(_ step: RuleStep) -> NFTRuleMessage? {
    guard let handle = step.handle else { return nil }
    return rules[
      RuleKey(family: step.family, table: step.table, chain: step.chain, handle: handle)]
  }
}
