internal import Kernel
package import Trace
package import Wire

/// What a setup has to fit into: the chains and the devices there are.
package struct SetupSurroundings {
  let chains: [NetlinkMessage]
  let devices: [String]
  /// Whether there are tables of a setup, in whatever state.
  package let hasTables: Bool

  /// Surroundings of these parts.
  package init(chains: [NetlinkMessage], devices: [String], hasTables: Bool) {
    self.chains = chains
    self.hasTables = hasTables
    self.devices = devices
  }

  /// The points to have.
  package func points(for state: SetupState) -> [ObservationPoint] {
    ObservationPoint.plan(
      around: BaseChain.all(in: chains, versions: state.prefixes.versions), edges: state.edges)
  }

  /// The points there are.
  package var installed: InstalledPoints { InstalledPoints(chains, table: SetupTables.name) }

  /// Whether those are the ones to have.
  package func areInOrder(for state: SetupState) -> Bool {
    installed.match(points(for: state), devices: devices)
  }
}
