import Glibc
import Kernel
import Testing

/// All live tests, one after the other: they change the namespace of the thread they run on.
///
/// They need CAP_NET_ADMIN and CAP_SYS_ADMIN, and are reported as disabled, with that reason, where
/// those are missing. Everything happens in namespaces of their own; the machine's network is not
/// touched.
@Suite(
  .serialized, .enabled(if: Rights.areThere, "needs CAP_NET_ADMIN and CAP_SYS_ADMIN: run as root"))
struct LiveTests {}

enum Rights {
  /// Whether a network namespace can be made, which is what every live test begins with.
  static let areThere: Bool = {
    do {
      _ = try NetworkNamespace.create()
      return true
    } catch {
      return false
    }
  }()
}

/// Runs `body` in a new namespace that goes with it. Only `lo` is there, and up.
func inNewNamespace<R>(_ body: () throws -> R) throws -> R {
  let namespace = try NetworkNamespace.create()
  // A new namespace takes this over from the machine.
  try namespace.within { () throws(KernelError) in try Sysctl.forwarding4.write("0") }
  return try namespace.within { () throws(KernelError) in Result { try body() } }.get()
}

/// What the tests need of the file system.
enum Directory {
  /// Removes an empty directory; whether it did.
  @discardableResult
  static func remove(_ path: String) -> Bool { unsafe rmdir(path) == 0 }

  /// Whether there is nothing in it.
  static func isEmpty(_ path: String) -> Bool {
    guard let directory = unsafe opendir(path) else { return true }
    defer { unsafe closedir(directory) }
    var count = 0
    while unsafe readdir(directory) != nil { count += 1 }
    return count <= 2
  }

  /// The permissions of a file; nil if there is none.
  static func mode(of path: String) -> UInt32? {
    var info = stat()
    // Sound: the pointer is that of a variable of the type the function fills.
    return unsafe stat(path, &info) == 0 ? info.st_mode & 0o777 : nil
  }
}
