internal import Wire

/// What the kernel's own listings said of the namespace, and what nftrace asked it: interfaces,
/// addresses, neighbours, routes, chains, rules, connections, settings, counters. Filled from the
/// records of a session in their order, so that it is the same live and replayed.
struct Snapshot: Sendable {
  private(set) var links: [UInt32: LinkMessage] = [:]
  /// Interfaces of a copy that are Ethernet there alone.
  var standIns: [String] = []
  private(set) var linkNumbers: [String: UInt32] = [:]
  /// Addresses and neighbours.
  private(set) var addresses = AddressBook()
  /// Behind which port of a bridge link-layer addresses are, or of a tunnel behind which other end.
  private(set) var forwarding: [HardwareAddress: [ForwardingEntry]] = [:]
  /// Rules of policy routing, in the order they are asked.
  var policy: [RoutingRule] = []
  var routes = RoutingTables()
  /// What routing went by before, in a recording.
  var pastRouting: [PastRouting] = []
  private(set) var chains: [ChainKey: ChainMessage] = [:]
  /// Where packets pass them; nil as long as nobody listed them.
  private(set) var passedChains: PassedChains?
  private(set) var rules: [RuleKey: NFTRuleMessage] = [:]
  private var texts = KnownTexts()
  private(set) var connections: [UInt32: ConntrackMessage] = [:]
  var sysctls: [String: String] = [:]
  /// Why the kernel's drop reasons are not to be had, if they are not.
  private var missingReasons: String?
  /// Why rules of iptables-legacy cannot be named, if they cannot.
  private(set) var missingLegacyTrace: String?
  private var legacyTables: [Int: [String]] = [:]
  /// Whether the rule of iptables-legacy that was asked for last may be another than the packet met.
  private(set) var haveLegacyRulesChanged = false
  /// Whether rules that this host's own packets may meet ask who sends.
  private(set) var asksOwner = false
  private var ownedTables: Set<TableName> = []
  private var dormantTables: Set<TableName> = []
  private var readOnlySettings: Set<String> = []
  private(set) var counters: [String: UInt64] = [:]
  /// By how much counters went up between the last two readings.
  private(set) var counterDeltas: [String: UInt64] = [:]
  private(set) var lookups: [(question: RouteLookup, answer: RouteAnswer)] = []
  /// What this host was found to have when it was asked for a lost probe.
  private(set) var host = HostState()
  /// Packets that the kernel said it dropped.
  private(set) var drops: [DropEvent] = []
  /// Whose they were, one by one.
  private var dropped: [PacketIdentity?] = []
  /// Those that another network namespace of the machine dropped.
  private(set) var dropsElsewhere: [DropEvent] = []
  /// ARP and neighbour discovery that rules of nf_tables dropped.
  private var tracedDiscoveryDrops: [DiscoveryDrop] = []
  /// The last rules of iptables-legacy that neighbour discovery met which was not seen behind them, by its packets.
  private var legacyDiscoveryDrops: [DiscoveryPacket: RuleStep] = [:]
  /// The lookup that the next message answers.
  private var question: RouteLookup?
  private var listings = ListingWatch()
  /// Connection ids in the order they came, so that the oldest can be forgotten.
  private var connectionOrder: [UInt32] = []
  /// The same of rules.
  private var ruleOrder: [RuleKey] = []
  /// Rules that are remembered: more than any ruleset that somebody wrote by hand.
  private static let mostRules = 65536

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

