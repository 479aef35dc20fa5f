package import App
package import Kernel
package import Trace
package import Wire

/// A kernel, and a disk, for a recorder: what comes is put in by the test.
package final class SimulatedRecorder: RecorderKernel {
  private let faults: Faults
  private let messages: SimulatedEvents
  private let answers: SimulatedOracle
  private let watch = SimulatedInterfaces()
  /// What the kernel lists.
  package var listed: OpeningListing
  /// Whether somebody uses the network namespace.
  package var isHeld = true
  /// How often tables were installed, and around which devices.
  package private(set) var installed: [[String]] = []
  /// What the kernel has once tables are installed.
  package var chainsAfterInstall: [NetlinkMessage]?

  /// A kernel that lists this.
  package init(_ listed: OpeningListing, loop: SimulatedLoop, faults: Faults = Faults()) {
    self.listed = listed
    self.faults = faults
    messages = SimulatedEvents(loop, faults)
    answers = SimulatedOracle(loop)
  }

  /// What comes.
  package var coming: SimulatedEvents { messages }
  /// Who answers.
  package var asked: SimulatedOracle { answers }
  /// What changes of interfaces.
  package var changing: SimulatedInterfaces { watch }

  package var events: any EventSource { messages }
  package var oracle: any Oracle { answers }
  package var interfaces: any InterfaceChanges { watch }
  package var release: String { "6.1.0" }
  package var machine: Machine.Name { Machine.Name(host: "router", boot: nil) }

  package func natTargets() -> [Int: [String]] { [:] }

  package var legacyTables: Set<String> { listed.allLegacyTables }

  package func listing() throws(KernelError) -> OpeningListing {
    try faults.check(.listing)
    return listed
  }

  package func chains() throws(KernelError) -> [NetlinkMessage] { listed.chains }

  /// What the counters of the points say.
  package var counted: [String: UInt64] = [:]

  package func counters() throws(KernelError) -> [String: UInt64] {
    try faults.check(.listing)
    return counted
  }

  package func hasTables(_ name: String) throws(KernelError) -> Bool { true }

  package func install(
    _ tables: ObservationTables, table: String, replacing: Bool, points: [ObservationPoint],
    devices: [String]
  ) throws(KernelError) -> [ObservationPoint] {
    try faults.check(.install)
    installed.append(devices)
    if let chainsAfterInstall { listed.chains = chainsAfterInstall }
    return points
  }

  package func isNamespaceHeld() -> Bool { isHeld }

  package func giveUpRights() throws(KernelError) { try faults.check(.giveUpRights) }
}

/// Changes of interfaces that are put in by the test.
package final class SimulatedInterfaces: InterfaceChanges {
  /// What is told next.
  package var next = InterfaceWatch.Changes()

  /// Nothing changes yet.
  package init() {}

  package func changes() -> InterfaceWatch.Changes {
    defer { next = InterfaceWatch.Changes() }
    return next
  }
}

/// A disk with a certain room.
package final class SimulatedMedium: RecordingMedium {
  private let faults: Faults
  /// The file, and the one before it.
  package private(set) var octets: [UInt8] = []
  package private(set) var previous: [UInt8]?
  /// Octets that there is room for in both.
  package var capacity = Int.max
  /// How often another file was begun.
  package private(set) var rotations = 0
  package private(set) var isRemoved = false

  /// An empty file.
  package init(_ faults: Faults = Faults()) { self.faults = faults }

  package var previousSize: Int { previous?.count ?? 0 }
  package var size: Int? { octets.count }

  package func write(_ bytes: [UInt8]) throws(KernelError) {
    try faults.check(.mediumWrite)
    let free = capacity - octets.count - previousSize
    octets += bytes.prefix(max(free, 0))
    if bytes.count > free {
      throw KernelError(cannot: "write the session", function: "write", errno: 28)
    }
  }

  package func cut(to count: Int) { octets.removeLast(max(octets.count - count, 0)) }

  package func rotate() throws(KernelError) {
    try faults.check(.rotate)
    previous = octets
    octets = []
    rotations += 1
  }

  package func remove() { isRemoved = true }

  /// What is in the file.
  package func elements() throws -> [SessionDecoder.Element] {
    var decoder = SessionDecoder()
    decoder.feed(octets)
    var elements: [SessionDecoder.Element] = []
    while let element = try decoder.next() { elements.append(element) }
    try decoder.finish()
    return elements
  }

  /// The records in the file.
  package func records() throws -> [Record] {
    try elements().compactMap { if case .record(let record) = $0 { record } else { nil } }
  }
}

/// What is written down of a setup, in memory.
package final class SimulatedStore: RecorderStore {
  private let faults: Faults
  /// What is set up.
  package var setup: SetupState?
  /// What the recorder wrote down last.
  package private(set) var recorder: RecorderState?
  package private(set) var isReserved = false
  /// Whether another command has the lock.
  package var isLocked = false

  /// This is set up.
  package init(_ setup: SetupState?, _ faults: Faults = Faults()) {
    self.setup = setup
    self.faults = faults
  }

  package var namespaceKey: String { "4026531840-1" }

  package func load() throws(KernelError) -> SetupState? {
    try faults.check(.load)
    return setup
  }

  package func save(_ state: SetupState) throws(KernelError) {
    try faults.check(.save)
    setup = state
  }

  package func save(_ recorder: RecorderState) throws(KernelError) {
    try faults.check(.recorderSave)
    self.recorder = recorder
  }

  package func reserve() { isReserved = true }

  package func release() { isReserved = false }

  package func ifUnlocked(_ body: () throws(KernelError) -> Void) throws(KernelError) -> Bool {
    try faults.check(.lock)
    if isLocked { return false }
    try body()
    return true
  }
}
