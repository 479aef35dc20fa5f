package import Kernel

/// Where a command's words go.
package protocol OutputPlace: Sendable {
  /// Writes text. Throws when nobody reads it or the disk is full.
  func write(_ text: String, to stream: Terminal.Stream) throws(KernelError)
}

/// Standard output and standard error.
package struct StandardStreams: OutputPlace {
  /// Writes text. Throws when nobody reads it or the disk is full.
  package func write(_ text: String, to stream: Terminal.Stream) throws(KernelError) {
    try Terminal.write(text, to: stream)
  }
}
