internal import App
package import Kernel

/// Rights that are noted as they are given up.
package final class SimulatedRights: Rights {
  private let faults: Faults
  /// What was kept, each time.
  package private(set) var kept: [Capabilities] = []

  /// All are there.
  package init(_ faults: Faults = Faults()) { self.faults = faults }

  package func keep(
    _ wanted: Capabilities, writing: [String], reading: [String]
  ) throws(KernelError) {
    try faults.check(.giveUpRights)
    kept.append(wanted)
  }
}
