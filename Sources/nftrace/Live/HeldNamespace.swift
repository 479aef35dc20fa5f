import App
import Kernel

/// A network namespace, for several to hold.
final class HeldNamespace: NamespaceHandle {
  private let namespace: NetworkNamespace

  /// The one of this name, path or PID.
  init(_ name: String) throws(KernelError) { namespace = try NetworkNamespace(name) }

  /// One that was found.
  init(_ found: NamespaceSurvey.Found) throws(KernelError) { namespace = try found.open() }

  var identity: NetworkNamespace.Identity { namespace.identity }
  /// The file that led to it.
  var path: String { namespace.path }

  func enter() throws(KernelError) { try namespace.enter() }

  func within(_ body: () -> Void) throws(KernelError) {
    try namespace.within { () throws(KernelError) in body() }
  }

  func identity(ofName name: String) throws(KernelError) -> NetworkNamespace.Identity {
    try NetworkNamespace(name).identity
  }
}

extension ChosenNamespace {
  /// The one of this name, path or PID.
  convenience init(_ name: String) throws(KernelError) {
    let held = try HeldNamespace(name)
    self.init(name, held, path: held.path)
  }
}
