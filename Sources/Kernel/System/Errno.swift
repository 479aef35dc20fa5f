internal import CNetfilter
internal import Glibc

/// An errno on its way to the place that knows what was being attempted.
struct Errno: Error, Equatable {
  let code: Int32

  /// That of the call that just failed.
  static var current: Errno { Errno(code: errno) }
}

/// Makes a system call, again and again while a signal interrupts it. Returns what it returned; throws its
/// errno where that is negative.
@discardableResult
func syscall<Result: SignedInteger>(_ call: () -> Result) throws(Errno) -> Result {
  while true {
    let result = call()
    if result >= 0 { return result }
    let error = Errno.current
    guard error.code == EINTR else { throw error }
  }
}
