package import Kernel

/// The rights of this process, which are given up as early as can be: `Privileges`.
package protocol Rights {
  /// Gives up all but these, for good. Files are still to be made in the directories `writing`, and those of
  /// `reading` to be opened again.
  func keep(
    _ wanted: Capabilities, writing: [String], reading: [String]
  ) throws(KernelError)
}

extension Rights {
  /// The same, where nothing is made or opened any more.
  package func keep(
    _ wanted: Capabilities, writing: [String] = []
  ) throws(KernelError) {
    try keep(wanted, writing: writing, reading: [])
  }
}
