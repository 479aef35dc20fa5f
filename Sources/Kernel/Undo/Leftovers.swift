internal import CNetfilter

/// What commands that died have left behind in a network namespace.
public struct Leftovers: Sendable {
  /// What was taken back now, in words for the user.
  public var undone: [String] = []
  /// What could not be, and is still there, or must not be believed.
  public var failures: [KernelError] = []

  /// Nothing.
  public init() {}

  /// Takes back what commands that are gone have left behind in the calling thread's namespace, of
  /// which there are journals in `directory`. Throws if the directory cannot be looked into, or is not
  /// to be believed.
  public static func takeBack(in directory: String) throws(KernelError) -> Leftovers {
    try Journal.undoStale(in: directory)
  }
}
