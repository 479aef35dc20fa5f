package import Kernel
package import Trace

/// What status looks at, in the network namespace of the calling thread.
package protocol StatusKernel: NamespaceSurveyor {
  /// The kernel's release.
  var release: String { get }
  /// What this process may do.
  var rights: any Rights { get }
  /// What nftrace needs, and whether it is there.
  func requirements() -> [Requirement]
  /// Whether this host writes into packets as a router; nil where the kernel cannot do that.
  func routerTracing() -> RouterTracing?
  /// The tables of nf_tables.
  func tables() throws(KernelError) -> [TableName]
  /// What the tables of a setup have to fit into.
  func surroundings() throws(KernelError) -> SetupSurroundings
  /// The program that holds an NFLOG group; nil if nobody does.
  func holder(of group: UInt16) -> String?
  /// Whether there is an interface of this name.
  func hasLink(_ name: String) -> Bool
  /// Whether there is a process of this number.
  func isAlive(_ process: Int32) -> Bool
  /// The programs of this name that run, but this one.
  func programs(called name: String) -> [RunningProgram]
}
