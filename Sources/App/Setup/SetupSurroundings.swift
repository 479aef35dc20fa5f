internal import Kernel
package import Trace
package import Wire

/// What a setup has to fit into: the chains and the devices there are.
package struct SetupSurroundings {
  let chains: [NetlinkMessage]
  let devices: [String]
  let legacyTables: Set<String>
  /// Whether there are tables of a setup, in whatever state.
  package let hasTables: Bool

  /// Surroundings of these parts. `legacyTables` are those of iptables-legacy.
  package init(
    chains: [NetlinkMessage], devices: [String], legacyTables: Set<String>, hasTables: Bool
  ) {
    self.chains = chains
    self.legacyTables = legacyTables
    self.hasTables = hasTables
    self.devices = devices
  }

  /// The points to have.
  package func points(for state: SetupState) -> [ObservationPoint] {
    ObservationPoint.plan(around: bases(for: state), edges: state.edges)
  }

  /// Whether there are rules that translate.
  func translates(for state: SetupState) -> Bool {
    bases(for: state).contains { $0.type == "nat" }
  }

  private func bases(for state: SetupState) -> [BaseChain] {
    BaseChain.all(in: chains, versions: state.prefixes.versions) + BaseChain.iptables(legacyTables)
  }

  /// The points there are.
  package var installed: InstalledPoints { InstalledPoints(chains, table: SetupTables.name) }

  /// Whether those are the ones to have.
  package func areInOrder(for state: SetupState) -> Bool {
    installed.match(points(for: state), devices: devices)
      && (state.followsTranslations || !translates(for: state))
  }
}
