import Foundation
import Scenarios

/// Runs scenarios by name: `scripts/scenario` says how.
@main
struct ScenarioCommand {
  private var patterns: [String] = []
  private var lists = false
  private var options = ScenarioRunner.Options(program: program)
  private var folder: String?

  static func main() async throws {
    do {
      var command = try ScenarioCommand(CommandLine.arguments.dropFirst())
      try await command.run()
    } catch let error as ScenarioFile.Fault {
      Self.end("\(error)", 2)
    } catch let error as ScenarioFailure {
      Self.end("\(error)", 2)
    }
  }

  private init(_ arguments: ArraySlice<String>) throws {
    var rest = arguments
    while let word = rest.popFirst() {
      switch word {
      case "-l": lists = true
      case "--facts": options.judgesFindings = false
      case "--without-drop-reasons": options.asksReasons = false
      case "--trials": options.triesRemedies = true
      case "--copies": options.triesCopies = true
      case "--record": folder = rest.popFirst()
      case _ where word.hasPrefix("-"): throw ScenarioFailure("no option: \(word)")
      default: patterns.append(word)
      }
    }
  }

  private mutating func run() async throws {
    let chosen = try choose()
    if lists {
      for scenario in chosen {
        let errors = scenario.expected.errors + scenario.expected.notes
        print(
          Self.padded(scenario.name, 44), Self.padded(errors.joined(separator: ","), 30),
          scenario.place)
      }
      return
    }
    if let folder { return try await record(chosen, in: folder) }
    var failed = 0
    for scenario in chosen where try await !tell(scenario) { failed += 1 }
    if chosen.count > 1 { print("\(chosen.count - failed) of \(chosen.count) as expected") }
    if failed > 0 { Self.end(nil, 1) }
  }

  /// Those that the patterns name, or all.
  private func choose() throws -> [Scenario] {
    let all = try ScenarioFolder.scenarios()
    if patterns.isEmpty {
      guard lists || folder != nil else {
        throw ScenarioFailure("which scenario? -l lists them")
      }
      return all
    }
    for pattern in patterns where !all.contains(where: { Self.names($0, pattern) }) {
      throw ScenarioFailure("no scenario is called '\(pattern)'; -l lists them")
    }
    return all.filter { scenario in patterns.contains { Self.names(scenario, $0) } }
  }

  /// Whether a pattern is the scenario's name, with or without its family, or one of its fixtures'.
  private static func names(_ scenario: Scenario, _ pattern: String) -> Bool {
    ([scenario.name, String(scenario.name.dropLast(3))] + scenario.fixtures).contains {
      Glob(pattern).matches($0)
    }
  }

  // MARK: One scenario

  /// Runs one and prints what was done and seen; whether all was as expected.
  private func tell(_ scenario: Scenario) async throws -> Bool {
    print("\(scenario.name)  \(scenario.place)")
    Self.tell("in the server", scenario.server)
    Self.tell("in the router (nat: \(scenario.nat))", scenario.router)
    if let reason = scenario.pending {
      print("  PENDING, needs \(reason)")
      return true
    }
    if let traffic = scenario.traffic {
      Self.tell("recorded by a setup", traffic)
    } else {
      let words = scenario.entrance + scenario.arguments + [scenario.destination]
      print("  nftrace ping -W \(scenario.timeout) \(words.joined(separator: " "))")
    }
    let result: ScenarioResult?
    do {
      result = try await ScenarioRunner(scenario, options).run()
    } catch {
      print("  MISS  could not be built: \(error)")
      return false
    }
    guard let result else {
      print("  NOT RUN, this machine cannot: \(scenario.needs ?? "")")
      return true
    }
    for (what, expected, found) in result.comparison {
      print("  \(Self.padded(what, 10)) expected \(expected)")
      print("  \(Self.padded("", 10)) found    \(found)")
    }
    for remedy in result.remedies { print("  remedy run: \(remedy)") }
    for miss in result.misses { print("  MISS  \(miss)") }
    if !result.misses.isEmpty { for line in result.said { print("  said  \(line)") } }
    if result.misses.isEmpty { print("  ok") }
    return result.misses.isEmpty
  }

  private static func tell(_ what: String, _ lines: String) {
    if lines.isEmpty { return }
    print("  \(what):")
    for line in lines.split(separator: "\n") { print("    \(line)") }
  }

  // MARK: Fixtures

  /// Records the sessions that scenarios make of themselves.
  private func record(_ chosen: [Scenario], in folder: String) async throws {
    var failed = 0
    for scenario in chosen {
      for fixture in scenario.fixtures where patterns.isEmpty || isAsked(fixture, of: scenario) {
        var own = options
        own.judgesFindings = false
        own.asksReasons = !fixture.contains(Scenario.withoutReasons)
        own.session = "\(folder)/\(fixture).pcapng"
        do {
          guard let result = try await ScenarioRunner(scenario, own).run() else {
            print("\(fixture): NOT RECORDED, this machine cannot: \(scenario.needs ?? "")")
            continue
          }
          for miss in result.misses { print("\(fixture): MISS  \(miss)") }
          if result.misses.isEmpty { print("\(fixture): recorded") } else { failed += 1 }
        } catch {
          print("\(fixture): could not be built: \(error)")
          failed += 1
        }
      }
    }
    if failed > 0 { Self.end(nil, 1) }
  }

  private func isAsked(_ fixture: String, of scenario: Scenario) -> Bool {
    patterns.contains { pattern in
      Glob(pattern).matches(fixture) || Glob(pattern).matches(String(fixture.dropLast(3)))
    }
  }

  // MARK: Process

  /// nftrace, which was built beside this.
  private static var program: String {
    let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
    return own.split(separator: "/", omittingEmptySubsequences: false).dropLast()
      .joined(separator: "/") + "/nftrace"
  }

  private static func end(_ message: String?, _ code: Int32) -> Never {
    if let message { try? FileHandle.standardError.write(contentsOf: Data((message + "\n").utf8)) }
    exit(code)
  }

  private static func padded(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
  }
}
