package import Kernel

extension StateDirectory {
  /// Throws where it may not be looked into: what cannot be seen is not nothing.
  package static func checkReadable(
    _ attempt: String, help: String = ""
  ) throws(KernelError) {
    guard StateFile.isReadable(path) else {
      throw KernelError(
        cannot: "\(attempt) in \(path)",
        help: "it may only be read by root: run as root (sudo)\(help)")
    }
  }
}
