package import Kernel

/// A network namespace that is held, and can be worked in: `NetworkNamespace`.
package protocol NamespaceHandle: AnyObject {
  /// Which one it is.
  var identity: NetworkNamespace.Identity { get }
  /// Moves the calling thread there for good.
  func enter() throws(KernelError)
  /// Runs `body` there, and comes back. Throws where it cannot be entered.
  func within(_ body: () -> Void) throws(KernelError)
  /// The one to which this name leads by now.
  func identity(ofName name: String) throws(KernelError) -> NetworkNamespace.Identity
}
