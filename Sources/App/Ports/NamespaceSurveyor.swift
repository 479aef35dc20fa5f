package import Kernel

/// Who finds network namespaces on this machine: `NamespaceSurvey`.
package protocol NamespaceSurveyor {
  /// Those there are now.
  func survey() -> NamespaceSurvey
  /// Opens one of them.
  func open(_ found: NamespaceSurvey.Found) throws(KernelError) -> any NamespaceHandle
  /// What tells that of the calling thread from others.
  func place() throws(KernelError) -> NamespacePlace
}
