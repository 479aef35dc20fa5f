package import App
package import Kernel
package import Trace
package import Wire

/// A kernel in which something is set up: what is there can be looked at.
package final class SimulatedSetup: SetupKernel, SetupChanges {
  private let faults: Faults
  private let clock: SimulatedLoop
  /// What is there.
  package struct World: Equatable {
    /// Interfaces, and the addresses of each.
    package var devices: [String: [Prefix]] = ["lo": [], "eth0": [Prefix("10.9.0.1/24")!]]
    /// Those that are up.
    package var raised: Set<String> = ["lo", "eth0"]
    /// Sysctls that are not 0.
    package var settings: [String: String] = [:]
    /// Subnets that the tables watch; nil without tables.
    package var watched: [Prefix]?
    /// Whether a recorder works.
    package var isRecording = false

    /// What there is before anything is set up.
    package init() {}
  }

  /// Settings that are not there.
  package var missing: Set<String> = []
  /// What is there.
  package var world = World()
  /// The points there are, and the devices of those at devices.
  package var installed: [ObservationPoint] = []
  private var watchedDevices: [String] = []
  /// As it was before the journal that is being written.
  private var before: World?
  private var journals: [String: World] = [:]
  private var draft = ""
  /// What the recorder says of itself, nil that it is ready.
  package var complaint: String?
  /// Where the recorder writes down who it is.
  package var store: () throws(KernelError) -> SetupFiles = { () throws(KernelError) in
    try SetupFiles.current()
  }
  /// The recorder's process; by itself one that is gone.
  package var recorderProcess = ProcessIdentity(process: 7, start: 8)
  /// Whether the recorder says anything.
  package var isRecorderSilent = false

  /// Nothing is set up.
  package init(_ loop: SimulatedLoop, _ faults: Faults) {
    clock = loop
    self.faults = faults
  }

  package var loop: any EventLoop { clock }

  package var origin: SetupOrigin {
    get throws(KernelError) {
      SetupOrigin(process: 7, command: ["nftrace", "setup"], boot: try Machine.boot(), netns: nil)
    }
  }

  package func surroundings() throws(KernelError) -> SetupSurroundings {
    try faults.check(.surroundings)
    return SetupSurroundings(
      chains: installed.map { NetlinkMessage(chainOf: $0, watchedDevices) },
      devices: world.devices.keys.sorted(), legacyTables: [], hasTables: world.watched != nil)
  }

  package func takeGroup(_ group: UInt16) throws(KernelError) { try faults.check(.takeGroup) }

  package func freeGroup() -> UInt16 { 0xf001 }

  package func install(
    _ tables: ObservationTables, table: String, replacing: Bool, points: [ObservationPoint],
    devices: [String]
  ) throws(KernelError) -> [ObservationPoint] {
    try faults.check(.install)
    world.watched = tables.prefixes
    (installed, watchedDevices) = (points, devices)
    return points
  }

  package func removeTables() throws(KernelError) {
    try faults.check(.removeTables)
    world.watched = nil
    installed = []
  }

  package func link(_ name: String) throws(KernelError) -> LinkMessage? {
    try faults.check(.link)
    return nil
  }

  package func addresses() throws(KernelError) -> [AddressMessage] {
    try faults.check(.addresses)
    return world.devices.values.flatMap { $0 }.map {
      AddressMessage(interface: 2, local: $0, broadcast: nil, scope: .universe, flags: 0)
    }
  }

  package func routes() throws(KernelError) -> [RouteMessage] {
    try faults.check(.routes)
    return []
  }

  package func add(_ address: Prefix, to device: String) throws(KernelError) {
    try faults.check(.addAddress)
    world.devices[device]?.append(address)
  }

  package func raise(_ device: String) throws(KernelError) {
    try faults.check(.raise)
    world.raised.insert(device)
  }

  package func exists(_ setting: Sysctl) -> Bool { !missing.contains("\(setting)") }

  package func provision(draft: String) -> any SetupChanges {
    self.draft = draft
    return self
  }

  // MARK: What is written down before it is changed

  private func begin() { if before == nil { before = world } }

  package func set(_ setting: Sysctl, to value: String) throws(KernelError) -> Bool {
    try faults.check(.sysctl)
    if world.settings["\(setting)"] == value { return false }
    begin()
    world.settings["\(setting)"] = value
    return true
  }

  package func createTun(_ name: String) throws(KernelError) -> String {
    try faults.check(.createTun)
    begin()
    world.devices[name] = []
    return name
  }

  package func keep() throws(KernelError) -> String? {
    try faults.check(.keep)
    guard let before else { return nil }
    let name = String(draft.dropLast(SetupFiles.draftEnding.count))
    journals[name] = before
    self.before = nil
    return name
  }

  package func undo() throws(KernelError) {
    guard let before else { return }
    takeBack(before)
    self.before = nil
  }

  package func undo(journal: String) throws(KernelError) {
    try faults.check(.undo)
    if let before = journals.removeValue(forKey: journal) { takeBack(before) }
  }

  private func takeBack(_ before: World) {
    world.devices = before.devices
    world.raised = before.raised
    world.settings = before.settings
  }

  package func startRecorder(
    _ arguments: [String], log: String
  ) throws(KernelError) -> any StartedRecorder {
    try faults.check(.startRecorder)
    world.isRecording = complaint == nil
    if complaint == nil {
      // It writes down who it is.
      try store().save(
        RecorderState(
          process: recorderProcess.process, start: recorderProcess.start, session: arguments[1],
          limit: 1 << 28, since: 0))
    }
    return SimulatedBackground(self)
  }

  package func stop(_ recorder: RecorderState, patience: UInt64) { world.isRecording = false }
}

/// A recorder in the background.
private final class SimulatedBackground: StartedRecorder {
  private let kernel: SimulatedSetup

  init(_ kernel: SimulatedSetup) { self.kernel = kernel }

  var descriptor: Int32 { -1 }

  func failure() -> String? { kernel.complaint }

  func stop(patience: UInt64) { kernel.world.isRecording = false }
}
