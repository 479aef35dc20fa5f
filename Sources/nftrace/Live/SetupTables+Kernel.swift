import App
import Kernel
import Trace
import Wire

extension SetupTables {
  /// The families in which there is a table of nftrace's setup.
  static func families(_ rules: inout RulesetReader) throws(KernelError) -> [UInt8] {
    try rules.tables().filter { $0.name == name }.map(\.family)
  }

  /// Removes the tables, if they are there.
  static func remove() throws(KernelError) {
    var rules = try RulesetReader()
    var socket = try NetfilterSocket()
    try socket.removeTables(name, families: families(&rules))
  }
}

extension SetupTables {
  /// Has the kernel trace what a setup's rules report, or not, where it is the setup that is there.
  static func trace(_ setup: inout SetupState, _ isOn: Bool) throws(KernelError) {
    let files = try SetupFiles.current()
    guard try files.load() == setup else { return }
    setup.traces = isOn
    try install(&setup, around: SetupSurroundings.read(), by: OwnSocket())
    try files.save(setup)
  }
}

/// Makes tables over a socket of its own: on one that listens, events wait that came before the answer.
final class OwnSocket: TableInstaller {
  func install(
    _ tables: ObservationTables, table: String, replacing: Bool, points: [ObservationPoint],
    devices: [String]
  ) throws(KernelError) -> [ObservationPoint] {
    var socket = try NetfilterSocket()
    return try socket.install(
      tables, table: table, journals: nil, replacing: replacing, points: points, devices: devices)
  }
}

extension SetupSurroundings {
  /// Asks the kernel.
  static func read() throws(KernelError) -> SetupSurroundings {
    var rules = try RulesetReader()
    var routes = try RouteSocket()
    return SetupSurroundings(
      chains: try rules.chains(),
      devices: try routes.dump(RouteMessageType.getLink).compactMap {
        LinkMessage.called($0)?.name
      },
      legacyTables: LegacyTables.names, hasTables: try !SetupTables.families(&rules).isEmpty)
  }
}
