internal import CNetfilter
internal import Glibc

/// What is done at a signal is not what whoever started this program left there.
package enum FatalSignals {
  /// Gives them back the kernel's default action, before anything else happens. Swift's runtime has
  /// handlers for them that start a program, `swift-backtrace`, which a statically linked one looks
  /// for below the working directory: what lies there must never be run by somebody who may be root.
  /// The corresponding C function is `signal`.
  package static func restore() {
    for number in [SIGQUIT, SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGSYS] {
      _ = signal(number, SIG_DFL)
    }
    // Where it is ignored, nobody learns how a program ended that was started.
    _ = signal(SIGCHLD, SIG_DFL)
    // A file that may not grow is an error (EFBIG) like a disk that is full.
    _ = signal(SIGXFSZ, SIG_IGN)
  }
}

/// What the runtime would ask for the path of its `swift-backtrace`. scripts/build-release has the
/// linker call this instead (`--wrap`), so that no path is tried at all and no handler is installed.
/// A C function, for it stands in the place of one; it returns a path or, as here, null.
@_cdecl("__wrap_swift_copyAuxiliaryExecutablePath")
func noAuxiliaryExecutable(_ name: UnsafePointer<CChar>?) -> UnsafePointer<CChar>? { nil }
