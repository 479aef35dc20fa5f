import App
import Glibc
import Kernel
import Trace
import Wire

/// The kernel, for a setup: in the network namespace of the calling thread.
final class LiveSetup: SetupKernel {
  /// Holds the group that was asked for until the command ends, and makes the tables.
  private var socket: NetfilterSocket?
  let loop: any EventLoop

  /// Nothing is opened yet.
  init(_ loop: any EventLoop) { self.loop = loop }

  var origin: SetupOrigin {
    get throws(KernelError) {
      SetupOrigin(
        process: getpid(), command: Terminal.arguments, boot: try Machine.boot(),
        netns: NetworkNamespace.currentName)
    }
  }

  func surroundings() throws(KernelError) -> SetupSurroundings { try .read() }

  func takeGroup(_ group: UInt16) throws(KernelError) {
    try open()
    try socket!.takeGroup(group)
  }

  func freeGroup() -> UInt16 { LogGroups.free() }

  private func open() throws(KernelError) {
    if socket == nil { socket = try NetfilterSocket() }
  }

  func install(
    _ tables: ObservationTables, table: String, replacing: Bool, points: [ObservationPoint],
    devices: [String]
  ) throws(KernelError) -> [ObservationPoint] {
    try open()
    defer { socket = nil }
    return try socket!.install(
      tables, table: table, journals: nil, replacing: replacing, points: points, devices: devices)
  }

  func removeTables() throws(KernelError) { try SetupTables.remove() }

  func link(_ name: String) throws(KernelError) -> LinkMessage? {
    var routes = try RouteSocket()
    return try routes.link(name)
  }

  func addresses() throws(KernelError) -> [AddressMessage] {
    var routes = try RouteSocket()
    return try routes.addresses()
  }

  func routes() throws(KernelError) -> [RouteMessage] {
    var routes = try RouteSocket()
    return try routes.routes()
  }

  func add(_ address: Prefix, to device: String) throws(KernelError) {
    var routes = try RouteSocket()
    try routes.add(address, to: device)
  }

  func raise(_ device: String) throws(KernelError) {
    var routes = try RouteSocket()
    try routes.setLink(device, up: true)
  }

  func exists(_ setting: Sysctl) -> Bool { setting.exists }

  func provision(draft: String) -> any SetupChanges { SetupProvision(draft: draft) }

  func undo(journal: String) throws(KernelError) {
    try GuardedJournal.undo("\(StateDirectory.path)/\(journal)")
  }

  func startRecorder(
    _ arguments: [String], log: String
  ) throws(KernelError) -> any StartedRecorder {
    LiveStartedRecorder(
      try BackgroundProcess.start(arguments, errors: log, attempt: "start the recorder"))
  }

  func stop(_ recorder: RecorderState, patience: UInt64) {
    recorder.living?.stop(patience: patience)
  }
}

/// A recorder in the background, for several to hold.
final class LiveStartedRecorder: StartedRecorder {
  private let process: BackgroundProcess

  /// Takes it over.
  init(_ process: consuming BackgroundProcess) { self.process = process }

  var descriptor: Int32 { process.descriptor }

  func failure() -> String? { process.failure() }

  func stop(patience: UInt64) { process.identity.stop(patience: patience) }
}
