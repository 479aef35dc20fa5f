internal import CNetfilter
internal import Glibc
internal import Trace

/// A copy of this process that works beside it, and in the end has something to say. It has the rights and the network
/// namespace of the thread that starts it, which must be the only one, and begins when it is told to.
package final class Companion: Sendable {
  private let process: ForkedProcess

  /// What it hears from who started it.
  package struct Call: ~Copyable {
    fileprivate let connection: FileDescriptor

    /// Waits until it is told to begin; false where it never is.
    package func waitForBegin() -> Bool {
      var octet: UInt8 = 0
      // Sound: the pointer is that of the one octet to be filled.
      return (try? syscall { unsafe read(connection.number, &octet, 1) }) == 1
    }

    /// Whether it is to come to an end: it is not told anything else.
    package var isOver: Bool { Loop.isReadable(connection.number) }

    /// Waits so many nanoseconds, or until it is to come to an end.
    package func wait(nanoseconds: UInt64) {
      Loop.wait(for: connection.number, nanoseconds: nanoseconds)
    }
  }

  /// Starts it; nil where that fails. `work` is done there, and returns what there is to say, a line each.
  package init?(_ work: (borrowing Call) -> [String]) {
    let process = ForkedProcess { connection, _ in
      let call = Call(connection: FileDescriptor(owning: connection))
      let lines = JSONValue.array(work(call).map { .string($0) }).line + "\n"
      try? call.connection.write(Array(lines.utf8))
      _exit(0)
    }
    guard let process else { return nil }
    self.process = process
  }

  /// Tells it to begin.
  package func begin() {
    // Sound: the literal is there during the call, which only reads it.
    _ = unsafe Glibc.send(process.connection, "b", 1, Int32(MSG_NOSIGNAL))
  }

  /// Tells it to come to an end, and waits for what it has to say: so many nanoseconds at most, and no longer than nobody
  /// interrupts that. Nil where it says nothing.
  package func end(patience: UInt64, isInterrupted: () -> Bool) -> [String]? {
    shutdown(process.connection, Int32(SHUT_WR))
    let deadline = Clock.monotonic + patience
    var heard: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4096)
    while heard.last != UInt8(ascii: "\n") {
      guard !isInterrupted(), Clock.monotonic < deadline else { return nil }
      Loop.wait(for: process.connection, nanoseconds: 50_000_000)
      // Sound: the pointer and the size are those of one buffer.
      let count = unsafe buffer.withUnsafeMutableBytes {
        unsafe recv(process.connection, $0.baseAddress!, $0.count, Int32(MSG_DONTWAIT))
      }
      if count < 0, errno == EAGAIN || errno == EINTR { continue }
      guard count > 0 else { return nil }
      heard += buffer[..<count]
    }
    guard case .array(let lines)? = try? JSONValue(String(decoding: heard, as: UTF8.self)) else {
      return nil
    }
    return lines.compactMap { if case .string(let text) = $0 { text } else { nil } }
  }
}
