internal import Wire

/// What the kernel's own listings said of the namespace, and what nftrace asked it: interfaces,
/// addresses, neighbours, routes, chains, rules, connections, settings, counters. Filled from the
/// records of a session in their order, so that it is the same live and replayed.
struct Environment: Sendable {
  private(set) var links: [UInt32: LinkMessage] = [:]
  private var linkNumbers: [String: UInt32] = [:]
  private(set) var addresses: [AddressMessage] = []
  private(set) var neighbours: [NeighbourMessage] = []
  private var neighbourPlaces: [NeighbourKey: Int] = [:]
  /// What of `addresses`, `policy` and `routes` is there already: a file may have a million of each.
  private var listed: Set<Listed> = []
  /// Rules of policy routing, in the order they are asked.
  private(set) var policy: [RuleMessage] = []
  private(set) var chains: [ChainKey: ChainMessage] = [:]
  private(set) var rules: [RuleKey: NFTRuleMessage] = [:]
  private(set) var connections: [UInt32: ConntrackMessage] = [:]
  private(set) var sysctls: [String: String] = [:]
  /// Facts with names: "rp_filter tool", "legacy tables 4"…
  private(set) var facts: [String: String] = [:]
  /// Evidence: why the kernel's drop reasons are not to be had. Nothing where they are.
  var withoutReasons: [String] {
    facts["drop reasons"].map { ["the kernel's drop reasons are \($0)"] } ?? []
  }
  private(set) var counters: [String: UInt64] = [:]
  /// By how much counters went up between the last two readings.
  private(set) var counterDeltas: [String: UInt64] = [:]
  /// All routes of all tables, as far as they were listed.
  private(set) var routes: [RouteMessage] = []
  private(set) var lookups: [(question: RouteLookup, answer: RouteAnswer)] = []
  private(set) var texts: [RuleText] = []
  /// Packets that the kernel said it dropped.
  private(set) var drops: [DropEvent] = []
  /// Whose they were, one by one.
  private var dropped: [Identity?] = []
  /// Rules that dropped ARP or neighbour discovery.
  private(set) var discoveryDrops: [RuleStep] = []
  private var question: RouteLookup?
  /// Connection ids in the order they came, so that the oldest can be forgotten.
  private var connectionOrder: [UInt32] = []
  /// The same of rules.
  private var ruleOrder: [RuleKey] = []
  /// Rules that are remembered: more than any ruleset that somebody wrote by hand.
  private static let mostRules = 65536

  private struct NeighbourKey: Hashable {
    var interface: UInt32
    var address: IPAddress
  }

  private enum Listed: Hashable {
    case address(AddressMessage)
    case policy(RuleMessage)
    case route(RouteMessage)
  }

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

    init(family: UInt8, table: String, chain: String, handle: UInt64) {
      self.family = family
      self.table = table
      self.chain = chain
      self.handle = handle
    }