  /// Takes in what a message says of the namespace: an entry of a list, or the news of it.
  mutating func take(_ message: NetlinkMessage) {
    if let listing = listings.takeBeginning(message) { forget(listing) }
    switch message.type {
    case RouteMessageType.newLink:
      guard let link = try? LinkMessage(parsing: message) else { return }
      links[link.index] = link
      linkNumbers[link.name] = link.index
    case RouteMessageType.deleteLink:
      // Its number is no other's for long, and packets may still be told of that came by it.
      if let link = try? LinkMessage(parsing: message), linkNumbers[link.name] == link.index {
        linkNumbers[link.name] = nil
      }
    case RouteMessageType.newAddress:
      if let address = try? AddressMessage(parsing: message) { addresses.take(address) }
    case RouteMessageType.deleteAddress:
      if let address = try? AddressMessage(parsing: message) { addresses.remove(address) }
    case RouteMessageType.newNeighbour:
      if let neighbour = try? NeighbourMessage(parsing: message) { addresses.take(neighbour) }
      if let entry = try? ForwardingEntry(parsing: message) {
        forwarding[entry.address, default: []].append(entry)
      }
    case RouteMessageType.newRule:
      if let rule = try? RoutingRule(parsing: message) { policy.append(rule) }
    case RouteMessageType.getRoute:
      question = message.isDumpRequest ? nil : try? RouteLookup(parsing: message)
    case RouteMessageType.newRoute, NetlinkMessage.errorType: takeAnswer(message)
    case ChainMessage.newType:
      guard let chain = try? ChainMessage(message.payload) else { return }
      chains[ChainKey(family: chain.family, table: chain.table, chain: chain.name)] = chain
      if chain.hook != nil, passedChains != nil { notePassedChains() }
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

  /// Forgets what a list that begins takes the place of.
  private mutating func forget(_ listing: Listing) {
    guard listing.kind != .chains else {
      chains = listing.family == 0 ? [:] : chains.filter { $0.key.family != listing.family }
      // They are told behind the chains.
      (ownedTables, dormantTables) = ([], [])
      notePassedChains()
      return
    }
    let version: Int
    switch listing.family {
    case 0: version = 0
    case NFProto.ipv4: version = 4
    case NFProto.ipv6: version = 6
    case ForwardingEntry.family:
      forwarding = [:]
      return
    default: return
    }
    switch listing.kind {
    case .links: (links, linkNumbers) = ([:], [:])
    case .addresses: addresses.forgetAddresses(version: version)
    case .neighbours: addresses.forgetNeighbours(version: version)
    case .routes: routes.forget(version: version)
    case .policy: policy.removeAll { version == 0 || $0.family == version }
    case .chains: break
    }
  }

  /// Forgets what the kernel answered about probes that are told: of the next it is asked anew.
  mutating func forgetAnswers() {
    lookups = []
    question = nil
    counterDeltas = [:]
    host = HostState()
  }

  /// Forgets the rules of a table that was removed. Returns what was known of them.
  mutating func forgetRules(
    _ table: TableName
  ) -> (rules: [RuleKey: NFTRuleMessage], texts: [RuleText]) {
    func isIn(_ key: RuleKey) -> Bool { key.family == table.family && key.table == table.name }
    let gone = (rules.filter { isIn($0.key) }, texts.forget(table))
    ruleOrder.removeAll(where: isIn)
    rules = rules.filter { !isIn($0.key) }
    return gone
  }

  /// Looks at the rules that dropped ARP or neighbour discovery once more.
  mutating func reviseDiscoveryDrops(_ revise: (RuleStep) -> RuleStep) {
    for index in tracedDiscoveryDrops.indices {
      tracedDiscoveryDrops[index].step = revise(tracedDiscoveryDrops[index].step)
    }
  }

  /// The answer to the lookup before it, or an entry of a list.
  private mutating func takeAnswer(_ message: NetlinkMessage) {
    guard let asked = question else {
      if message.type == RouteMessageType.newRoute { routes.take(message) }
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
    let wasProxied = connections[id]?.isProxied == true
    connections[id] = connection
    // Not every message says so.
    if wasProxied { connections[id]?.isProxied = true }
    if connectionOrder.count > 8192 {
      for old in connectionOrder.prefix(4096) { connections[old] = nil }
      connectionOrder.removeFirst(4096)
    }
  }

  /// Keeps the kernel's word on a drop; the oldest are forgotten when there are many.
  mutating func take(_ drop: DropEvent, isElsewhere: Bool) {
    if isElsewhere {
      dropsElsewhere.append(drop)
      if dropsElsewhere.count > 1024 { dropsElsewhere.removeFirst(512) }
      return
    }
    drops.append(drop)
    dropped.append((try? Packet(drop.packet)).map { PacketIdentity($0) })
    if drops.count > 1024 {
      drops.removeFirst(512)
      dropped.removeFirst(512)
    }
  }

  /// The kernel's last word on a packet that was dropped since then. Of what goes back to where `hops` came from it
  /// is none: an answer may have the same octets. If netfilter dropped it, that is the one: a copy of it, which has the
  /// same octets too, may have been dropped elsewhere.
  func drop(
    of identity: PacketIdentity, since start: UInt64, seenAt hops: Hops, byNetfilter: Bool = false
  ) -> DropEvent? {
    let found = drops.indices.filter { index in
      guard dropped[index] == identity, drops[index].time >= start else { return false }
      guard let packet = try? Packet(drops[index].packet), packet.source != packet.destination
      else { return true }
      return !hops.contains {
        $0.packet.source == packet.destination && $0.packet.destination == packet.source
      }
    }
    let own = byNetfilter ? found.last { drops[$0].reason == "NETFILTER_DROP" } : nil
    return (own ?? found.last).map { drops[$0] }
  }

  /// Keeps that a rule dropped ARP or neighbour discovery.
  mutating func takeDiscoveryDrop(_ drop: DiscoveryDrop) {
    if !tracedDiscoveryDrops.contains(drop) { tracedDiscoveryDrops.append(drop) }
    // A ruleset that is loaded again and again has other handles every time.
    if tracedDiscoveryDrops.count > 256 { tracedDiscoveryDrops.removeFirst(128) }
  }

  /// Takes down the rule of iptables-legacy that neighbour discovery met last; nil once it was seen behind that.
  mutating func takeDiscovery(_ packet: DiscoveryPacket, at step: RuleStep?) {
    if step != nil, legacyDiscoveryDrops.count > 256 { legacyDiscoveryDrops = [:] }
    legacyDiscoveryDrops[packet] = step
  }

  /// Rules that dropped ARP or neighbour discovery, and what it was.
  var discoveryDrops: [DiscoveryDrop] {
    var drops: [DiscoveryDrop] = []
    for step in legacyDiscoveryDrops.values.sorted(by: { "\($0)" < "\($1)" })
    where !drops.contains(where: { $0.step == step }) { drops.append(DiscoveryDrop(step: step)) }
    return drops + tracedDiscoveryDrops
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
    case .facts(let facts): for fact in facts.all { take(fact) }
    case .rule(let text): texts.take(text)
    case .host(let news): host.take(news)
    case .notSent, .clockSet, .clockAhead, .rehearsed, .searched, .ended, .missing, .message: break
    }
  }

  private mutating func take(_ fact: Fact) {
    switch fact {
    case .dropReasons(let missing): missingReasons = missing
    case .legacyTables(let version, let names):
      legacyTables[version] = names
      if passedChains != nil { notePassedChains() }
    case .legacyTrace(let missing): missingLegacyTrace = missing
    case .legacyRules(let haveChanged): haveLegacyRulesChanged = haveChanged
    case .ownedTable(let table): ownedTables.insert(table)
    case .dormantTable(let table):
      dormantTables.insert(table)
      if passedChains != nil { notePassedChains() }
    case .ownerRules(let areThere): asksOwner = areThere
    case .readOnly(let name): readOnlySettings.insert(name)
    }
  }

  /// Evidence: why the kernel's drop reasons are not to be had. Nothing where they are.
  var withoutReasons: [Evidence] { missingReasons.map { [.missingDropReasons($0)] } ?? [] }

  /// The tables of iptables-legacy of this IP version.
  func legacyTables(version: Int) -> [String] { legacyTables[version] ?? [] }

  /// Whether a program owns the table of this step, so that no other can change it.
  func isOwned(_ step: RuleStep) -> Bool {
    ownedTables.contains(TableName(step.family, step.table))
  }

  /// Whether the setting of this name cannot be changed from here.
  func isReadOnly(_ setting: String) -> Bool { readOnlySettings.contains(setting) }

  /// The base chain's hook and priority, if that chain was listed.
  func place(of step: RuleStep) -> (hook: Hook, priority: Int32)? {
    guard let chain = chain(of: step), let hook = chain.hook, let priority = chain.priority else {
      return nil
    }
    return (hook, priority)
  }

  /// Whether the chains of a table are off.
  func isDormant(_ table: TableName) -> Bool { dormantTables.contains(table) }

  /// The base chains that others than nftrace made, and that packets meet.
  var baseChains: [ChainMessage] {
    chains.values.filter {
      $0.hook != nil && !OwnTable.isOne($0.table) && !isDormant(TableName($0.family, $0.table))
    }
  }

  private mutating func notePassedChains() {
    passedChains = PassedChains(baseChains, legacy: legacyTables)
  }

  /// Whether somebody has chains that iptables did not make: new rules are then to be nft's, too.
  var usesNFT: Bool {
    let others = chains.values.filter { !OwnTable.isOne($0.table) }
    return others.contains { !TableName($0.family, $0.table).isIPTables(among: others) }
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
    step.isPolicy ? nil : texts.text(step)
  }

  /// What is known of the rule or of the policy of iptables-legacy that a step names.
  func words(_ step: RuleStep) -> String? {
    step.isLegacy && haveLegacyRulesChanged ? nil : texts.text(step)?.text
  }

  /// The texts of the rules of a step's chain, as far as they are known.
  func texts(ofChainOf step: RuleStep) -> [String] { texts.texts(ofChainOf: step) }

  /// Which tool's words are known for the rule, or for one of a policy's chain.
  func tool(of step: RuleStep) -> RuleText.Tool? {
    step.isPolicy ? texts.tool(ofChainOf: step) : texts.text(step)?.tool
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
}
