package import Kernel

/// What setup and teardown work with in a network namespace, which is that of the calling thread.
package protocol SetupHost {
  /// The clocks and signals, the same in all of them.
  var loop: any EventLoop { get }
  /// What this process may do.
  var rights: any Rights { get }
  /// What is written down of the setup there.
  func store() throws(KernelError) -> any SetupStore
  /// The kernel there.
  func kernel() -> any SetupKernel
}
