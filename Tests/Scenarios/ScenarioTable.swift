/// The keys of one scenario, read one by one.
struct ScenarioTable {
  private var table: TOML.Table
  var words = Words([:])

  init(_ table: TOML.Table) { self.table = table }

  static let keys = [
    "families", "each", "fixtures", "nat", "router", "server", "entrance", "arguments",
    "destination", "timeout", "traffic", "outcome", "last-seen", "errors", "warnings", "notes",
    "may-note", "at", "mentions", "reasons", "remedy", "uncovers", "errors-without-reasons",
    "inferred",
    "pending", "needs",
  ]

  /// Takes the place of what has the same key.
  mutating func override(with other: TOML.Table) {
    table.entries = table.entries.filter { other[$0.key] == nil } + other.entries
  }

  func refuseUnknown(besides: [String], in what: String) throws(TOML.Fault) {
    for (key, entry) in table.entries where !(Self.keys + besides).contains(key) {
      throw .init(
        entry.line,
        "'\(key)' is no key of \(what); those are: " + (Self.keys + besides).joined(separator: ", ")
      )
    }
  }

  // MARK: What multiplies

  var families: [Scenario.Family] {
    get throws(TOML.Fault) {
      guard table["families"] != nil else { return Scenario.Family.allCases }
      var families: [Scenario.Family] = []
      for (text, line) in try list("families") {
        guard let family = Scenario.Family(rawValue: text) else {
          throw .init(line, "'\(text)' is no family: v4, v6")
        }
        families.append(family)
      }
      return families
    }
  }

  /// The words of each row of the matrix; one row without any where there is no matrix.
  var rows: [[Scenario.Family: [String: String]]] {
    get throws(TOML.Fault) {
      guard let entry = table["each"] else { return [[:]] }
      guard case .list(let list) = entry.value else {
        throw .init(entry.line, "'each' is a list of tables: [{ WORD = \"…\" }, …]")
      }
      var rows: [[Scenario.Family: [String: String]]] = []
      for row in list { rows.append(try read(Self.wordsOfFamilies, row)) }
      return rows
    }
  }

  /// Words: `NAME = "…"`, or `NAME = { v4 = "…", v6 = "…" }`.
  static let wordsOfFamilies = "a word is of capitals, and is a text or { v4 = \"…\", v6 = \"…\" }"

  func read(
    _ rule: String, _ entry: TOML.Entry?
  ) throws(TOML.Fault) -> [Scenario.Family: [String: String]] {
    guard let entry else { return [:] }
    var result: [Scenario.Family: [String: String]] = [:]
    for (word, value) in try Self.table(entry).entries {
      guard word.first?.isUppercase == true,
        word.allSatisfy({ $0.isASCII && ($0.isUppercase || $0.isNumber) })
      else { throw .init(value.line, "'\(word)': \(rule)") }
      for family in Scenario.Family.allCases {
        var own = value
        if case .table(let both) = value.value {
          guard let one = both[family.rawValue], both.entries.count == 2 else {
            throw .init(value.line, "'\(word)': \(rule)")
          }
          own = one
        }
        guard case .text(let text) = own.value else {
          throw .init(value.line, "'\(word)': \(rule)")
        }
        result[family, default: [:]][word] = Self.withoutLastEnd(text)
      }
    }
    return result
  }

  // MARK: Values

  static func table(_ entry: TOML.Entry) throws(TOML.Fault) -> TOML.Table {
    guard case .table(let table) = entry.value else {
      throw .init(entry.line, "a table is expected: { key = \"…\" }")
    }
    return table
  }

  /// A text with its words replaced.
  func spell(_ text: String, _ line: Int) throws(TOML.Fault) -> String {
    do throws(Words.Unknown) {
      return try words.spell(text)
    } catch {
      throw .init(
        line,
        "'$\(error.word)' stands for nothing; the words are: "
          + error.known.joined(separator: ", "))
    }
  }

  func text(_ key: String) throws(TOML.Fault) -> String? {
    guard let entry = table[key] else { return nil }
    guard case .text(let text) = entry.value else {
      throw .init(entry.line, "'\(key)' is a text: \(key) = \"…\"")
    }
    return try spell(Self.withoutLastEnd(text), entry.line)
  }

  /// Of several lines, the last end of line is not meant.
  private static func withoutLastEnd(_ text: String) -> String {
    text.hasSuffix("\n") ? String(text.dropLast()) : text
  }

  /// A text that is one of those.
  func text(_ key: String, of allowed: [String]) throws(TOML.Fault) -> String? {
    guard let text = try text(key) else { return nil }
    if !allowed.contains(text) {
      throw .init(line(key), "'\(text)' is no \(key): " + allowed.joined(separator: ", "))
    }
    return text
  }

  /// Words of a command line.
  func arguments(_ key: String) throws(TOML.Fault) -> [String]? {
    try text(key)?.split(separator: " ").map(String.init)
  }

  func list(_ key: String) throws(TOML.Fault) -> [(text: String, line: Int)] {
    guard let entry = table[key] else { return [] }
    guard case .list(let list) = entry.value else {
      throw .init(entry.line, "'\(key)' is a list of texts: \(key) = [\"…\"]")
    }
    var texts: [(String, Int)] = []
    for item in list {
      guard case .text(let text) = item.value else {
        throw .init(item.line, "'\(key)' is a list of texts: \(key) = [\"…\"]")
      }
      texts.append((try spell(text, item.line), item.line))
    }
    return texts
  }

  func has(_ key: String) -> Bool { table[key] != nil }

  func line(_ key: String) -> Int { table[key]?.line ?? 0 }

  func boolean(_ key: String) throws(TOML.Fault) -> Bool {
    guard let entry = table[key] else { return false }
    guard case .boolean(let value) = entry.value else {
      throw .init(entry.line, "'\(key)' is true or false")
    }
    return value
  }

  /// A number as it is written.
  func number(_ key: String) throws(TOML.Fault) -> String? {
    guard let entry = table[key] else { return nil }
    guard case .number(let value) = entry.value else {
      throw .init(entry.line, "'\(key)' is a number: \(key) = 0.6")
    }
    return value
  }

  func entry(_ key: String) -> TOML.Entry? { table[key] }
}
