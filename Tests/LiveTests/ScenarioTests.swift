import Foundation
import Kernel
import Scenarios
import Testing

/// What is asked of the scenarios: set by environment variables, which `scripts/scenarios` does.
enum ScenarioMode {
  /// NFTRACE_SCENARIOS=facts: only that the faults are what they are called.
  /// NFTRACE_SCENARIOS=findings, and by default: also what nftrace says about them.
  /// NFTRACE_SCENARIOS=off: for who works on something else and cannot wait some minutes.
  static let judges = ProcessInfo.processInfo.environment["NFTRACE_SCENARIOS"] ?? "findings"
  /// Only scenarios whose names have this in them.
  static let filter = ProcessInfo.processInfo.environment["NFTRACE_SCENARIO"]

  /// NFTRACE_WITHOUT_DROP_REASONS=1: nftrace runs without the rights to ask the kernel why it drops
  /// packets.
  static let asksReasons =
    ProcessInfo.processInfo.environment["NFTRACE_WITHOUT_DROP_REASONS"] == nil

  static let isOn = judges != "off"

  static let all = Result { try ScenarioFolder.scenarios() }

  static let selected: [Scenario] = ((try? all.get()) ?? []).filter { scenario in
    filter.map { scenario.name.contains($0) } ?? true
  }

  static var options: ScenarioRunner.Options {
    var options = ScenarioRunner.Options(program: Programs.nftrace)
    options.asksReasons = asksReasons
    options.judgesFindings = judges == "findings"
    return options
  }
}

extension LiveTests {
  /// Every way to lose a packet, and what must be said about it: the files of `scenarios/`.
  @Suite(
    .serialized,
    .enabled(if: ScenarioMode.isOn, "THE SCENARIOS ARE NOT RUN: NFTRACE_SCENARIOS is off"))
  struct ScenarioTests {
    @Test(arguments: ScenarioMode.selected.filter { $0.pending == nil })
    func scenario(_ scenario: Scenario) async throws {
      do {
        guard let result = try await ScenarioRunner(scenario, ScenarioMode.options).run() else {
          print("scenario \(scenario.name): NOT RUN, this machine cannot: \(scenario.needs!)")
          return
        }
        print("scenario", result.row)
        for miss in result.misses {
          Issue.record("\(scenario.name) (\(scenario.place)): \(miss)")
        }
      } catch {
        print("scenario \(scenario.name) MISS  could not be built: \(error)")
        throw error
      }
    }

    /// Those that cannot be run yet are not passed over in silence.
    @Test func pending() {
      for scenario in ScenarioMode.selected {
        if let reason = scenario.pending {
          print("scenario \(scenario.name): PENDING, needs \(reason)")
        }
      }
    }

    @Test func filesAreRead() throws {
      let all = try ScenarioMode.all.get()
      #expect(all.count >= 598)
    }
  }
}
