import Foundation
import Trace

/// The pages of all findings, as Markdown.
struct FindingCatalogue {
  private let pages: [FindingPage]
  private let examples: [FindingID: Finding]

  init(_ pages: [FindingPage], examples: [FindingID: Finding]) {
    self.pages = pages
    self.examples = examples
  }

  private static let origin =
    "<!-- Made by scripts/findings from the diagnosis itself, in Sources/Trace/Why/Causes. -->\n\n"

  /// The files of docs/findings by their names.
  var files: [String: String] {
    var files = ["README.md": index]
    for page in pages { files["\(page.id).md"] = text(page) }
    return files
  }

  // MARK: A page

  private func text(_ page: FindingPage) -> String {
    let sections = [
      ("What it means", page.meaning), ("How sure it is", page.certainty),
      ("What it is concluded from", page.conclusion + needs(page)), ("What to do", page.advice),
    ].map { "## \($0)\n\n\($1)\n" }
    return ([Self.origin + "# \(page.id)\n\n\(page.title).\n", example(page)] + sections)
      .filter { !$0.isEmpty }.joined(separator: "\n")
  }

  private func example(_ page: FindingPage) -> String {
    guard let finding = examples[page.id] else { return "" }
    let doubt = finding.confidence == .certain ? "" : " (\(finding.confidence.rawValue))"
    let label =
      ["error": "cause     ", "warning": "warning   "][finding.severity.rawValue] ?? "note      "
    let lines =
      ["\(label)\(finding.summary)\(doubt)"]
      + (finding.at?.rule.map { ["          \($0)"] } ?? [])
      + (finding.remedy.map { ["remedy    \($0.text)"] } ?? [])
    return "```\n\(lines.joined(separator: "\n"))\n```\n"
  }

  private func needs(_ page: FindingPage) -> String {
    let needs = page.needs.map { "- \(words($0))" }
    guard !needs.isEmpty else { return "" }
    return "\n\nWhen a probe is lost, nftrace asks the kernel for:\n\n"
      + needs.joined(separator: "\n")
  }

  private func words(_ need: Need) -> String {
    switch need {
    case .plainRoute: "which way the packet would go if this host had made it"
    case .wayBack: "which way an answer would go"
    case .answerRoute: "which way this host's own answer would go"
    case .routes: "the routes of all tables to the packet's destination and source"
    case .neighbours: "the interfaces, addresses and neighbours"
    case .ingressRules: "the rules that it met at the interface"
    case .zoneRules: "the rules by which firewalld leads packets to their zones"
    case .trackingRules: "the rules that it met before conntrack looked at it"
    case .ttlRules: "the rules that it met where its TTL became another"
    case .policyChain: "the rules of the chain whose policy dropped it"
    case .ruleBeforePolicy: "the last rule that it met before a policy dropped it"
    case .setting(let setting): "the setting `\(setting.name)`"
    case .interfaceSetting(let setting):
      "the setting `\(setting.key)` of the interfaces on its way, and of `all` ("
        + setting.versions.map { "IPv\($0)" }.joined(separator: " and ") + ")"
    case .counter(let counter):
      counter.conntrackName.map { "conntrack's counter `\($0)`" } ?? "the counter `\(counter.name)`"
    case .host(let need): need.rawValue
    case .interfaceCounter(let counter): "the outgoing interface's counter `\(counter.key)`"
    }
  }

  // MARK: Lists

  private func row(_ page: FindingPage, _ folder: String) -> String {
    "| [`\(page.id)`](\(folder)\(page.id).md) | \(page.title) |\n"
  }

  private func table(_ folder: String) -> String {
    "| id | what happened |\n|---|---|\n" + pages.map { row($0, folder) }.joined()
  }

  private var index: String {
    """
    \(Self.origin)# Findings

    What nftrace can find out about a packet, in the order in which it looks. The first cause that fits is
    told; what follows from it is not told beside it. Each page says what the finding means, how sure it
    is, what it is concluded from, and what to do. The ids are those of the JSON output.

    \(table(""))
    """
  }

  /// The README with the list between its marks.
  func list(in readme: String) throws -> String {
    let (start, end) = ("<!-- findings -->\n", "<!-- /findings -->\n")
    let parts = readme.components(separatedBy: start)
    guard parts.count == 2, let rest = parts[1].range(of: end) else {
      throw MissingMarks()
    }
    return parts[0] + start + "\n" + table("docs/findings/") + "\n" + parts[1][rest.lowerBound...]
  }

  struct MissingMarks: Error, CustomStringConvertible {
    var description: String { "README.md has no <!-- findings --> and <!-- /findings -->" }
  }
}
