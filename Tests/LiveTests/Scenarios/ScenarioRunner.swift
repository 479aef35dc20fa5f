import Foundation
import Glibc
import Kernel
import Subprocess
import Testing

/// What is asked of the scenarios: set by environment variables, which `scripts/scenarios` does.
enum ScenarioMode {
  /// NFTRACE_SCENARIOS=facts: only that the faults are what they are called.
  /// NFTRACE_SCENARIOS=findings, and by default: also what nftrace says about them.
  /// NFTRACE_SCENARIOS=off: for who works on something else and cannot wait three minutes.
  static let judges = ProcessInfo.processInfo.environment["NFTRACE_SCENARIOS"] ?? "findings"
  /// Only scenarios whose names have this in them.
  static let filter = ProcessInfo.processInfo.environment["NFTRACE_SCENARIO"]
  /// Where to keep the sessions of all scenarios, as NAME.pcapng.
  static let record = ProcessInfo.processInfo.environment["NFTRACE_RECORD"]

  /// NFTRACE_WITHOUT_DROP_REASONS=1: nftrace runs without the rights to ask the kernel why it drops
  /// packets.
  static let asksReasons =
    ProcessInfo.processInfo.environment["NFTRACE_WITHOUT_DROP_REASONS"] == nil

  static let isOn = judges != "off"

  static let selected: [Scenario] = Scenario.all.filter { scenario in
    filter.map { scenario.name.contains($0) } ?? true
  }
}

/// BPF programs that drop, for who has no `tc` action to do it.
enum ScenarioPrograms {
  /// There while a scenario runs that speaks of it.
  static let directory = "/tmp/nftrace-scenarios-\(getpid())"

  /// A shell script that makes them with the clang of the Swift toolchain, if it is there.
  static let build = """
    mkdir -p \(directory)
    clang=$(dirname "$(readlink -f "$(command -v swift)")")/clang
    [ -x "$clang" ] || clang=$(command -v clang) || exit 0
    cat >\(directory)/drop.c <<'END'
    __attribute__((section("xdp"), used)) int xdp_drop(void *c) { return 1; }
    __attribute__((section("classifier"), used)) int tc_drop(void *c) { return 2; }
    char _license[] __attribute__((section("license"), used)) = "GPL";
    END
    "$clang" -target bpf -O2 -c \(directory)/drop.c -o \(directory)/drop.o
    """
}

/// Runs one scenario in two namespaces of its own.
struct ScenarioRunner: ~Copyable {
  private var scenario: Scenario
  private let lab: Lab

  init(_ scenario: Scenario) throws {
    self.scenario = scenario.spelledOut
    if !ScenarioMode.asksReasons, let errors = scenario.said.errorsUnasked {
      self.scenario.said.errors = errors
      self.scenario.said.isInferred = true
    }
    lab = try Lab.create(ScenarioTopology.lab)
    self.scenario.spell([
      ("$ATSERVER", "nsenter --net=/run/netns/\(lab.serverName)"),
      ("$ATCLIENT", "nsenter --net=/run/netns/\(client)"), ("$CLIENT", client),
    ])
  }

  /// The name of a third namespace, for scenarios that make one.
  private var client: String { "\(lab.routerName)-c" }

  deinit {
    if scenario.router.contains(client) { try? NetworkNamespace.remove(named: client) }
  }

  /// What is wrong with what came out; nil if the machine cannot do this scenario.
  func run() async throws -> ScenarioResult? {
    let files = ScenarioPrograms.directory
    guard (scenario.router + (scenario.needs ?? "")).contains(files) else {
      return try await runFurnished()
    }
    try await require(ScenarioPrograms.build, in: lab.routerName)
    let result: Result<ScenarioResult?, any Error>
    do { result = .success(try await runFurnished()) } catch { result = .failure(error) }
    try await require("rm -r \(files)", in: lab.routerName)
    return try result.get()
  }

  private func runFurnished() async throws -> ScenarioResult? {
    if let needs = scenario.needs, try await !shell(needs, in: lab.routerName).isSuccess {
      return nil
    }
    try await require("set -e\n" + scenario.server, in: lab.serverName)
    try await require("set -e\n" + ScenarioTopology.preparation(scenario), in: lab.routerName)
    try await require("set -e\n" + scenario.router, in: lab.routerName)
    let file = ScenarioMode.record.map { "\($0)/\(scenario.name).pcapng" }
    let report =
      if let traffic = scenario.traffic {
        try await recording(traffic, writing: file)
      } else {
        try await ping(writing: file)
      }
    var result = ScenarioResult(scenario: scenario, report: report)
    result.judgeFacts()
    if ScenarioMode.judges == "findings" {
      result.judgeFindings()
      if scenario.traffic == nil { try await applyRemedy(of: report, &result) }
    }
    return result
  }

