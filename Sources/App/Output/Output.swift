internal import Glibc
package import Kernel
package import Report
package import Trace

/// Results go to standard output, everything else to standard error.
package enum Output {
  /// Where it goes.
  @TaskLocal package static var place: any OutputPlace = StandardStreams()

  /// Rows of the terminal that others fill, above or below what is printed.
  @TaskLocal package static var rowsTaken = 0

  /// Writes a line to standard output. Throws when nobody reads it or the disk is full.
  package static func print(_ line: StyledLine) throws(KernelError) { try print([line]) }

  /// The same of lines.
  package static func print(_ lines: [StyledLine]) throws(KernelError) {
    try show(lines.map { fitted($0, .output).text }.joined(separator: "\n"))
  }

  /// The same of a JSON value.
  package static func print(_ value: JSONValue) throws(KernelError) { try show(value.pretty()) }

  /// The same of text that is finished: its lines are what they are to be.
  package static func show(_ text: String) throws(KernelError) {
    try place.write(TerminalSafe.clean(text + (text.hasSuffix("\n") ? "" : "\n")), to: .output)
  }

  /// Says on standard error what went wrong or is going on.
  package static func complain(_ line: StyledLine, prefix: String = "nftrace: ") {
    complain(finished: fitted(prefix + line, .error).text)
  }

  /// The same of text whose lines are what they are to be.
  package static func complain(finished text: String) {
    try? place.write(TerminalSafe.clean(text + "\n"), to: .error)
  }

  /// The line on as many as a terminal has room for, if one is there.
  private static func fitted(_ line: StyledLine, _ stream: Terminal.Stream) -> StyledLine {
    let line = isUTF8 ? line : line.inASCII
    return Terminal.columns(of: stream).map { line.broken(at: $0) } ?? line
  }

  /// Tells a person who waits how far it is, in place of what was told before; nil takes that away.
  package static func tell(progress: String?) { place.tell(progress: progress) }

  /// Ends the program.
  package static func exit(_ code: Int32) -> Never { Glibc.exit(code) }

  /// How text is to look on standard output.
  package static func style(color: ColorChoice, verbosity: TextStyle.Verbosity) -> TextStyle {
    let isTerminal = Terminal.isInteractive
    let colors =
      switch color {
      case .always: true
      case .never: false
      case .auto:
        isTerminal && (Terminal.environment("NO_COLOR") ?? "").isEmpty
          && Terminal.environment("TERM") != "dumb"
      }
    var style = TextStyle(
      width: 80, color: colors, unicode: isUTF8, verbosity: verbosity)
    style.isTerminal = isTerminal
    return fitted(style)
  }

  /// The style for the terminal as it is now: somebody may have made it wider or narrower.
  static func fitted(_ style: TextStyle) -> TextStyle {
    guard style.isTerminal, let size = place.size else { return style }
    var style = style
    style.width = max(size.columns, TextStyle.leastWidth)
    style.height = size.rows - rowsTaken
    return style
  }

  /// Whether the locale's character set is UTF-8, by the rules of setlocale(3).
  private static var isUTF8: Bool {
    for name in ["LC_ALL", "LC_CTYPE", "LANG"] {
      if let value = Terminal.environment(name), !value.isEmpty {
        let folded = value.uppercased()
        return folded.contains("UTF-8") || folded.contains("UTF8")
      }
    }
    return false
  }
}

extension StyledLine.StringInterpolation {
  /// An error; the kernel's say on lines of their own, which begin as those that go on do, what would help.
  package mutating func appendInterpolation(_ error: any Error) {
    guard let failure = error as? KernelError else {
      appendInterpolation("\(error)" as String)
      return
    }
    if let help = failure.help, failure.needsRoot {
      appendInterpolation(help)
      appendInterpolation("\n  " + StyledLine(failure.reason))
      return
    }
    appendInterpolation(failure.reason)
    if let help = failure.help {
      for line in help.split(separator: "\n") {
        appendInterpolation("\n  " + StyledLine(String(line)))
      }
    }
  }
}
