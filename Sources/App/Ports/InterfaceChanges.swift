package import Kernel

/// Changes of interfaces and addresses as they are made: `InterfaceWatch`.
package protocol InterfaceChanges: AnyObject {
  /// What was changed since the last time; does not wait.
  func changes() -> InterfaceWatch.Changes
}
