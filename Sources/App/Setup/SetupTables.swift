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
    by installer: any TableInstaller
  ) throws(KernelError) {
    let subnets = state.prefixes
    var tables = ObservationTables(
      prefixes: subnets.prefixes, versions: subnets.versions,
      backend: state.group.map { .group($0) } ?? .kernelLog(namespace: state.logNamespace))
    tables.traces = state.traces
    tables.counts = state.counts
    tables.leftOut = state.leftOut.flatMap { TCPConversation($0) }
    if let tun = state.tun {
      tables.masquerade = state.masquerade.compactMap { text in
        Prefix(text).map { ($0, tun.name) }
      }
    }
    tables.followsTranslations =
      surroundings.translates(for: state) || !tables.masquerade.isEmpty
    state.followsTranslations = tables.followsTranslations
    // Only what is there is replaced: the kernel takes its time to free what was, and makes who
    // closes a netfilter socket wait for that.
    state.points = try installer.install(
      tables, table: name, replacing: surroundings.hasTables,
      points: surroundings.points(for: state), devices: surroundings.devices)
  }
}
