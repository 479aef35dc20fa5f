import App
import Glibc
import Kernel
import Trace
import Wire

/// The kernel, for a ping.
final class LivePing: PingKernel {
  private let messages: KernelEvents
  private var rules: RulesetReader
  /// Where the kernel says why it drops packets; nil where it does not let us listen.
  private var watch: DropWatch?
  private let rights: Capabilities
  /// Whether rules may ask who sends, for it is this host as root.
  private let isRoot: Bool
  private let kernelOracle: KernelOracle
  let group: UInt16
  /// The namespace that it is of.
  private let home: UInt64
  /// Who finds out what takes more rights than sending does; nil before those are given up.
  private var deputy: Deputy?
  /// What `--netns` takes for namespaces that were asked about, by their inodes; nil for those that nothing leads to.
  private var calls: [UInt64: String?] = [:]
  /// Whether their rules know connections; nil for those of which that is not known.
  private var connections: [UInt64: Bool?] = [:]

  /// Whether remedies are tried in a copy.
  private let rehearses: Bool
  /// What it takes to send a probe there.
  private let senderRights: Capabilities
  /// Whether it is searched there for what helps, where no remedy is known.
  private let searches: Bool

  /// Opens the sockets, and takes a log group. `space` is the namespace of the calling thread, `rights` what sending takes, `isRoot` whether this host
  /// sends, as who runs the command, `senderRights` what it takes to send a probe once more.
  init(
    in space: ChosenNamespace = ChosenNamespace(), rights: Capabilities, isRoot: Bool,
    senderRights: Capabilities = [], rehearses: Bool = false, searches: Bool = false
  ) throws(KernelError) {
    self.senderRights = senderRights
    self.rehearses = rehearses
    self.searches = searches
    home = try NetworkNamespace.current().identity.inode
    var socket = try NetfilterSocket()
    rules = try RulesetReader()
    kernelOracle = try KernelOracle(in: space)
    try socket.takeGroup()
    group = socket.group!
    messages = KernelEvents(socket)
    self.rights = rights
    self.isRoot = isRoot
  }

  var events: any EventSource { messages }
  var oracle: any Oracle { kernelOracle }
  var table: String { OwnTable.command(process: getpid()).name }
  var release: String { Machine.kernelRelease }
  var machine: Machine.Name { Machine.name }
  var namespaceKey: String? { try? NamespacePlace.current().key }

  var namespaceName: String? { NetworkNamespace.currentName }

  func natTargets() -> [Int: [String]] { LegacyTables.natTargets() }

  func listing() throws(KernelError) -> OpeningListing {
    var listing = try OpeningListing.read(&rules)
    if isRoot, try rules.asksOwner() { listing.facts.append(.ownerRules(true)) }
    return listing
  }

  func takeLegacyGroup() throws(KernelError) { try messages.socket.takeGroup(0, besides: true) }

  func listenToDrops(_ filter: DropFilter) throws(KernelError) -> String? {
    let watch = try DropWatch(filter: filter, keepingIn: StateDirectory.path)
    let shortcoming = watch.shortcoming
    self.watch = consume watch
    return shortcoming
  }

  func drops() -> [DropEvent] {
    var events: [DropEvent] = []
    watch?.drain { events.append($0) }
    for index in events.indices where ![0, home].contains(UInt64(events[index].namespace)) {
      let inode = UInt64(events[index].namespace)
      events[index].place = name(ofNamespace: inode)
      if events[index].reason == "NETFILTER_DROP" {
        events[index].rulesRemember = knowsConnections(inNamespace: inode)
      }
    }
    return events
  }

  /// Whether rules of another namespace know what was sent before.
  private func knowsConnections(inNamespace inode: UInt64) -> Bool? {
    if let known = connections[inode] { return known }
    let found = deputy?.knowsConnections(inNamespace: inode)
    connections[inode] = .some(found)
    return found
  }

  /// What `--netns` takes for another namespace.
  private func name(ofNamespace inode: UInt64) -> String? {
    if let call = calls[inode] { return call }
    let found = deputy?.namespaces() ?? NamespaceSurvey.calls()
    calls[inode] = .some(found[inode])
    return found[inode]
  }

  func install(
    _ tables: ObservationTables, table: String, replacing: Bool, points: [ObservationPoint],
    devices: [String]
  ) throws(KernelError) -> [ObservationPoint] {
    try messages.socket.install(
      tables, table: table, journals: StateDirectory.path, replacing: replacing, points: points,
      devices: devices)
  }

  func listen() throws(KernelError) {
    messages.socket.setReceiveBuffer(64 << 20)
    try messages.socket.join()
  }

  func rehearse(_ remedies: RemediesToTry) -> RemedyTrial? {
    guard rehearses, let deputy, let words = remedies.plan.rehearsal else { return nil }
    return deputy.trial(words + remedies.words).flatMap { RemedyTrial(json: $0) }
  }

  func search(for plan: ProbePlan) -> ChangesFound? {
    guard rehearses, searches, let deputy, let words = plan.searching else { return nil }
    return deputy.search(words).flatMap { ChangesFound(json: $0) }
  }

  func appointDeputy() { deputy = kernelOracle.startDeputy(keeping: senderRights) }

  func giveUpRights() throws {
    try Privileges.keep(rights, writing: [StateDirectory.path])
  }
}
