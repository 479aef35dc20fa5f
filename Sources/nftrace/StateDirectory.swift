import Kernel

/// Where nftrace keeps sessions and journals.
enum StateDirectory {
  /// $NFTRACE_STATE_DIR, or /var/lib/nftrace.
  static var path: String {
    Terminal.environment("NFTRACE_STATE_DIR").flatMap { $0.isEmpty ? nil : $0 }
      ?? "/var/lib/nftrace"
  }

  /// Makes the directory, unless it is there.
  static func make() throws(KernelError) {
    guard OutputFile.makeDirectory(path) else {
      throw KernelError(
        cannot: "make the directory \(path)", help: "Name another one in NFTRACE_STATE_DIR.")
    }
  }

  /// The newest session of a ping.
  static var lastSession: String { path + "/last.pcapng" }
}
