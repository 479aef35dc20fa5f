extension ScenarioTable {
  /// The scenario of one family, its words replaced.
  func scenario(
    _ name: String, _ family: Scenario.Family, _ line: Int
  ) throws(TOML.Fault) -> Scenario {
    var scenario = Scenario(
      name: "\(try spell(name, line))-\(family)", family: family, expected: try expectation(line))
    if let nat = try text("nat", of: Scenario.NAT.allCases.map(\.rawValue)) {
      scenario.nat = Scenario.NAT(rawValue: nat) ?? .nft
    }
    scenario.router = try text("router") ?? ""
    scenario.server = try text("server") ?? ""
    scenario.traffic = try text("traffic")
    if let entrance = try arguments("entrance") { scenario.entrance = entrance }
    if let arguments = try arguments("arguments") { scenario.arguments = arguments }
    scenario.destination = try spell(scenario.destination, line)
    if let destination = try text("destination") { scenario.destination = destination }
    if let timeout = try number("timeout") { scenario.timeout = timeout }
    scenario.needs = try text("needs")
    scenario.pending = try text("pending")
    if scenario.traffic != nil {
      for key in ["entrance", "arguments", "destination", "timeout"] where has(key) {
        throw .init(
          self.line(key), "'\(key)' is of a probe, and 'traffic' is recorded instead of one")
      }
    }
    return scenario
  }

  private func expectation(_ line: Int) throws(TOML.Fault) -> Expectation {
    guard let outcome = try text("outcome", of: Expectation.outcomes) else {
      throw .init(
        line, "'outcome' is missing: " + Expectation.outcomes.joined(separator: ", "))
    }
    if (outcome == "recorded") != has("traffic") {
      throw .init(
        self.line("outcome"), "the outcome of 'traffic', and of nothing else, is 'recorded'")
    }
    var expected = Expectation(outcome: outcome)
    expected.lastSeen = try lastSeen()
    expected.errors = try list("errors").map(\.text)
    expected.warnings = try list("warnings").map(\.text)
    expected.notes = try list("notes").map(\.text)
    if has("may-note") { expected.mayNote = Set(try list("may-note").map(\.text)) }
    expected.at = try place()
    expected.mentions = try list("mentions").map(\.text)
    expected.reasons = try list("reasons").map(\.text)
    expected.remedy = try remedy()
    if has("errors-without-reasons") {
      expected.errorsUnasked = try list("errors-without-reasons").map(\.text)
    }
    expected.isInferred = try boolean("inferred")
    if expected.errors.isEmpty {
      for key in ["at", "mentions", "reasons", "inferred", "uncovers"] where has(key) {
        throw .init(self.line(key), "'\(key)' is said of 'errors', and there are none")
      }
    }
    return expected
  }

  private static let hooks = [
    "ingress", "prerouting", "input", "forward", "output", "postrouting", "egress",
  ]

  private func lastSeen() throws(TOML.Fault) -> String? {
    guard let text = try text("last-seen") else { return nil }
    let words = text.split(separator: " ").map(String.init)
    if text != "nothing",
      words.count != 2 || !["request", "reply"].contains(words[0]) || !Self.hooks.contains(words[1])
    {
      throw .init(
        line("last-seen"),
        "'\(text)': 'nothing', or 'request' or 'reply' and a hook: "
          + Self.hooks.joined(separator: ", "))
    }
    return text
  }

  /// `at = { hook, table, chain, rule }`.
  private func place() throws(TOML.Fault) -> Expectation.Place? {
    guard let entry = entry("at") else { return nil }
    var parts: [String: String] = [:]
    for (key, value) in try Self.table(entry).entries {
      guard ["hook", "table", "chain", "rule"].contains(key), case .text(let text) = value.value
      else { throw .init(value.line, Self.placeRule) }
      parts[key] = try spell(text, value.line)
    }
    guard let hook = parts["hook"], let table = parts["table"], let chain = parts["chain"] else {
      throw .init(entry.line, Self.placeRule)
    }
    if !Self.hooks.contains(hook) {
      throw .init(
        entry.line, "'\(hook)' is no hook: " + Self.hooks.joined(separator: ", "))
    }
    return .init(hook: hook, table: table, chain: chain, rule: parts["rule"])
  }

  private static let placeRule =
    "'at' is { hook = \"…\", table = \"…\", chain = \"…\", rule = \"a part of it\" }; "
    + "the rule may be missing"

  private func remedy() throws(TOML.Fault) -> Expectation.Remedy {
    if has("uncovers") {
      if has("remedy") {
        throw .init(line("remedy"), "'uncovers' says what the remedy does: 'remedy' is too much")
      }
      return .uncovers(try list("uncovers").map(\.text))
    }
    return switch try text("remedy", of: ["none", "optional", "cures", "command", "untried"]) {
    case "none": .none
    case "cures": .cures
    case "command": .command
    case "untried": .untried
    default: .optional
    }
  }
}