  /// What `nftrace show` makes of traffic that a setup recorded.
  private func recording(_ traffic: String, writing file: String?) async throws -> PingReport {
    let program = Self.nftrace.joined(separator: " ")
    let directory = "/tmp/\(lab.routerName)"
    defer { try? FileManager.default.removeItem(atPath: directory) }
    try await require(
      """
      set -e
      export NFTRACE_STATE_DIR=\(directory)
      nftrace() { \(program) "$@"; }
      nftrace setup \(ScenarioTopology.subnets) >\(directory).made
      recorder=$(sed -n 's/.*process //p' \(directory).made)
      rm \(directory).made
      \(traffic)
      nftrace teardown >/dev/null
      """, in: lab.routerName)
    let session = file ?? "\(directory)/session.pcapng"
    try await require("mv \(directory)/recording-*.pcapng \(session)", in: lab.routerName)
    let output = try await Self.execute(
      Self.nftrace + ["show", "--json", session], in: lab.routerName)
    do {
      return PingReport(
        try JSONDecoder().decode(ShowReport.self, from: Data(output.results.utf8)))
    } catch {
      throw ScenarioFailure("show: \(output.text) \(error)")
    }
  }

  /// Runs the remedy of the first error and asks again.
  private func applyRemedy(of report: PingReport, _ result: inout ScenarioResult) async throws {
    guard let remedy = report.errors.first?.remedy else { return }
    if case .none = scenario.said.remedy { return }
    let done = try await shell(remedy, in: lab.routerName)
    guard done.isSuccess else {
      result.misses.append("remedy failed: \(remedy): \(done.text)")
      return
    }
    if case .command = scenario.said.remedy { return }
    let after = try await ping(writing: nil)
    if case .uncovers(let second) = scenario.said.remedy {
      if Set(after.errors.map(\.id)) != Set(second) {
        result.misses.append("after '\(remedy)': \(after.summary), not \(second)")
        return
      }
      try await applySecondRemedy(of: after, &result)
    } else if after.probes.last?.outcome != "replied" || !after.errors.isEmpty {
      result.misses.append("after '\(remedy)': \(after.summary)")
    }
  }

  private func applySecondRemedy(
    of report: PingReport, _ result: inout ScenarioResult
  ) async throws {
    guard let remedy = report.errors.first?.remedy else {
      result.misses.append("no remedy for \(report.summary)")
      return
    }
    let done = try await shell(remedy, in: lab.routerName)
    let after = try await ping(writing: nil)
    if !done.isSuccess || after.probes.last?.outcome != "replied" || !after.errors.isEmpty {
      result.misses.append("after second '\(remedy)': \(done.text)\(after.summary)")
    }
  }

  // MARK: Commands

  private func ping(writing file: String?) async throws -> PingReport {
    let words =
      Self.nftrace + ["ping", "--json", "-W", scenario.timeout] + scenario.entrance
      + scenario.arguments + (file.map { ["-w", $0] } ?? []) + [scenario.destination]
    let output = try await Self.execute(words, in: lab.routerName)
    do {
      return try JSONDecoder().decode(PingReport.self, from: Data(output.results.utf8))
    } catch {
      throw ScenarioFailure("\(words.joined(separator: " ")): \(output.text) \(error)")
    }
  }

  private func require(_ script: String, in namespace: String) async throws {
    let result = try await shell(script, in: namespace)
    if !result.isSuccess { throw ScenarioFailure("\(script)\n\(result.text)") }
  }

  private func shell(_ script: String, in namespace: String) async throws -> Output {
    try await Self.execute(["sh", "-c", script], in: namespace)
  }

  struct Output {
    var isSuccess: Bool
    /// Standard output.
    var results: String
    /// Standard error.
    var diagnostics: String

    var text: String { results + diagnostics }
  }

  private static func execute(_ words: [String], in namespace: String) async throws -> Output {
    let result = try await Subprocess.run(
      .name("nsenter"), arguments: .init(["--net=/run/netns/\(namespace)", "--"] + words),
      output: .string(limit: 1 << 22), error: .string(limit: 1 << 16))
    return Output(
      isSuccess: result.terminationStatus.isSuccess,
      results: result.standardOutput, diagnostics: result.standardError)
  }

  /// The program, which stands beside the test bundle. Root has what its bounding set has.
  private static var nftrace: [String] {
    let program = LiveTests.JournalTests.helper.replacing("guardian-helper", with: "nftrace")
    return ScenarioMode.asksReasons
      ? [program]
      : ["setpriv", "--inh-caps=-all", "--bounding-set=-bpf,-perfmon,-sys_admin", program]
  }
}

struct ScenarioFailure: Error, CustomStringConvertible {
  var description: String
  init(_ description: String) { self.description = description }
}
