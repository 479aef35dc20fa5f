internal import CNetfilter
internal import Glibc

/// Lines to standard output that never make who writes them wait: while nobody reads, they are kept,
/// and when too many were kept, left out and counted.
package final class PatientOutput {
  private var pending: [UInt8] = []
  private var start = 0
  /// Lines that were left out.
  package private(set) var skipped = 0

  /// Octets that are kept at most.
  private static let capacity = 1 << 20
  /// What a pipe that can be written takes without waiting: PIPE_BUF.
  private static let portion = 4096

  /// Nothing kept yet.
  package init() { pending.reserveCapacity(Self.portion * 4) }

  /// Whether something is kept.
  package var isPending: Bool { start < pending.count }

  /// Writes a line, its end included, or keeps it. Throws when the reader went away or the disk is
  /// full.
  package func write(_ line: String) throws(KernelError) {
    guard pending.count - start < Self.capacity else {
      skipped += 1
      return
    }
    pending += line.utf8
    if pending.count - start >= Self.portion { try flush() }
  }

  /// Writes what is kept, as far as it can be done without waiting.
  package func flush() throws(KernelError) {
    while start < pending.count, Self.isWritable {
      do throws(Errno) {
        start += try syscall {
          // Sound: the pointer and the count stay inside the array.
          unsafe pending.withUnsafeBytes {
            unsafe Glibc.write(
              STDOUT_FILENO, $0.baseAddress! + start, min(Self.portion, $0.count - start))
          }
        }
      } catch {
        if error.code == EAGAIN { return }
        throw KernelError(cannot: "write to standard output", function: "write", errno: error.code)
      }
    }
    if start == pending.count {
      pending.removeAll(keepingCapacity: true)
      start = 0
    } else if start > Self.capacity {
      pending.removeFirst(start)
      start = 0
    }
  }

  /// Writes what is kept, and waits at most so many nanoseconds for a reader.
  package func finish(patience: UInt64) throws(KernelError) {
    let deadline = Clock.monotonic + patience
    try flush()
    while isPending, Clock.monotonic < deadline {
      Loop.pause(nanoseconds: 10_000_000)
      try flush()
    }
    if isPending {
      skipped += pending[start...].count { $0 == 0x0a }
      pending = []
      start = 0
    }
  }

  private static var isWritable: Bool {
    var polled = pollfd(fd: STDOUT_FILENO, events: Int16(POLLOUT), revents: 0)
    // Sound: the pointer is that of the one entry that is said.
    return unsafe poll(&polled, 1, 0) > 0
  }
}
