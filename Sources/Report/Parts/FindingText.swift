internal import Trace

/// Findings as people read them: the cause in words, the rule, and what to do about it.
struct FindingText {
  let style: TextStyle
  /// Where it was asked, of which remedies are tried in copies.
  var place = "this namespace"

  /// The lines of all findings, the cause first.
  func lines(_ findings: [Finding]) -> [StyledLine] {
    findings.flatMap(lines)
  }

  /// What there is to say of a finding, one after the other.
  struct Piece {
    /// What it is called; empty for what goes on with the one before.
    var label: String
    var text: StyledLine
    var kind: Kind

    /// How it is told: in words, in those of a ruleset, or as what is to be pasted into a shell.
    enum Kind { case words, rule, command }
  }

  /// The pieces of a finding, in their order.
  func pieces(_ finding: Finding) -> [Piece] {
    let name = finding.severity == .error ? "cause" : finding.severity.rawValue
    let doubt = finding.confidence == .certain ? "" : " (\(finding.confidence.rawValue))"
    var pieces = [Piece(label: name, text: StyledLine(finding.summary + doubt), kind: .words)]
    let rule = finding.at?.rule
    if let rule { pieces.append(Piece(label: "", text: StyledLine(rule), kind: .rule)) }
    if style.verbosity == .verbose {
      let handle = finding.at?.handle.map { ["the rule's handle is \($0)"] } ?? []
      let evidence = finding.evidence.map(EvidenceText.text).filter { $0 != rule }
      for (index, evidence) in (handle + evidence).enumerated() {
        let label = index == 0 ? "evidence" : ""
        pieces.append(Piece(label: label, text: StyledLine(evidence), kind: .words))
      }
    }
    if let remedy = finding.remedy {
      pieces.append(Piece(label: "remedy", text: StyledLine(remedy.text), kind: .command))
    }
    if let trial = finding.trial, trial.isVain || finding.remedy != nil {
      pieces += tried(trial, finding.site)
    }
    return pieces
  }

  /// What came of the remedy in a copy.
  private func tried(_ trial: RemedyTrial, _ site: Site?) -> [Piece] {
    let all = trial.obstacles.isEmpty ? "it" : "all of it"
    let copy = site?.words ?? place
    if trial.isVain {
      return [
        Piece(
          label: "tried",
          text: StyledLine("in a copy of \(copy) no command that is known helps against this"),
          kind: .words)
      ] + differing(trial)
    }
    let end =
      trial.isRefused
      ? "whoever asked is told of the refusal"
      : "the probe gets through" + (site == nil ? "" : " there")
    return trial.obstacles.flatMap { obstacle -> [Piece] in
      let then = Piece(label: "then", text: StyledLine(Escape.text(obstacle.summary)), kind: .words)
      guard let remedy = obstacle.remedy else { return [then] }
      return [then, Piece(label: "remedy", text: StyledLine(Escape.text(remedy)), kind: .command)]
    } + [
      Piece(
        label: "", text: StyledLine("tried in a copy of \(copy): with \(all) \(end)"),
        kind: .words)
    ] + differing(trial)
  }

  /// What is not in the copy as it is in the original: the first few, and how many there are.
  private func differing(_ trial: RemedyTrial) -> [Piece] {
    let (told, all) = (trial.differences.prefix(3), trial.differences.count)
    let more = all > told.count ? ["\(all - told.count) more things are not the same there"] : []
    return (told.map { Escape.text($0) } + more).enumerated().map { index, text in
      Piece(label: index == 0 ? "differs" : "", text: StyledLine(text), kind: .words)
    }
  }

  /// The lines of what a search found.
  func lines(_ found: ChangesFound) -> [StyledLine] { lines(pieces(found)) }

  /// The pieces of what a search found, or that it found nothing.
  func pieces(_ found: ChangesFound) -> [Piece] {
    func words(_ text: String, _ label: String = "") -> Piece {
      Piece(label: label, text: StyledLine(text), kind: .words)
    }
    if found.changes.isEmpty {
      let end =
        found.seconds.map { "within \(Phrases.seconds($0))" } ?? "in copies of \(place)"
      return [
        words(
          "no change was found \(end) with which it gets through: \(found.tried) were tried",
          "searched")
      ]
    }
    var pieces = found.changes.enumerated().flatMap { index, change -> [Piece] in
      [
        Piece(
          label: index == 0 ? "found" : "and", text: StyledLine(Escape.text(change.command)),
          kind: .command)
      ]
        + (change.about.map { [Piece(label: "", text: StyledLine(Escape.text($0)), kind: .rule)] }
          ?? [])
    }
    let all = found.changes.count == 1 ? "it" : "all of it"
    pieces.append(words("tried in a copy of \(place): with \(all) the probe gets through"))
    if let opened = found.opened, !opened.isEmpty {
      pieces.append(
        words(
          "that would let through as well: \(opened.map { Escape.text($0) }.joined(separator: ", "))"
        ))
    }
    return pieces
  }

  private func lines(_ finding: Finding) -> [StyledLine] { lines(pieces(finding)) }

  private func lines(_ pieces: [Piece]) -> [StyledLine] {
    pieces.flatMap { piece in
      switch piece.kind {
      case .words: block(piece.label, piece.text.text)
      case .rule: [StyledLine(Self.indent) + piece.text]
      case .command:
        style.broken(
          command: piece.text.text, behind: Self.indent.count, indent: Self.indent + "  "
        ).enumerated().map { index, line in
          index == 0
            ? "  " + StyledLine(piece.label, .strong) + TextLayout.space(10 - piece.label.count)
              + line : line
        }
      }
    }
  }

  private static let indent = TextLayout.space(12)

  /// A label and text that is wrapped beside it.
  private func block(_ label: String, _ text: String) -> [StyledLine] {
    let lines = TextLayout.wrapped(text, to: style.width - Self.indent.count)
    let padding = TextLayout.space(10 - label.count)
    return lines.enumerated().map { index, line in
      index == 0
        ? "  " + StyledLine(label, .strong) + padding + line : StyledLine(Self.indent + line)
    }
  }
}
