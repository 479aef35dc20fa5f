internal import Glibc
package import Trace
package import Wire

/// Sends this host's own packets for some subnets into a TUN device, from which they come back as if
/// they were to be forwarded, and so leave as they would have.
///
/// A rule of policy routing for each subnet, "iif lo to SUBNET", leads to a table of our own that has
/// routes for these subnets into the device. What comes back in through the device is not "iif lo"
/// and takes the ways it would have taken: no packet goes around twice. The routes name the source
/// address that the kernel would have chosen, so that connections outlive the diversion, and what is
/// on its way into the device is not tracked, so that NAT and conntrack see the packet once, on its way
/// out. Answers to what was sent elsewhere are changed back by `AnswerRules`. The device, its routes and
/// the nf_tables table go when this process ends; the rules are in a journal that a guardian undoes, and
/// lead to an empty table until then, which is as if they were not there.
package struct Diversion: ~Copyable {
  /// The device: packets are read from it and written back to it.
  package let tun: TunDevice
  /// What else was changed for the duration, in words for the user.
  package let remarks: [String]
  private var journal: GuardedJournal?
  /// Its table goes with it.
  private var firewall: NetfilterSocket
  private var interfaces: InterfaceWatch

  /// What somebody else did to the device, so that nothing is diverted any more.
  package enum Loss: String, Sendable {
    /// It is gone, or in another network namespace.
    case removed
    /// Its routes went with that, and do not come back.
    case takenDown = "taken down"
  }

  /// Routing tables of ours, one for each diversion.
  private static let tables = JournalEntry.routingTables

  /// An address that belongs to nobody (RFC 7600 section 6): a device without one would be refused
  /// its packets wherever reverse path filtering is on.
  private static let dummyAddress = Prefix("192.0.0.8/32")!

  /// Diverts the traffic to these subnets, in the namespace of the calling thread, into a device of
  /// this name ("nftrace%d" has the kernel choose). `directory` is where the journal is kept. Answers of
  /// these IP versions can be translated. Throws, with everything as it was, when another diversion has a part of
  /// the subnets.
  package static func start(
    _ subnets: [Prefix], tun name: String, translating versions: Set<Int>, directory: String
  ) throws(KernelError) -> Diversion {
    var routes = try RouteSocket()
    let rules = try routes.rules()
    try refuseOverlap(subnets, rules)
    let plan = try DiversionPlan(subnets, &routes)
    let tun = try TunDevice(name, mustBeNew: true)
    let journal = try GuardedJournal(in: directory)
    var remarks: [String] = []
    do throws(KernelError) {
      try furnish(tun, plan, &routes)
      let interfaces = try InterfaceWatch()
      remarks = try relaxSourceFilters(plan, device: tun.name, journal)
      remarks += try forwardPolicies(of: subnets, device: tun.name)
      let firewall = try addRules(tun.name, translating: versions, journals: directory)
      let table = try freeTable(rules, &routes)
      for route in plan.routes(interface: tun.index, table: table) { try routes.add(route) }
      for route in plan.exemptions(table: table) {
        try journal.add(route, with: &routes)
      }
      // The last step: from here on packets are diverted.
      for subnet in subnets {
        let family = subnet.address.family
        let rule = RoutingRule(
          family: family, priority: try priority(family, rules), to: subnet.network,
          inputInterface: "lo", table: table)
        try journal.add(rule, with: &routes)
      }
      return Diversion(
        tun: tun, remarks: remarks, journal: consume journal, firewall: firewall,
        interfaces: interfaces)
    } catch {
      throw journal.end(after: error)
    }
  }

  /// Chains that may drop what comes back.
  private static func forwardPolicies(
    of subnets: [Prefix], device: String
  ) throws(KernelError) -> [String] {
    var ruleset = try RulesetReader()
    return ForwardPolicy.remarks(
      try ruleset.chains().compactMap { try? ChainMessage($0.payload) },
      versions: Set(subnets.map(\.address.family)), device: device)
  }

  private init(
    tun: consuming TunDevice, remarks: [String], journal: consuming GuardedJournal,
    firewall: consuming NetfilterSocket, interfaces: consuming InterfaceWatch
  ) {
    self.tun = tun
    self.remarks = remarks
    self.journal = consume journal
    self.firewall = firewall
    self.interfaces = interfaces
  }

  /// Diverts nothing any more. What is in the device can still be read, and written back; it goes with this
  /// value.
  package mutating func release() throws(KernelError) { try journal.take()?.end() }

  /// Has the answers of a flow changed back from now on.
  package mutating func translate(_ change: AnswerChange) throws(KernelError) {
    try firewall.run { AnswerRules.apply(change, to: &$0, table: Self.table) }
  }

  // MARK: What others do to the device

  /// For poll(2): readable when an interface changed.
  package var changesDescriptor: Int32 { interfaces.fileDescriptor }

  /// What somebody did to the device; nil while packets can come by it. Asks the kernel only where an interface was
  /// changed: one that goes is taken down first.
  package mutating func loss() throws(KernelError) -> Loss? {
    let changes = interfaces.changes()
    guard !changes.areAll || !changes.made.isEmpty || !changes.removed.isEmpty else { return nil }
    var routes = try RouteSocket()
    let index = tun.index
    guard let link = try routes.links().first(where: { $0.index == index }) else {
      return .removed
    }
    return link.flags.contains(.up) ? nil : .takenDown
  }

  // MARK: Steps

  private static func refuseOverlap(
    _ subnets: [Prefix], _ rules: [RoutingRule]
  ) throws(KernelError) {
    for rule in rules where tables.contains(rule.table) {
      let other =
        rule.destination ?? Prefix(rule.family == 4 ? .v4(0) : .v6(0), length: 0)!
      guard let subnet = subnets.first(where: { $0.overlaps(other) }) else { continue }
      throw KernelError(
        .usage, cannot: "intercept \(subnet)",
        help: "\(other) is intercepted already, by another nftrace in this network namespace "
          + "(routing rule \(rule.priority))")
    }
  }

  /// Before all rules but that of the table of local addresses.
  private static func priority(
    _ family: Int, _ rules: [RoutingRule]
  ) throws(KernelError) -> UInt32 {
    let others = rules.filter { $0.family == family && !tables.contains($0.table) }
    let first = others.map(\.priority).filter { $0 > 0 }.min() ?? 32766
    guard first > 1 else {
      throw KernelError(
        .usage, cannot: "add a routing rule before the first one",
        help: "a rule has priority 1: give it a higher number with 'ip rule'")
    }
    return first - 1
  }

  private static func freeTable(
    _ rules: [RoutingRule], _ routes: inout RouteSocket
  ) throws(KernelError) -> UInt32 {
    let taken = Set(rules.map(\.table) + (try routes.routes()).map(\.table))
    guard let free = tables.first(where: { !taken.contains($0) }) else {
      throw KernelError(cannot: "find a free routing table")
    }
    return free
  }

  /// What the device needs so that packets of this host may come back in through it and be
  /// forwarded. All of it goes with the device.
  private static func furnish(
    _ tun: borrowing TunDevice, _ plan: DiversionPlan, _ routes: inout RouteSocket
  ) throws(KernelError) {
    func set(_ family: Int, _ setting: String, _ value: String) throws(KernelError) {
      try Sysctl.interface(tun.name, family: family, setting)?.write(value)
    }
    let version6 = Sysctl.interface(tun.name, family: 6, "disable_ipv6")
    if plan.versions.contains(6) {
      try version6?.write("0")
      // No address of its own, and so no chatter about it.
      try set(6, "addr_gen_mode", "1")
      try set(6, "accept_ra", "0")
    } else if let version6, version6.exists {
      try version6.write("1")
    }
    try tun.setMTU(plan.mtu)
    if plan.versions.contains(4) {
      try set(4, "accept_local", "1")
      try set(4, "forwarding", "1")
      // With "all" the stricter counts; 2 is the looser of the two that filter.
      try set(4, "rp_filter", "2")
      try set(4, "send_redirects", "0")
      let address = RouteSocket.address(dummyAddress, interface: tun.index)
      var hidden = address
      hidden.scope = .host
      try routes.request(
        hidden.message, flags: .new, attempt: "add \(dummyAddress) to \(tun.name)")
    }
    try routes.setLink(tun.name, up: true)
  }

  /// An answer comes in by another interface than the way to its sender now leads through: strict
  /// reverse path filtering would drop it. And IPv6 on older kernels forwards everywhere or nowhere.
  private static func relaxSourceFilters(
    _ plan: DiversionPlan, device: String, _ journal: borrowing GuardedJournal
  ) throws(KernelError) -> [String] {
    var remarks: [String] = []
    if plan.versions.contains(4) {
      let all = try Sysctl.interface("all", family: 4, "rp_filter")?.read()
      for name in plan.outputs {
        guard let setting = Sysctl.interface(name, family: 4, "rp_filter") else { continue }
        let own = try setting.read()
        guard all != "2", own != "2", all == "1" || own == "1" else { continue }
        try journal.set(setting, to: "2")
        remarks.append("\(setting) is 2 (loose) meanwhile, or answers would be dropped")
      }
    }
    if plan.versions.contains(6), try Sysctl.forwarding6.read() != "1" {
      if let narrow = Sysctl.interface(device, family: 6, "force_forwarding"), narrow.exists {
        try narrow.write("1")
      } else {
        try journal.set(.forwarding6, to: "1")
        remarks.append("\(Sysctl.forwarding6) is 1 meanwhile")
      }
    }
    return remarks
  }

  private static var table: String { OwnTable.interception(process: getpid()).name }

  /// Keeps conntrack from the packets on their way into the device, and has answers of these versions translated.
  private static func addRules(
    _ device: String, translating versions: Set<Int>, journals: String
  ) throws(KernelError) -> NetfilterSocket {
    var socket = try NetfilterSocket()
    let table = table
    var name = device.octets
    while name.count < 16 { name.append(0) }
    try socket.run(owning: table, journals: journals) { owned, sequence in
      var batch = RulesetBatch(firstSequence: sequence)
      batch.addTable(family: NFProto.inet, name: table, owned: owned)
      batch.addBaseChain(
        family: NFProto.inet, table: table, name: "untracked",
        hook: Hook.output.number(family: NFProto.inet), priority: -301)
      batch.addRule(
        family: NFProto.inet, table: table, chain: "untracked",
        [.loadOutDevice, .compare(name, equal: true), .notrack])
      AnswerRules.add(to: &batch, table: table, versions: versions)
      batch.end()
      return batch
    }
    return socket
  }
}
