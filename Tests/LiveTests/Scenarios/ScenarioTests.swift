import Kernel
import Testing

extension LiveTests {
  /// Every way to lose a packet, and what must be said about it. See `Scenario`.
  @Suite(
    .serialized,
    .enabled(if: ScenarioMode.isOn, "THE SCENARIOS ARE NOT RUN: NFTRACE_SCENARIOS is off"))
  struct ScenarioTests {
    @Test(arguments: ScenarioMode.selected.filter { $0.pending == nil })
    func scenario(_ scenario: Scenario) async throws {
      do {
        guard let result = try await ScenarioRunner(scenario).run() else {
          print("scenario \(scenario.name): NOT RUN, this machine cannot: \(scenario.needs!)")
          return
        }
        print("scenario", result.row)
        for miss in result.misses { Issue.record("\(scenario.name): \(miss)") }
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

    @Test func namesAreUnique() {
      let names = Scenario.all.map(\.name)
      #expect(Set(names).count == names.count)
    }
  }
}
