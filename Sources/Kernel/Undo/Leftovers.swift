internal import CNetfilter

/// What commands that died have left behind in a network namespace.
package struct Leftovers: Sendable {
  /// What was taken back now, in words for the user.
  package var undone: [String] = []
  /// What could not be, and is still there, or must not be believed.
  package var failures: [KernelError] = []

  /// Nothing.
  package init() {}

  /// Takes back what commands that are gone have left behind in the calling thread's namespace, of
  /// which there are journals in `directory`. Throws if the directory cannot be looked into, or is not
  /// to be believed.
  package static func takeBack(in directory: String) throws(KernelError) -> Leftovers {
    try Journal.undoStale(in: directory)
  }
}
