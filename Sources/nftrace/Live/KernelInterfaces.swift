import App
import Kernel

/// A watch of interfaces and addresses, for several to hold.
final class KernelInterfaces: InterfaceChanges {
  private var watch: InterfaceWatch

  /// Begins to listen, in the network namespace of the calling thread.
  init() throws(KernelError) { watch = try InterfaceWatch() }

  func changes() -> InterfaceWatch.Changes { watch.changes() }
}
