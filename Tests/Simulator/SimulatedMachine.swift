package import App
package import Kernel
package import Trace

/// A machine of several network namespaces, in one of which the caller is.
package final class SimulatedMachine {
  /// A network namespace.
  package final class Space {
    /// What tells it from others.
    package let place: NamespacePlace
    /// What leads to it.
    package var found: NamespaceSurvey.Found
    /// Its kernel.
    package let setup: SimulatedSetup
    /// Tables of nf_tables besides the setup's.
    package var tables: [TableName] = []
    /// The program that holds the group.
    package var holder: String?
    /// Whether the tables are laid out around other chains by now.
    package var isOutdated = false
    /// Why nobody can enter it; nil where everybody can.
    package var refusal: KernelError?

    fileprivate init(_ inode: UInt64, _ setup: SimulatedSetup) {
      place = NamespacePlace(inode: inode, cookie: 5)
      found = NamespaceSurvey.Found(identity: NetworkNamespace.Identity(inode: inode))
      self.setup = setup
    }
  }

  package let clock: SimulatedLoop
  package let faults: Faults
  package let noted: SimulatedRights
  /// All there are, the one the caller starts in first.
  package private(set) var spaces: [Space] = []
  /// Where the caller is.
  package fileprivate(set) var current: Space
  /// What leads to no namespace.
  package var broken: [(name: String, reason: String)] = []
  package var hiddenProcesses = 0
  /// Processes that are alive.
  package var alive: Set<Int32> = []
  /// Programs that run.
  package var programs: [RunningProgram] = []
  /// Whether it writes into packets as a router.
  package var tracing: RouterTracing? = RouterTracing(
    node: 7, interfaces: [.init(name: "eth0", id: 1)], namespaces: [0])
  /// What nftrace needs.
  package var needs = [Requirement("nf_tables", "rules of its own", true)]
  /// What the kernel log has.
  package var log = SimulatedLog()
  /// Whether lines of other namespaces come into it.
  package var hasLogSetting = false
  /// What a setup reports that nobody records.
  package var reported: (any FollowedTraffic)?

  /// A machine of one network namespace, in which nothing is set up.
  package init(_ now: UInt64 = 1_800_000_000_000_000_000) {
    clock = SimulatedLoop(now)
    faults = Faults()
    noted = SimulatedRights(faults)
    current = Space(4_026_531_840, SimulatedSetup(clock, faults))
    current.found.processes = [1]
    spaces = [current]
    serve(current)
    clock.wake { [clock] in clock.now + 1_000_000 }
  }

  /// Adds a namespace of this name. It is chosen by it.
  @discardableResult
  package func add(_ name: String) -> ChosenNamespace {
    let space = Space(
      4_026_532_000 + UInt64(spaces.count), SimulatedSetup(clock, faults))
    space.found.names = [name]
    spaces.append(space)
    serve(space)
    return ChosenNamespace(name, SimulatedNamespace(space, self))
  }

  private func serve(_ space: Space) {
    let files = SetupFiles(namespace: space.place)
    space.setup.store = { files }
  }

  /// What is written down of the setup here.
  package var files: SetupFiles { SetupFiles(namespace: current.place) }

  /// The namespace of this name.
  package subscript(name: String) -> Space { spaces.first { $0.found.names == [name] }! }
}

/// A network namespace that can be entered, or not.
private final class SimulatedNamespace: NamespaceHandle {
  private let space: SimulatedMachine.Space
  private unowned let machine: SimulatedMachine

  init(_ space: SimulatedMachine.Space, _ machine: SimulatedMachine) {
    self.space = space
    self.machine = machine
  }

  var identity: NetworkNamespace.Identity { space.found.identity }

  func enter() throws(KernelError) {
    if let refusal = space.refusal { throw refusal }
    machine.current = space
  }

  func within(_ body: () -> Void) throws(KernelError) {
    let home = machine.current
    try enter()
    body()
    machine.current = home
  }

  func identity(ofName name: String) throws(KernelError) -> NetworkNamespace.Identity {
    if let refusal = space.refusal { throw refusal }
    return identity
  }
}

extension SimulatedMachine: SetupHost {
  package var loop: any EventLoop { clock }
  package var rights: any Rights { noted }

  package func store() throws(KernelError) -> any SetupStore { files }

  package func kernel() -> any SetupKernel { current.setup }
}

extension SimulatedMachine: StatusKernel {
  package var release: String { "6.1.0" }

  package func survey() -> NamespaceSurvey {
    NamespaceSurvey(
      found: spaces.map(\.found), broken: broken, hiddenProcesses: hiddenProcesses)
  }

  package func open(_ found: NamespaceSurvey.Found) throws(KernelError) -> any NamespaceHandle {
    SimulatedNamespace(spaces.first { $0.found.identity == found.identity }!, self)
  }

  package func place() throws(KernelError) -> NamespacePlace { current.place }

  package func requirements() -> [Requirement] { needs }

  package func routerTracing() -> RouterTracing? { tracing }

  package func tables() throws(KernelError) -> [TableName] {
    try faults.check(.listing)
    return current.tables
      + (current.setup.world.watched == nil ? [] : [TableName(1, SetupTables.name)])
  }

  package func surroundings() throws(KernelError) -> SetupSurroundings {
    try current.setup.surroundings()
  }

  package func holder(of group: UInt16) -> String? { current.holder }

  package func hasLink(_ name: String) -> Bool { current.setup.world.devices[name] != nil }

  package func isAlive(_ process: Int32) -> Bool { alive.contains(process) }

  package func programs(called name: String) -> [RunningProgram] { programs }
}

extension SimulatedMachine: ShowHost {
  package var realtime: UInt64 { clock.realtime }
  package var monotonic: UInt64 { clock.monotonic }
  package var isInteractive: Bool { false }

  package func pause(nanoseconds: UInt64) { clock.now += nanoseconds }

  package func exists(_ setting: Sysctl) -> Bool { hasLogSetting }

  package func kernelLog(fromNow: Bool) throws(KernelError) -> any KernelLogSource { log }

  package func traffic(
    of setup: SetupState, in space: ChosenNamespace
  ) throws(KernelError) -> any FollowedTraffic {
    guard let reported else { throw KernelError(cannot: "take the group", errno: 16) }
    return reported
  }
}

/// A kernel log whose lines are put in by the test.
package final class SimulatedLog: KernelLogSource {
  /// Texts that are read, one after the other.
  package var texts: [String] = []
  package var lost = 0

  /// Nothing is in it.
  package init() {}

  package var fileDescriptor: Int32 { -1 }

  package func read() throws(KernelError) -> [UInt8] {
    texts.isEmpty ? [] : Array(texts.removeFirst().utf8)
  }
}
