internal import Glibc
package import Kernel
internal import Report

extension Leftovers {
  /// Takes back what commands that were killed have left in the calling thread's namespace: whichever
  /// nftrace comes next does. nil where nothing can be looked at, as for an ordinary user.
  package static func here() throws(KernelError) -> Leftovers? {
    guard StateFile.isOurs(StateDirectory.path),
      try !StateFile.names(in: StateDirectory.path).isEmpty
    else { return nil }
    let lock: FileLock?
    do {
      lock = try SetupFiles.tryLock()
    } catch  where error.errno == EROFS {
      lock = nil
    }
    // Who has the lock makes or undoes a setup, and has looked already.
    guard let lock else { return try .takeBack(in: StateDirectory.path) }
    let found = try SetupFiles.current().takeBackHalfDone()
    _ = consume lock
    return found
  }

  /// Says it on standard error. What could not be taken back is an error for a command that is to
  /// change something here (`isNeeded`).
  package func say(isNeeded: Bool) throws(KernelError) {
    if !undone.isEmpty {
      Output.complain("took back what a command that was killed had left: \(words)")
    }
    for failure in failures.dropFirst(isNeeded ? 1 : 0) { Output.complain("\(failure)") }
    if isNeeded, var failure = failures.first {
      failure.kind = .unavailable
      throw failure
    }
  }

  /// What was taken back, in words.
  package var words: String { undone.joined(separator: ", ") }
}
