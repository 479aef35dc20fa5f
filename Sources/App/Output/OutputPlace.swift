package import Kernel

/// Where a command's words go.
package protocol OutputPlace: Sendable {
  /// Writes text. Throws when nobody reads it or the disk is full.
  func write(_ text: String, to stream: Terminal.Stream) throws(KernelError)
  /// Tells a person who waits how far it is, in place of what was told before; nil takes that away.
  func tell(progress: String?)
  /// Columns and rows of the terminal that shows results, as it is now; nil where there is none, or it does not say.
  var size: (columns: Int, rows: Int)? { get }
}

extension OutputPlace {
  /// Nobody waits.
  package func tell(progress: String?) {}
  /// There is none.
  package var size: (columns: Int, rows: Int)? { nil }
}

/// Standard output and standard error.
package struct StandardStreams: OutputPlace {
  /// Writes text. Throws when nobody reads it or the disk is full.
  package func write(_ text: String, to stream: Terminal.Stream) throws(KernelError) {
    try Terminal.write(text, to: stream)
  }

  /// On the last line of a terminal; elsewhere nobody waits.
  package func tell(progress: String?) {
    guard Terminal.isWatched else { return }
    try? Terminal.write("\r\u{1b}[K\(progress ?? "")", to: .error)
  }

  /// That of standard output.
  package var size: (columns: Int, rows: Int)? {
    guard Terminal.isInteractive, let columns = Terminal.columns, let rows = Terminal.rows else {
      return nil
    }
    return (columns, rows)
  }
}
