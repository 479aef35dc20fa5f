internal import Trace

/// Where what is told comes from: when and where it was made, by which version, with which command. What a ticket
/// needs.
struct Provenance {
  /// What is known of it, piece by piece, with the words around it.
  let facts: [Fact]
  /// The command line, where it is known.
  let command: String?

  /// A piece of what is known.
  struct Fact {
    /// What it is called where it stands for itself.
    var name: String
    /// What stands before it in a sentence.
    var lead: String
    var value: String
  }

  /// Of a report that begins so; nil where the session does not say when it began, as sessions of before.
  init?(_ head: ReportHead) {
    guard let header = head.header, let started = header.started else { return nil }
    let what = header.probe == nil ? "recorded since" : "sent"
    let namespaces =
      head.sites.isEmpty
      ? [header.netnsName].compactMap(\.self)
      : head.sites.filter { $0.kind == .namespace }.map(\.name)
    let machines = head.sites.filter { $0.kind == .machine }.map { Escape.name($0.name) }
    let host = machines.isEmpty ? header.host.map(Escape.name) : machines.joined(separator: ", ")
    func fact(_ name: String, _ lead: String, _ value: String?) -> Fact? {
      value.map { Fact(name: name, lead: lead, value: $0) }
    }
    facts = [
      fact(what, what + " ", CalendarText.text(started / 1_000_000_000)),
      fact("host", "on ", host),
      fact(
        "netns", "netns ",
        namespaces.isEmpty ? nil : namespaces.map(Escape.name).joined(separator: ", ")),
      fact("Linux", "Linux ", header.kernel.isEmpty ? nil : Escape.name(header.kernel)),
      fact("nftrace", "nftrace ", Escape.name(header.version)),
    ].compactMap(\.self)
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
    let whole = facts.map { $0.lead + $0.value }.joined(separator: ", ")
    return TextLayout.wrapped(whole, to: style.width, at: ", ", hanging: "  ").map {
      StyledLine($0, .faint)
    }
      + (command.map { [StyledLine("with: ", .faint) + StyledLine($0, .command)] } ?? [])
  }
}

extension ReportHead {
  /// Where and when it was made, and with which command, in a sentence; nil where the session does not say.
  package var provenance: String? {
    guard let provenance = Provenance(self) else { return nil }
    return provenance.facts.map { $0.lead + $0.value }.joined(separator: ", ")
      + (provenance.command.map { ", with: \($0)" } ?? "")
  }
}
