internal import CNetfilter
internal import Glibc

/// Standard output, or a FIFO, that never makes who writes to it wait: while nobody reads, what is written is kept,
/// and of lines, when too many were kept, the rest is left out and counted.
package final class PatientOutput {
  private let number: Int32
  /// What it is called.
  private let name: String
  private var pending: [UInt8] = []
  private var start = 0
  /// Lines that were left out.
  package private(set) var skipped = 0

  /// Octets that are kept at most.
  private static let capacity = 1 << 20
  /// What a pipe that can be written takes without waiting: PIPE_BUF.
  private static let portion = 4096

  /// Standard output, and nothing kept yet.
  package init() {
    number = STDOUT_FILENO
    name = "standard output"
    pending.reserveCapacity(Self.portion * 4)
  }

  /// A FIFO; waits until somebody has it open to read from it.
  package init(fifo path: String) throws(KernelError) {
    let file: FileDescriptor
    do {
      file = try FileDescriptor(path, O_WRONLY)
    } catch {
      throw KernelError(.usage, cannot: "write \(path)", function: "open", errno: error.code)
    }
    guard try file.information("write \(path)").st_mode & S_IFMT == S_IFIFO else {
      throw KernelError(.usage, cannot: "write \(path)", help: "It is no FIFO.")
    }
    number = file.release()
    name = path
  }

  deinit { if number != STDOUT_FILENO { _ = close(number) } }

  /// Whether something is kept.
  package var isPending: Bool { start < pending.count }

  /// Whether so much is kept that nothing more should come.
  package var isFull: Bool { pending.count - start >= Self.capacity }

  /// Whether there is still somebody who may read it.
  package var hasReader: Bool {
    var polled = pollfd(fd: number, events: 0, revents: 0)
    // Sound: the pointer is that of the one entry that is said.
    return unsafe poll(&polled, 1, 0) == 0
  }

  /// Writes octets, or keeps them: all, for a part of them is of no use. Throws as `write` of a line does.
  package func write(_ octets: [UInt8]) throws(KernelError) {
    pending += octets
    try flush()
  }

  /// Writes a line, its end included, or keeps it. Throws when the reader went away or the disk is
  /// full.
  package func write(_ line: String) throws(KernelError) {
    guard !isFull else {
      skipped += 1
      return
    }
    pending += line.utf8
    if pending.count - start >= Self.portion { try flush() }
  }

  /// Writes what is kept, as far as it can be done without waiting.
  package func flush() throws(KernelError) {
    while start < pending.count, isWritable {
      do throws(Errno) {
        start += try syscall {
          // Sound: the pointer and the count stay inside the array.
          unsafe pending.withUnsafeBytes {
            unsafe Glibc.write(
              number, $0.baseAddress! + start, min(Self.portion, $0.count - start))
          }
        }
      } catch {
        if error.code == EAGAIN { return }
        throw KernelError(cannot: "write to \(name)", function: "write", errno: error.code)
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

  private var isWritable: Bool {
    var polled = pollfd(fd: number, events: Int16(POLLOUT), revents: 0)
    // Sound: the pointer is that of the one entry that is said.
    return unsafe poll(&polled, 1, 0) > 0
  }
}
