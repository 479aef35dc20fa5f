package import Kernel

/// Where nftrace keeps sessions and journals.
package enum StateDirectory {
  /// The one that is to be used, whatever the environment says.
  @TaskLocal package static var chosen: String?

  /// $NFTRACE_STATE_DIR, or /var/lib/nftrace.
  package static var path: String {
    chosen ?? Terminal.environment("NFTRACE_STATE_DIR").flatMap { $0.isEmpty ? nil : $0 }
      ?? "/var/lib/nftrace"
  }

  /// Opens a session for reading: one that nftrace keeps itself must be its own.
  package static func input(_ path: String) throws(KernelError) -> InputFile {
    try path.hasPrefix(self.path + "/") ? InputFile(ours: path) : InputFile(path)
  }

  /// Makes the directory, unless it is there.
  package static func make() throws(KernelError) {
    try OutputFile.makeDirectory(path)
  }

  /// The newest session of a ping.
  package static var lastSession: String { "\(path)/\(lastName)" }
  static let lastName = "last.pcapng"
}
