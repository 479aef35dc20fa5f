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

extension SetupSurroundings {
  /// Asks the kernel.
  static func read() throws(KernelError) -> SetupSurroundings {
    var rules = try RulesetReader()
    var routes = try RouteSocket()
    return SetupSurroundings(
      chains: try rules.chains(), devices: try routes.links().map(\.name),
      hasTables: try !SetupTables.families(&rules).isEmpty)
  }
}
