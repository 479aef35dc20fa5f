internal import Trace
internal import Wire

/// A rule as `nft -a list` prints it, and those of the chain without a name that it may have: `jump { … }`.
struct ListedRule {
  /// Without its handle; "jump { ... }" in the place of a chain without a name.
  var text: String
  /// nil of what stands in a chain without a name: nft prints none there.
  var handle: UInt64?
  /// The rules of its own chain.
  var nested: [ListedRule] = []

  /// What nft prints in the place of the name of a chain that has none, and ends the line with.
  private static let openings = ["jump {", "goto {"]

  /// Rules from the first of these lines on, which are so many tabs deep; takes these lines away.
  static func block(_ lines: inout ArraySlice<Substring.UTF8View>, tabs: Int = 2) -> [ListedRule] {
    var found: [ListedRule] = []
    let indent = [UInt8](repeating: 0x09, count: tabs)
    while let line = lines.first, line.starts(with: indent) {
      lines.removeFirst()
      var (text, handle) = parts(line.dropFirst(tabs))
      var nested: [ListedRule] = []
      if handle == nil, openings.contains(where: { text == $0 || text.hasSuffix(" \($0)") }) {
        nested = block(&lines, tabs: tabs + 1)
        guard let end = lines.first, end.starts(with: indent + [UInt8(ascii: "}")]) else { break }
        lines.removeFirst()
        handle = parts(end.dropFirst(tabs)).handle
        text += " ... }"
      }
      found.append(ListedRule(text: text, handle: handle, nested: nested))
    }
    return found
  }

  /// A line's text, and the handle at its end.
  private static func parts(_ line: Substring.UTF8View) -> (text: String, handle: UInt64?) {
    let mark = " # handle ".utf8
    let digits = line.reversed().prefix { (0x30...0x39).contains($0) }.count
    let rest = line.dropLast(digits)
    guard digits > 0, rest.suffix(mark.count).elementsEqual(mark) else {
      return (String(Substring(line)), nil)
    }
    return (
      String(Substring(rest.dropLast(mark.count))), UInt64(String(Substring(line.suffix(digits))))
    )
  }

  /// The rules of a chain that is listed by itself, if they have these handles: comments may have lines that look like rules, and
  /// a listing of other rules than these has none.
  static func chain(_ listing: String, of handles: [UInt64]) -> [ListedRule]? {
    chain(listing).flatMap { $0.map(\.handle) == handles ? $0 : nil }
  }

  /// The rules of a chain that is listed by itself; nil where it is something else.
  static func chain(_ listing: String) -> [ListedRule]? {
    // Octets, for a chain may have a hundred thousand lines.
    var lines = listing.utf8.split(separator: 0x0a)[...]
    // A comment on the chain and its type are there or not.
    for (opening, isNeeded) in [
      ("table ", true), ("\tchain ", true), ("\t\tcomment \"", false), ("\t\ttype ", false),
    ] {
      let isThere = lines.first?.starts(with: opening.utf8) == true
      if isThere { lines.removeFirst() } else if isNeeded { return nil }
    }
    let rules = block(&lines)
    return lines.map({ String(Substring($0)) }) == ["\t}", "}"] ? rules : nil
  }

  /// The rule and those of its own chain, each with what leads there: as if there were no such chain.
  var flat: [String] {
    guard let opening = Self.openings.first(where: { text.hasSuffix("\($0) ... }") }) else {
      return [text]
    }
    let conditions = text.dropLast(opening.count + " ... }".count)
    return nested.flatMap(\.flat).map { conditions + $0 }
  }
}

/// The rule that a chain without a name belongs to.
struct EnclosingRule {
  /// Its chain, which may have no name either.
  let chain: String
  /// Its handle.
  let handle: UInt64

  /// Of the chain of this step; nil where it has a name.
  init?(of step: RuleStep, _ rules: inout RulesetReader) {
    guard NFTRuleMessage.isNameless(step.chain) else { return nil }
    // The others are not kept: there may be a hundred thousand.
    let found = rules.table(of: step) { NFTRuleMessage.leads(to: step.chain, $0.payload) }
    guard let rule = found.lazy.compactMap({ try? NFTRuleMessage($0.payload) }).first else {
      return nil
    }
    (chain, handle) = (rule.chain, rule.handle)
  }

  /// As a step that has met it.
  func step(like step: RuleStep) -> RuleStep {
    RuleStep(
      family: step.family, table: step.table, chain: chain, .nft(handle: handle), verdict: .jump)
  }
}
