import App
import Kernel
import Trace
import Wire

/// The kernel, for a recorder.
final class LiveRecorder: RecorderKernel {
  private var rules: RulesetReader
  private var holders: NamespaceHolders
  private var routing: RoutingWatch
  /// Where it writes files.
  private let directories: [String]
  let events: any EventSource
  let oracle: any Oracle
  let interfaces: any InterfaceChanges

  /// Octets the kernel keeps for it while it is busy.
  private static let room: Int32 = 128 << 20

  /// Takes a setup's group. `directories` are those it makes files in.
  init(_ setup: SetupState, writing directories: [String]) throws(KernelError) {
    var socket = try NetfilterSocket()
    try socket.takeGroup(setup.group)
    socket.setReceiveBuffer(Self.room)
    try socket.join()
    rules = try RulesetReader()
    oracle = try KernelOracle()
    interfaces = try KernelInterfaces()
    holders = try NamespaceHolders()
    routing = try RoutingWatch()
    events = KernelEvents(socket)
    self.directories = directories
  }

  var release: String { Machine.kernelRelease }
  var machine: Machine.Name { Machine.name }
  var namespaceName: String? { NetworkNamespace.currentName }

  func natTargets() -> [Int: [String]] { LegacyTables.natTargets() }

  var legacyTables: Set<String> { LegacyTables.names }

  func listing() throws(KernelError) -> OpeningListing {
    var listing = try OpeningListing.read(&rules)
    listing.host = NATRules.forRecording(&rules)
    return listing
  }

  func routingNews() -> [Record]? { routing.news() }

  var routingDescriptor: Int32? { routing.fileDescriptor }

  var routingDue: UInt64? { routing.due }

  func chains() throws(KernelError) -> [NetlinkMessage] { try rules.chains() }

  func counters() throws(KernelError) -> [String: UInt64] {
    try rules.counters(ofTables: SetupTables.name)
  }

  func hasTables(_ name: String) throws(KernelError) -> Bool {
    try rules.tables().contains { $0.name == name }
  }

  func install(
    _ tables: ObservationTables, table: String, replacing: Bool, points: [ObservationPoint],
    devices: [String]
  ) throws(KernelError) -> [ObservationPoint] {
    try OwnSocket().install(
      tables, table: table, replacing: replacing, points: points, devices: devices)
  }

  func isNamespaceHeld() -> Bool { holders.areThere() }

  func giveUpRights() throws(KernelError) {
    try Privileges.keep(RuleListing.rights.union(.network), writing: directories)
  }
}