    /// nil for a policy, and for rules of iptables-legacy.
    init?(_ step: RuleStep) {
      guard let handle = step.handle else { return nil }
      self.init(family: step.family, table: step.table, chain: step.chain, handle: handle)
    }
  }

  /// The name of an interface; "if7" for one whose name was never told.
  func name(_ index: UInt32?) -> String? {
    guard let index, index != 0 else { return nil }
    return links[index]?.name ?? "if\(index)"
  }

  /// The interface of this name.
  func link(_ name: String?) -> LinkMessage? {
    guard let name, let link = linkNumbers[name].flatMap({ links[$0] }), link.name == name else {
      return nil
    }
    return link
  }

  /// Whether what comes in by the second interface comes in by the first as well, and what leaves by
  /// the first may leave by the second: a bridge, bond or the like and its port, or a VLAN and what it
  /// stands on.
  func isAbove(_ upper: String?, _ lower: String?) -> Bool {
    guard let upper = link(upper), let lower = link(lower) else { return false }
    return lower.master == upper.index || upper.standsOnAnother && upper.link == lower.index
  }

  /// Whether packets that leave by it leave by another interface then.
  func isAboveOthers(_ name: String?) -> Bool {
    guard let link = link(name) else { return false }
    return link.standsOnAnother || ["bridge", "bond", "team"].contains(link.kind)
  }

  /// Whether there is an interface that tc can send packets through before they are shaped.
  var hasIntermediateBlock: Bool { links.values.contains { $0.kind == "ifb" } }

  /// Takes in what a message says of the namespace.
  mutating func take(_ message: NetlinkMessage) {
    switch message.type {
    case RouteMessageType.newLink:
      guard let link = try? LinkMessage(parsing: message) else { return }
      links[link.index] = link
      linkNumbers[link.name] = link.index
    case RouteMessageType.newAddress:
      guard let address = try? AddressMessage(parsing: message),
        listed.insert(.address(address)).inserted
      else { return }
      addresses.append(address)
    case RouteMessageType.newNeighbour:
      guard let neighbour = try? NeighbourMessage(parsing: message) else { return }
      let key = NeighbourKey(interface: neighbour.interface, address: neighbour.address)
      if let place = neighbourPlaces[key] {
        neighbours[place] = neighbour
      } else {
        neighbourPlaces[key] = neighbours.count
        neighbours.append(neighbour)
      }
    case RouteMessageType.newRule:
      guard let rule = try? RuleMessage(parsing: message), listed.insert(.policy(rule)).inserted
      else { return }
      policy.append(rule)
    case RouteMessageType.getRoute: question = try? RouteLookup(parsing: message)
    case RouteMessageType.newRoute, NetlinkMessage.errorType: takeAnswer(message)
    case ChainMessage.newType:
      guard let chain = try? ChainMessage(message.payload) else { return }
      chains[ChainKey(family: chain.family, table: chain.table, chain: chain.name)] = chain
    case NFTRuleMessage.newType, NFTRuleMessage.deleteType:
      guard let rule = try? NFTRuleMessage(message.payload) else { return }
      // A rule that is gone is still the one that decided: keep what is known of it.
      let key = RuleKey(
        family: rule.family, table: rule.table, chain: rule.chain, handle: rule.handle)
      if rules.updateValue(rule, forKey: key) == nil { ruleOrder.append(key) }
      // A ruleset that is loaded again and again has other handles every time.
      if ruleOrder.count > Self.mostRules {
        for old in ruleOrder.prefix(Self.mostRules / 2) { rules[old] = nil }
        ruleOrder.removeFirst(Self.mostRules / 2)
      }
    default: break
    }
  }

  /// Forgets the rules of a table that was removed. Returns what was known of them.
  mutating func forgetRules(
    _ table: TableName
  ) -> (rules: [RuleKey: NFTRuleMessage], texts: [RuleText]) {
    func isIn(_ text: RuleText) -> Bool {
      text.family == table.family && text.table == table.name && text.handle != nil
    }
    func isIn(_ key: RuleKey) -> Bool { key.family == table.family && key.table == table.name }
    let gone = (rules.filter { isIn($0.key) }, texts.filter(isIn))
    texts.removeAll(where: isIn)
    ruleOrder.removeAll(where: isIn)
    rules = rules.filter { !isIn($0.key) }
    return gone
  }

  /// Looks at the rules that dropped ARP or neighbour discovery once more.
  mutating func reviseDiscoveryDrops(_ revise: (RuleStep) -> RuleStep) {
    discoveryDrops = discoveryDrops.map(revise)
  }

  /// The answer to the lookup before it, or an entry of a list.
  private mutating func takeAnswer(_ message: NetlinkMessage) {
    guard let asked = question else {
      if let route = try? RouteMessage(parsing: message), listed.insert(.route(route)).inserted {
        routes.append(route)
      }
      return
    }
    question = nil
    if message.type == NetlinkMessage.errorType {
      lookups.append((asked, .refused(message.errorCode)))
    } else if let route = try? RouteMessage(parsing: message) {
      lookups.append((asked, .route(route)))
    }
    // Answers to the same question replace each other: routes may have changed between probes.
    if let old = lookups.dropLast().firstIndex(where: { $0.question == asked }) {
      lookups.remove(at: old)
    }
    if lookups.count > 256 { lookups.removeFirst(128) }
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

  /// Keeps the kernel's word on a drop; the oldest are forgotten when there are many.
  mutating func take(_ drop: DropEvent) {
    drops.append(drop)
    dropped.append((try? Packet(drop.packet)).map { Identity($0) })
    if drops.count > 1024 {
      drops.removeFirst(512)
      dropped.removeFirst(512)
    }
  }

  /// The kernel's last word on a packet that was dropped since then.
  func drop(of identity: Identity, since start: UInt64) -> DropEvent? {
    drops.indices.last { dropped[$0] == identity && drops[$0].time >= start }.map { drops[$0] }
  }

  /// Keeps that a rule dropped ARP or neighbour discovery.
  mutating func takeDiscoveryDrop(_ step: RuleStep) {
    if !discoveryDrops.contains(step) { discoveryDrops.append(step) }
    // A ruleset that is loaded again and again has other handles every time.
    if discoveryDrops.count > 256 { discoveryDrops.removeFirst(128) }
  }

  /// Takes in a note.
  mutating func take(_ note: Note) {
    switch note {
    case .counters(let now):
      counterDeltas = [:]
      for (name, value) in now where value > counters[name] ?? value {
        counterDeltas[name] = value - counters[name]!
      }
      counters = now
    case .sysctls(let values): sysctls.merge(values) { _, new in new }
    case .facts(let values): facts.merge(values) { _, new in new }
    case .rule(let text):
      texts.append(text)
      if texts.count > Self.mostRules { texts.removeFirst(Self.mostRules / 2) }
    case .notSent, .ended: break
    }
  }

  /// The base chain's hook and priority, if that chain was listed.
  func place(of step: RuleStep) -> (hook: Hook, priority: Int32)? {
    guard let chain = chain(of: step), let hook = chain.hook, let priority = chain.priority else {
      return nil
    }
    return (hook, priority)
  }

  /// The chain a step was made in.
  func chain(of step: RuleStep) -> ChainMessage? {
    chains[ChainKey(family: step.family, table: step.table, chain: step.chain)]
  }

  /// What is known of the rule a step names.
  func rule(_ step: RuleStep) -> NFTRuleMessage? {
    RuleKey(step).flatMap { rules[$0] }
  }

  /// The rule's text, if somebody told it.
  func text(_ step: RuleStep) -> RuleText? {
    // A policy has none; that of another rule of its chain is not its own.
    guard !step.isPolicy else { return nil }
    return texts.last {
      $0.family == step.family && $0.table == step.table && $0.chain == step.chain
        && (step.handle != nil ? $0.handle == step.handle : $0.position == step.position)
    }
  }

  /// Which tool's words are known for the rule, or for one of a policy's chain.
  func tool(of step: RuleStep) -> RuleText.Tool? {
    guard step.isPolicy else { return text(step)?.tool }
    return texts.last {
      $0.family == step.family && $0.table == step.table && $0.chain == step.chain
        && ($0.tool == .iptablesLegacy) == step.isLegacy
    }?.tool
  }

  /// What the kernel answered when it was asked about the packet as it was at a hop. `arriving` is
  /// whether it was asked as for a packet that comes in, `exact` whether for the route as it stands
  /// in its table.
  func answer(about hop: Hop, arriving: Bool, exact: Bool = false) -> RouteAnswer? {
    lookups.last {
      let asked = $0.question
      return asked.destination == hop.packet.destination && asked.fibMatch == exact
        && (asked.inputInterface != nil) == arriving
        && (asked.source == nil || asked.source == hop.packet.source)
        && (asked.mark ?? 0) == hop.mark
    }?.answer
  }

  /// Whether this host has the address, on any interface.
  func isLocal(_ address: IPAddress) -> Bool {
    address.isLoopback || addresses.contains { $0.local.address == address }
  }

  /// Whether the interface of this name has the address.
  func isAddress(_ address: IPAddress, of device: String?) -> Bool {
    guard let index = link(device)?.index else { return false }
    return addresses.contains { $0.interface == index && $0.local.address == address }
  }

  /// The address of an interface, of this IP version, that is not link-local.
  func address(of device: String?, version: Int) -> Prefix? {
    guard let index = link(device)?.index else { return nil }
    return addresses.first {
      $0.interface == index && $0.local.address.family == version
        && !$0.local.address.isLinkLocal
    }?.local
  }
}

/// What the kernel answered to a route lookup.
enum RouteAnswer: Sendable, Equatable {
  case route(RouteMessage)
  /// An errno is an answer, too.
  case refused(Int32)

  /// The route, if there is one.
  var route: RouteMessage? { if case .route(let route) = self { route } else { nil } }
  /// The errno, if it was refused.
  var errno: Int32? { if case .refused(let errno) = self { errno } else { nil } }
}

extension LinkMessage {
  /// Whether it is a part of another interface of this namespace.
  fileprivate var standsOnAnother: Bool {
    linkNamespace == nil && ["vlan", "macvlan", "ipvlan"].contains(kind)
  }
}
