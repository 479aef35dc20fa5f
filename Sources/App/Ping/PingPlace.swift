internal import Kernel
internal import Trace
internal import Wire

/// A network namespace in which the probes of a ping are watched: nftrace's tables are there, and what they, the
/// traces and the kernel report is heard. All of that goes with this value.
final class PingPlace: ProbePlace {
  /// Its place on the list: the probes enter in the first, which is 0.
  let number: Int
  /// The namespace.
  let space: ChosenNamespace
  let kernel: any PingKernel
  /// What is known of it, as if it were the only one.
  let header: SessionHeader
  /// What the kernel listed.
  let listing: OpeningListing
  private let loop: any EventLoop

  /// Lists what is there, changes the settings that are needed, and installs the tables. Where the probes enter,
  /// `entrance` says how.
  convenience init(
    _ number: Int, _ namespace: PingNamespace, _ plan: ProbePlan, entrance: ProbeEntrance?,
    masquerade: Bool, forward: Bool, loop: any EventLoop
  ) throws {
    let version = plan.version
    // Elsewhere than on a TUN device, the source's other packets are none of the probe's.
    var tables = ObservationTables(
      prefixes: entrance?.isTun == true ? [Prefix(plan.source)] : [], marks: plan.marks,
      versions: [version], backend: .group(namespace.kernel.group),
      masquerade: masquerade ? entrance.map { ($0.subnet, $0.deviceName ?? "") } : nil)
    tables.discards = plan.dryRun
    tables.snapLength += UInt32(clamping: plan.optionLength)
    try self.init(
      number, namespace, tables,
      // What is dropped elsewhere is heard once.
      drops: DropFilter(plan, everywhere: number == 0),
      settings: forward ? TemporarySettings.forwarding([version]) : [],
      probe: number == 0 ? plan : nil, loop: loop)
  }

  /// The same for probes of all kinds, in a namespace where nothing else goes: a copy.
  convenience init(ofAll namespace: PingNamespace, loop: any EventLoop) throws {
    let tables = ObservationTables(
      prefixes: [Prefix("0.0.0.0/0")!, Prefix("::/0")!], versions: [4, 6],
      backend: .group(namespace.kernel.group))
    try self.init(0, namespace, tables, drops: DropFilter(), settings: [], probe: nil, loop: loop)
  }

  private init(
    _ number: Int, _ namespace: PingNamespace, _ wanted: ObservationTables, drops: DropFilter,
    settings: [(Sysctl, String)], probe: ProbePlan?, loop: any EventLoop
  ) throws {
    self.number = number
    space = namespace.space
    let kernel = namespace.kernel
    self.kernel = kernel
    self.loop = loop
    var listing = try kernel.listing()
    var settings = settings
    let legacy = wanted.versions.filter { listing.legacyTables[$0]?.isEmpty == false }.sorted()
    if !legacy.isEmpty {
      // nf_tables does not see iptables-legacy; its TRACE lines name the rules all the same.
      do {
        try kernel.takeLegacyGroup()
        settings += legacy.flatMap { TemporarySettings.legacyTrace(version: $0) }
      } catch {
        let why = "\(error)".split(separator: "\n").joined(separator: "; ")
        listing.facts.append(.legacyTrace(missing: "its rules cannot be named: \(why)"))
      }
    }
    try namespace.settings.apply(settings)
    do {
      if let shortcoming = try kernel.listenToDrops(drops) {
        listing.facts.append(.dropReasons(missing: "not to be had: \(shortcoming)"))
      }
    } catch {
      let why = error.help ?? "\(error)"
      listing.facts.append(.dropReasons(missing: "not to be had: \(why)"))
    }
    var tables = wanted
    if let probe, probe.entrance == .arriving, probe.data != nil, let device = probe.device,
      listing.isEdge(device)
    {
      tables.swallowed = (probe.answerMarks, device)
    }
    let points = try kernel.install(
      tables, table: kernel.table, replacing: false,
      points: ObservationPoint.plan(
        around: BaseChain.all(in: listing.chains, versions: tables.versions)
          + BaseChain.iptables(listing.allLegacyTables))
        + [.ingress, .egress],
      devices: listing.deviceNames)
    self.listing = listing
    var header = SessionHeader(
      command: "ping", version: Version.number, kernel: kernel.release, netns: namespace.name,
      points: points, table: kernel.table, probe: probe, legacyNAT: kernel.natTargets())
    header.namespace = kernel.namespaceKey
    header.netnsPath = namespace.path
    if namespace.name == nil, namespace.rehearsal == nil {
      header.netnsEntered = kernel.namespaceName
    }
    header.rehearsal = namespace.rehearsal
    header.begin(at: loop.realtime, on: kernel.machine)
    self.header = header
  }

  /// What the kernel listed, as records.
  var opening: [Record] { records(listing.records(at: loop.realtime)) }

  /// These records as records of this namespace.
  func records(_ records: [Record]) -> [Record] {
    records.map { Record(time: $0.time, $0.content, at: number) }
  }

  var descriptor: Int32 { kernel.events.fileDescriptor }

  func listen() throws(KernelError) { try kernel.listen() }
  func appointDeputy() { kernel.appointDeputy() }

  func drain(
    atMost limit: Int, into record: (Record) throws(KernelError) -> Void
  ) throws(KernelError) -> Bool {
    try kernel.events.drain(atMost: limit, into: record)
  }

  /// What the kernel answers.
  func answers(to questions: [Question]) -> [Record] { records(kernel.oracle.answer(questions)) }

  func answers(about probes: [Int], _ ping: PingStory) -> [Record] {
    answers(to: probes.flatMap { ping.questions($0, at: number) })
  }

  func answersAgain(_ ping: PingStory) -> [Record] {
    answers(to: ping.unknownDeciders(at: number).map { .rule($0) })
  }

  func awaitNotifications() { kernel.oracle.awaitNotifications() }
  func rehearse(_ remedies: RemediesToTry) -> RemedyTrial? { kernel.rehearse(remedies) }
  func forgetPackets() { kernel.oracle.forgetPackets() }

  func drops(besides others: [any ProbePlace], where isWanted: (DropEvent) -> Bool) -> [Record] {
    let now = loop.realtime
    // Numbers of namespaces are those of one machine.
    let inodes = others.map(\.header).filter { $0.boot == header.boot }.compactMap(\.inode)
    return kernel.drops().filter { !inodes.contains("\($0.namespace)") && isWanted($0) }
      .map { Record(time: now, .netlink($0.message), at: number) }
  }
}
