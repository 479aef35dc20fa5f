/// The kernel's errors in words: asm-generic/errno.h, as the C library says them.
package enum ErrorName {
  private static let names: [Int32: String] = [
    1: "Operation not permitted (EPERM)", 13: "Permission denied (EACCES)",
    22: "Invalid argument (EINVAL)", 90: "Message too long (EMSGSIZE)",
    99: "Cannot assign requested address (EADDRNOTAVAIL)", 100: "Network is down (ENETDOWN)",
    101: "Network is unreachable (ENETUNREACH)", 105: "No buffer space available (ENOBUFS)",
    113: "No route to host (EHOSTUNREACH)",
  ]

  /// The error in words, with its name.
  package static func words(_ errno: Int32) -> String { names[errno] ?? "error \(errno)" }
}
