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
    try OutputFile.makeDirectory(path)
  }

  /// The newest session of a ping.
  static var lastSession: String { path + "/last.pcapng" }
}
