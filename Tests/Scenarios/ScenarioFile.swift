/// Reads scenarios from a file of `scenarios/`; `scenarios/README.md` has the format. What is not known,
/// not of its type or not possible is refused, with its line and with what would be right.
package struct ScenarioFile {
  private let path: String
  private let whole: TOML.Table
  /// Keys before the first table: what holds for all scenarios of the file that do not say otherwise.
  private let common: TOML.Table

  /// The scenarios that a file's text holds, in its order. `path` is for messages.
  package static func scenarios(_ text: String, path: String) throws(Fault) -> [Scenario] {
    do throws(TOML.Fault) {
      let file = ScenarioFile(path: path, whole: try TOML.table(text))
      return try file.readAll()
    } catch {
      throw Fault(path: path, line: error.line, reason: error.reason)
    }
  }

  /// What is wrong with a file, and where.
  package struct Fault: Error, CustomStringConvertible {
    package var path: String
    package var line: Int
    package var reason: String

    package var description: String { "\(path):\(line): \(reason)" }
  }

  private init(path: String, whole: TOML.Table) {
    self.path = path
    self.whole = whole
    common = TOML.Table(
      entries: whole.entries.filter {
        if case .table = $0.entry.value { false } else { true }
      })
  }

  private func readAll() throws(TOML.Fault) -> [Scenario] {
    let words = try ScenarioTable(common).read(ScenarioTable.wordsOfFamilies, whole["words"])
    try ScenarioTable(common).refuseUnknown(besides: [], in: "what holds for a whole file")
    var all: [Scenario] = []
    for (name, entry) in whole.entries where name != "words" {
      guard case .table(let table) = entry.value else { continue }
      let read = try scenarios(name, table, entry.line, words)
      for scenario in read where all.contains(where: { $0.name == scenario.name }) {
        throw .init(entry.line, "there is a scenario '\(scenario.name)' already")
      }
      all += read
    }
    return all
  }

  /// Those of one table: of each row of its matrix, each family.
  private func scenarios(
    _ name: String, _ table: TOML.Table, _ line: Int, _ words: [Scenario.Family: [String: String]]
  ) throws(TOML.Fault) -> [Scenario] {
    var own = ScenarioTable(common)
    own.override(with: table)
    try ScenarioTable(table).refuseUnknown(besides: ["v4", "v6"], in: "a scenario")
    let rows = try own.rows
    var all: [Scenario] = []
    for row in rows {
      for family in try own.families {
        var special = own
        if let entry = table[family.rawValue] {
          let other = try ScenarioTable.table(entry)
          try ScenarioTable(other).refuseUnknown(besides: [], in: "what \(family) has of its own")
          special.override(with: other)
        }
        special.words = ScenarioTopology.words(family)
          .adding(words[family] ?? [:]).adding(row[family] ?? [:])
        var scenario = try special.scenario(name, family, line)
        scenario.place = "\(path):\(line)"
        all.append(scenario)
      }
    }
    for family in Scenario.Family.allCases {
      if let entry = table[family.rawValue], try !own.families.contains(family) {
        throw .init(entry.line, "families does not have \(family)")
      }
    }
    for fixture in try own.list("fixtures") {
      guard let at = all.firstIndex(where: { $0.makes(fixture.text) }) else {
        throw .init(
          fixture.line,
          "'\(fixture.text)' is none of this table's scenarios: "
            + all.map(\.name).joined(separator: ", ") + ", or one of them with "
            + "'\(Scenario.withoutReasons)' before its family")
      }
      all[at].fixtures.append(fixture.text)
    }
    return all
  }
}

extension Scenario {
  /// In the name of a recorded session: nftrace had no right to ask the kernel for drop reasons.
  package static let withoutReasons = "-without-reasons"

  /// Whether a recorded session of this name is one of this scenario.
  fileprivate func makes(_ fixture: String) -> Bool {
    fixture == name || fixture == "\(name.dropLast(3))\(Self.withoutReasons)-\(family)"
  }
}
