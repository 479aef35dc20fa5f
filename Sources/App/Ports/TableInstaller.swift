package import Kernel
package import Trace

/// Who makes tables in the kernel, in one transaction.
package protocol TableInstaller: AnyObject {
  /// Makes them, in the place of those that have this name if `replacing`. Returns the points that were made.
  func install(
    _ tables: ObservationTables, table: String, replacing: Bool, points: [ObservationPoint],
    devices: [String]
  ) throws(KernelError) -> [ObservationPoint]
}
