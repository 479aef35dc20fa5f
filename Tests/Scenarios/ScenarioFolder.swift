package import FoundationEssentials

/// All files of `scenarios/`.
package enum ScenarioFolder {
  /// Of the repository that this was built from.
  package static let path = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().appending(path: "scenarios")

  /// Every scenario there is, in the order of the files' names. Names are unique.
  package static func scenarios() throws -> [Scenario] {
    var all: [Scenario] = []
    var places: [String: String] = [:]
    for file in try files() {
      let text = String(decoding: try Data(contentsOf: path.appending(path: file)), as: UTF8.self)
      let found = try ScenarioFile.scenarios(text, path: "scenarios/\(file)")
      for scenario in found {
        if let other = places.updateValue(scenario.place, forKey: scenario.name) {
          throw ScenarioFailure(
            "\(scenario.place): there is a scenario '\(scenario.name)' already, in \(other)")
        }
      }
      all += found
    }
    return all
  }

  /// Their paths below the folder.
  package static func files() throws -> [String] {
    let names = try FileManager.default.subpathsOfDirectory(atPath: path.path)
    return names.filter { $0.hasSuffix(".toml") }.sorted()
  }
}
