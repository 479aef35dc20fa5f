import Glibc
import Kernel
import Report

/// Results go to standard output, everything else to standard error.
enum Output {
  /// Writes a line, or several, to standard output. Throws when nobody reads it or the disk is full.
  static func print(_ text: String) throws(KernelError) {
    try Terminal.write(Printable.clean(text + (text.hasSuffix("\n") ? "" : "\n")), to: .output)
  }

  /// Says on standard error what went wrong or is going on.
  static func complain(_ text: String, prefix: String = "nftrace: ") {
    try? Terminal.write(Printable.clean(prefix + text + "\n"), to: .error)
  }

  /// Ends the program.
  static func exit(_ code: Int32) -> Never { Glibc.exit(code) }

  /// How text is to look on standard output.
  static func style(color: ColorChoice, verbosity: TextStyle.Verbosity) -> TextStyle {
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
      width: isTerminal ? max(Terminal.columns ?? 80, 60) : 80, color: colors, unicode: isUTF8,
      verbosity: verbosity)
    style.isTerminal = isTerminal
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
