internal import Trace
internal import Wire

/// Elements of sets and maps that rules looked a packet up in.
enum SetElements {
  /// Those of the rules of these steps.
  static func list(
    _ steps: [RuleStep], _ hop: Hop, _ rules: inout RulesetReader
  ) -> [SetElement] {
    var found: [SetElement] = []
    for step in steps {
      let text = RuleListing.chain(of: step, &rules).first { $0.handle == step.handle }?.text
      guard let lookup = text.flatMap({ SetLookup($0) }), let key = try? lookup.key(of: hop),
        let family = try? Word.nftFamily(step.family), let table = try? Word.nft(step.table),
        let set = try? Word.nft(lookup.name),
        let output = NFTables.run("get element \(family) \(table) \(set) { \(key) }"),
        let element = element(in: output)
      else { continue }
      let new = SetElement(
        family: step.family, table: step.table, set: lookup.name, text: element,
        isDynamic: isDynamic(output))
      if !found.contains(new) { found.append(new) }
    }
    return found
  }

  /// Whether the flags of the set say so.
  static func isDynamic(_ output: String) -> Bool {
    output.split(separator: "\n").contains {
      $0.hasPrefix("\t\tflags ")
        && $0.split(whereSeparator: { " ,".contains($0) }).contains("dynamic")
    }
  }

  /// What stands between the braces behind "elements =", on one line.
  static func element(in output: String) -> String? {
    guard let start = output.firstRange(of: "elements = {")?.upperBound else { return nil }
    let rest = output[start...]
    // A comment may have braces in it: the list's own is followed by the end of its line.
    guard let end = rest.firstRange(of: "}\n")?.lowerBound else { return nil }
    let text = rest[..<end].split(whereSeparator: { " \t\n".contains($0) })
      .joined(separator: " ")
    return text.isEmpty ? nil : text
  }
}
