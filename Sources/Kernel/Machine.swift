internal import Glibc

/// What machine this is.
public enum Machine {
  /// The kernel's release, as uname(2) gives it.
  public static var kernelRelease: String {
    (try? Files.text("/proc/sys/kernel/osrelease"))?.split(separator: "\n").first.map(String.init)
      ?? "unknown"
  }
}
