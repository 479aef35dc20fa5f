package import Kernel

/// Where a command's words go.
package protocol OutputPlace: Sendable {
  /// Writes text. Throws when nobody reads it or the disk is full.
  func write(_ text: String, to stream: Terminal.Stream) throws(KernelError)
  /// Tells a person who waits how far it is, in place of what was told before; nil takes that away.
  func tell(progress: String?)
}

extension OutputPlace {
  /// Nobody waits.
  package func tell(progress: String?) {}
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
}
