import App
import Glibc
import Kernel
import Trace
import Wire

extension LiveTraffic {
  /// Octets the kernel keeps of messages that were not read yet.
  private static let room: Int32 = 128 << 20

  /// The group of a setup that nobody records, in the namespace of the calling thread, which is `space`.
  convenience init(_ setup: SetupState, in space: ChosenNamespace) throws(KernelError) {
    var socket = try NetfilterSocket()
    try socket.takeGroup(setup.group)
    var setup = setup
    let isTraced = setup.traces
    if !isTraced { try SetupTables.trace(&setup, true) }
    try Self.listen(socket)
    // What was reported before is without its traces.
    if !isTraced { _ = socket.skip() }
    let interfaces = try KernelInterfaces()
    var header = SessionHeader(
      command: "show", version: Version.number, kernel: Machine.kernelRelease,
      points: setup.points, table: SetupTables.name, targets: setup.subnets)
    header.legacyNAT = LegacyTables.natTargets()
    header.begin(at: Clock.realtime, on: Machine.name)
    self.init(
      header, listed: try OpeningListing.read().records(at: Clock.realtime),
      events: KernelEvents(socket), interfaces: interfaces, oracle: try KernelOracle(in: space),
      listing: { try space.within { try OpeningListing.read().records(at: Clock.realtime) } },
      // Whoever had them switched on, nobody reads them now.
      whenOver: { try? space.within { try SetupTables.trace(&setup, false) } })
  }

  /// Packets from and to subnets, those that this host diverts into a device among them. The rules
  /// that report them go with this value.
  convenience init(of subnets: Subnets, divertedInto device: String) throws(KernelError) {
    var socket = try NetfilterSocket()
    try socket.takeGroup()
    let interfaces = try KernelInterfaces()
    let listing = try OpeningListing.read()
    let table = OwnTable.command(process: getpid()).name
    let points = try socket.install(
      ObservationTables(
        prefixes: subnets.prefixes, versions: subnets.versions, backend: .group(socket.group!)),
      table: table, journals: StateDirectory.path,
      points: ObservationPoint.plan(
        around: BaseChain.all(in: listing.chains, versions: subnets.versions)
          + BaseChain.iptables(LegacyTables.names),
        edges: [.ingress, .egress]),
      devices: listing.deviceNames)
    // At once, or of packets that are on their way already no rule would be known.
    try Self.listen(socket)
    var header = SessionHeader(
      command: "intercept", version: Version.number, kernel: Machine.kernelRelease, points: points,
      table: table, targets: subnets.texts)
    header.diversion = device
    header.legacyNAT = LegacyTables.natTargets()
    header.begin(at: Clock.realtime, on: Machine.name)
    self.init(
      header, listed: listing.records(at: Clock.realtime), events: KernelEvents(socket),
      interfaces: interfaces, oracle: try KernelOracle(),
      listing: { try OpeningListing.read().records(at: Clock.realtime) })
  }

  private static func listen(_ socket: borrowing NetfilterSocket) throws(KernelError) {
    socket.setReceiveBuffer(room)
    try socket.join()
  }
}
