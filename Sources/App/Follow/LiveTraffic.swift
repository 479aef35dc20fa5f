internal import Glibc
package import Kernel
package import Trace
internal import Wire

/// What rules of nftrace report to a log group, as it comes, with what the kernel answers to the
/// questions that follow from it.
package final class LiveTraffic: FollowedTraffic {
  private var socket: NetfilterSocket
  private var interfaces: InterfaceWatch
  private var investigator: Investigator
  /// Where programs are asked for the texts of rules.
  private let space: ChosenNamespace
  private var deciders = DecidingRules()
  /// What comes first: what is known when it begins.
  private var opening: [SessionDecoder.Element]

  /// The group of a setup that nobody records.
  package init(_ setup: SetupState, in space: ChosenNamespace) throws(KernelError) {
    self.space = space
    var socket = try NetfilterSocket()
    try socket.takeGroup(setup.group)
    try Self.listen(socket)
    let interfaces = try InterfaceWatch()
    var rules = try RulesetReader()
    let listing = try OpeningListing.read(&rules)
    var header = SessionHeader(
      command: "show", version: Version.number, kernel: Machine.kernelRelease,
      points: setup.points, table: SetupTables.name, targets: setup.subnets)
    header.legacyNAT = LegacyTables.natTargets()
    opening = Self.opening(header, listing)
    investigator = try Investigator()
    self.socket = socket
    self.interfaces = interfaces
  }

  /// Packets from and to subnets, those that this host diverts into a device among them. The rules
  /// that report them go with this value.
  package init(of subnets: Subnets, divertedInto device: String) throws(KernelError) {
    space = ChosenNamespace()
    var socket = try NetfilterSocket()
    try socket.takeGroup()
    let interfaces = try InterfaceWatch()
    var rules = try RulesetReader()
    let listing = try OpeningListing.read(&rules)
    let table = OwnTable.command(process: getpid()).name
    let points = try socket.install(
      ObservationTables(
        prefixes: subnets.prefixes, versions: subnets.versions, backend: .group(socket.group!)),
      table: table, journals: StateDirectory.path,
      points: ObservationPoint.plan(
        around: BaseChain.all(in: listing.chains, versions: subnets.versions),
        edges: [.ingress, .egress]),
      devices: listing.deviceNames)
    // At once, or of packets that are on their way already no rule would be known.
    try Self.listen(socket)
    var header = SessionHeader(
      command: "intercept", version: Version.number, kernel: Machine.kernelRelease, points: points,
      table: table, targets: subnets.texts)
    header.diversion = device
    header.legacyNAT = LegacyTables.natTargets()
    opening = Self.opening(header, listing)
    investigator = try Investigator()
    self.socket = socket
    self.interfaces = interfaces
  }

  private static func opening(
    _ header: SessionHeader, _ listing: OpeningListing
  ) -> [SessionDecoder.Element] {
    [.header(header)] + listing.records.map { .record($0) }
  }

  private static func listen(_ socket: borrowing NetfilterSocket) throws(KernelError) {
    socket.setReceiveBuffer(128 << 20)
    try socket.join()
  }

  /// For poll(2).
  package var fileDescriptor: Int32? { socket.fileDescriptor }

  /// Hands on what is new, or a part of it; returns whether that was all.
  package func read(_ body: (SessionDecoder.Element) throws -> Void) throws -> Bool {
    try read(atMost: 4096, body)
  }

  /// No more is to come: what is there already can still be read.
  package func stopListening() { socket.stopListening() }

  /// Leaves out what is waiting; returns how many messages that was.
  package func skip() -> Int { socket.skip() }

  /// Hands on what is new, the messages of so many datagrams at most; returns whether that was all.
  package func read(
    atMost limit: Int, _ body: (SessionDecoder.Element) throws -> Void
  ) throws -> Bool {
    for element in opening { try body(element) }
    opening = []
    var changes = interfaces.changes()
    if !changes.areAll {
      changes.made = try space.within {
        var rules = try RulesetReader()
        return try OpeningListing.read(&rules).records
      }
      changes.removed = []
    }
    for record in changes.made { try body(.record(record)) }
    let isAll = try readPackets(atMost: limit, body)
    for record in changes.removed { try body(.record(record)) }
    return isAll
  }

  private func readPackets(
    atMost limit: Int, _ body: (SessionDecoder.Element) throws -> Void
  ) throws -> Bool {
    for _ in 1...Self.rounds {
      var records: [Record] = []
      let isRead = try socket.drain(atMost: limit) { records.append($0) }
      for record in records {
        if case .netlink(let message) = record.content { deciders.take(message) }
        try body(.record(record))
      }
      // What was read of rules is handed on once all is, that was told by then.
      if isRead {
        for record in deciders.takeHeld() { try body(.record(record)) }
      }
      let steps = deciders.takeUnread()
      if steps.isEmpty { return isRead }
      deciders.hold(try space.within { investigator.answer(steps.map { .rule($0) }) })
      investigator.awaitNotifications()
    }
    return false
  }

  /// The user is not to wait for rules for long.
  private static let rounds = 4
}
