import App
import Kernel
import Trace

/// A copy of a network namespace, for as long as something is tried in it.
final class HeldCopy: NamespaceHandle {
  private let copy: NamespaceCopy

  /// A copy of the network namespace of the calling thread; without the rules, if they are to be others. Who was `sought`
  /// there before is where it was found.
  init(
    withRules: Bool = true, inUserNamespace: Bool = false,
    _ sought: SoughtNeighbours = SoughtNeighbours()
  ) throws(KernelError) {
    copy = try NamespaceCopy(withRules: withRules, inUserNamespace: inUserNamespace, sought)
  }

  /// What a topology describes.
  init(_ topology: Topology, inUserNamespace: Bool = false) throws(KernelError) {
    copy = try NamespaceCopy(topology, inUserNamespace: inUserNamespace)
  }

  /// Lets packets arrive on an interface of the copy, in which the calling thread is.
  func injector(on name: String) throws(KernelError) -> FrameInjector {
    if let injector = try copy.injector(on: name) { return injector }
    return try FrameInjector(interface: name)
  }

  /// What is not as it is in the original.
  var differences: [CopyDifference] { copy.differences }

  /// What is to be known of it where something is tried there, behind these commands.
  func rehearsal(of commands: [String] = []) -> Rehearsal {
    Rehearsal(
      commands: commands, differences: copy.differences.map(\.description), standIns: copy.standIns)
  }

  var identity: NetworkNamespace.Identity { copy.namespace.identity }

  func enter() throws(KernelError) { try copy.namespace.enter() }

  func within(_ body: () -> Void) throws(KernelError) {
    try copy.namespace.within { () throws(KernelError) in body() }
  }

  // It has no name that could come to lead elsewhere.
  func identity(ofName name: String) throws(KernelError) -> NetworkNamespace.Identity { identity }
}
