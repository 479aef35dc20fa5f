internal import CNetfilter
internal import Glibc
internal import Wire

/// Standard output and standard error, and what stands behind them.
package enum Terminal {
  /// One of the two.
  package enum Stream: Int32, Sendable {
    case output = 1
    case error = 2
  }

  /// Puts something into the places of the standard streams that whoever started us has closed, so
  /// that no file or device we open gets there and is written to as if it were one. What is put
  /// there cannot be written to: it is an error to have results and no output.
  package static func fillClosedStreams() {
    for number: Int32 in 0...2 where nftrace_is_closed(number) {
      // The lowest free number is given out, which is this one.
      // Sound: the name is a literal.
      _ = unsafe nftrace_open("/dev/null", O_RDONLY, 0)
    }
  }

  /// Writes text. Throws when it cannot be written: EPIPE, when the reader went away.
  package static func write(_ text: String, to stream: Stream) throws(KernelError) {
    let name = stream == .output ? "standard output" : "standard error"
    let file = FileDescriptor(owning: stream.rawValue)
    do {
      try file.write(Array(text.utf8))
    } catch {
      _ = file.release()  // It stays open: others write to it too.
      throw KernelError(cannot: "write to \(name)", function: "write", errno: error.code)
    }
    _ = file.release()
  }

  /// Whether standard output is a terminal.
  package static var isInteractive: Bool { isatty(Stream.output.rawValue) == 1 }

  /// Whether standard error is one.
  package static var isWatched: Bool { isatty(Stream.error.rawValue) == 1 }

  /// Columns of the terminal; nil where there is none, or it does not say.
  package static var columns: Int? { columns(of: .output) }

  /// The same of the terminal behind this stream.
  package static func columns(of stream: Stream) -> Int? {
    size(stream).flatMap { $0.ws_col > 0 ? Int($0.ws_col) : nil }
  }

  /// Rows of the terminal; nil where there is none, or it does not say.
  package static var rows: Int? { size(.output).flatMap { $0.ws_row > 0 ? Int($0.ws_row) : nil } }

  private static func size(_ stream: Stream) -> winsize? {
    var size = winsize()
    // Sound: the pointer is that of a variable of the type the function fills.
    return unsafe nftrace_window_size(stream.rawValue, &size) == 0 ? size : nil
  }

  /// The words of the command line, the program's name first.
  package static var arguments: [String] {
    // Sound: the C library keeps argc strings there as long as the program runs.
    (0..<Int(CommandLine.argc)).compactMap { index in
      guard let word = unsafe CommandLine.unsafeArgv[index] else { return nil }
      return unsafe String(
        octets: UnsafeBufferPointer(start: word, count: strlen(word)).map { UInt8(bitPattern: $0) })
    }
  }

  /// Sets an environment variable, for this process and those it starts. The corresponding C function is `setenv`.
  package static func setEnvironment(_ name: String, _ value: String) {
    // Sound: the strings are there during the call, which copies them; no other thread reads the environment.
    _ = unsafe setenv(name, value, 1)
  }

  /// An environment variable; nil if it is not set, or if it must not be followed: this process has
  /// more rights than who started it. The corresponding C function is `secure_getenv`.
  package static func environment(_ name: String) -> String? {
    // Sound: the value is copied at once; the environment is changed at the start alone.
    guard let value = unsafe secure_getenv(name) else { return nil }
    return unsafe String(cString: value)
  }
}
