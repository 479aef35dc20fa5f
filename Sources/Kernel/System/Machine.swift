internal import Glibc

/// What machine this is.
public enum Machine {
  /// The kernel's release, as uname(2) gives it.
  public static var kernelRelease: String {
    (try? Files.text("/proc/sys/kernel/osrelease"))?.split(separator: "\n").first.map(String.init)
      ?? "unknown"
  }

  /// What tells this boot of the machine from others.
  public static func boot() throws(KernelError) -> String {
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
