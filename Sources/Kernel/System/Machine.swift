internal import Glibc

/// What machine this is.
package enum Machine {
  /// The kernel's release, as uname(2) gives it.
  package static var kernelRelease: String {
    (try? Files.text("/proc/sys/kernel/osrelease"))?.split(separator: "\n").first.map(String.init)
      ?? "unknown"
  }

  /// What tells this boot of the machine from others.
  package static func boot() throws(KernelError) -> String {
    let path = "/proc/sys/kernel/random/boot_id"
    do {
      return String(try Files.text(path).prefix { $0 != "\n" })
    } catch {
      throw KernelError(
        cannot: "find out which boot of the machine this is", function: "open \(path)",
        errno: error.code)
    }
  }
}
