internal import Trace

/// Where what is told comes from: when and where it was made, by which version, with which command. What a ticket
/// needs.
struct Provenance {
  /// Words that belong together.
  private let parts: [String]
  /// The command line, where it is known.
  private let command: String?

  /// Of a report that begins so; nil where the session does not say when it began, as sessions of before.
  init?(_ head: ReportHead) {
    guard head.command == .show, let header = head.header, let started = header.started else {
      return nil
    }
    let what = header.probe == nil ? "recorded since" : "sent"
    let names = head.namespaces.isEmpty ? header.netns.map { [$0] } ?? [] : head.namespaces
    parts =
      [
        "\(what) \(CalendarText.text(started / 1_000_000_000))",
        header.host.map { "on \(Escape.name($0))" },
        names.isEmpty ? nil : "netns \(names.map(Escape.name).joined(separator: ", "))",
        header.kernel.isEmpty ? nil : "Linux \(Escape.name(header.kernel))",
        "nftrace \(Escape.name(header.version))",
      ].compactMap { $0 }
    command = Self.command(header)
  }

  /// The command line that made the session; nil where it is not known.
  static func command(_ header: SessionHeader) -> String? {
    if let probe = header.probe { return probe.commandLine(in: header) }
    if header.targets.isEmpty { return nil }
    return "nftrace setup " + header.targets.map(Escape.name).joined(separator: " ")
  }

  /// The lines of it.
  func lines(_ style: TextStyle) -> [StyledLine] {
    let whole = parts.joined(separator: ", ")
    return TextLayout.wrapped(whole, to: style.width, at: ", ").map { StyledLine($0, .faint) }
      + (command.map { [StyledLine("with: \($0)", .faint)] } ?? [])
  }
}
