internal import CNetfilter
internal import Glibc

/// An errno on its way to the place that knows what was being attempted.
struct Errno: Error {
  let code: Int32

  /// That of the call that just failed.
  static var current: Errno { Errno(code: errno) }
}
