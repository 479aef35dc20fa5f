package import Kernel
internal import Report
package import Trace

/// Writes a session as it happens: to the file the user asked for, and to the one that keeps the
/// latest session, which gets its name when it is whole.
package final class SessionWriter: SessionSink {
  private var asked: OutputFile?
  private var latest: OutputFile?
  private var buffer: [UInt8] = []
  private let path: String?
  private var hasBegun = false

  /// Nothing is written yet. `path` is the file the user asked for.
  package init(path: String?) {
    self.path = path
    asked = nil
    latest = nil
  }

  /// Begins the session, or its next section. Not being able to write the file the user asked for is
  /// an error; that the latest session cannot be kept is said, and that is all.
  package func begin(_ header: SessionHeader) throws(KernelError) {
    if !hasBegun { try open() }
    hasBegun = true
    buffer += SessionFile.beginning(header)
  }

  private func open() throws(KernelError) {
    if let path { asked = try OutputFile(path) }
    do {
      try StateDirectory.make()
      latest = try OutputFile.unnamed(StateDirectory.lastSession)
    } catch {
      Output.complain("the session is not kept: \(error)")
    }
  }

  /// Adds a record.
  package func write(_ record: Record) throws(KernelError) {
    SessionFile.append(record, to: &buffer)
    if buffer.count > 1 << 18 { try flush() }
  }

  private func flush() throws(KernelError) {
    if asked != nil { try asked!.write(buffer) }
    if latest != nil {
      do {
        try latest!.write(buffer)
      } catch {
        Output.complain("the session is not kept: \(error)")
        latest.take()?.remove()
      }
    }
    buffer.removeAll(keepingCapacity: true)
  }

  /// A session that an error ends: what the user asked to be kept is kept as far as it went.
  deinit {
    if asked != nil { try? asked!.write(buffer) }
  }

  /// Ends the session. Returns the path by which it is known.
  package func finish() throws(KernelError) -> String? {
    try flush()
    var path: String?
    if let file = latest.take() {
      try file.rename(to: StateDirectory.lastSession)
      path = StateDirectory.lastSession
    }
    if let file = asked.take() { path = file.path }
    return path
  }
}
