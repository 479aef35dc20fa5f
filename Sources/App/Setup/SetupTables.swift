package import Kernel
package import Trace
internal import Wire

/// The tables of a setup: what is to be there, what is, and how the one becomes the other.
package enum SetupTables {
  /// Their name, in the families inet and netdev.
  package static let name = OwnTable.setup.name

  /// Installs the tables of `state`, in the place of those that are there, and takes down in it
  /// which points there are. One transaction; throws and changes nothing if the kernel refuses it.
  package static func install(
    _ state: inout SetupState, around surroundings: SetupSurroundings,
    with socket: inout NetfilterSocket
  ) throws(KernelError) {
    let subnets = state.prefixes
    var tables = ObservationTables(
      prefixes: subnets.prefixes, versions: subnets.versions,
      backend: state.group.map { .group($0) } ?? .kernelLog)
    if let tun = state.tun {
      tables.masquerade = state.masquerade.compactMap { text in
        Prefix(text).map { ($0, tun.name) }
      }
    }
    // Only what is there is replaced: the kernel takes its time to free what was, and makes who
    // closes a netfilter socket wait for that.
    state.points = try socket.install(
      tables, table: name, journals: nil, replacing: surroundings.hasTables,
      points: surroundings.points(for: state), devices: surroundings.devices)
  }

  /// The families in which there is a table of nftrace's setup.
  package static func families(_ rules: inout RulesetReader) throws(KernelError) -> [UInt8] {
    try rules.tables().filter { $0.name == name }.map(\.family)
  }

  /// Removes the tables, if they are there.
  package static func remove() throws(KernelError) {
    var rules = try RulesetReader()
    var socket = try NetfilterSocket()
    try socket.removeTables(name, families: families(&rules))
  }
}
