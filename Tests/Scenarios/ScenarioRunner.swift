import FoundationEssentials
import Kernel
import Subprocess

/// Runs one scenario in two namespaces of its own.
package struct ScenarioRunner: ~Copyable {
  private var scenario: Scenario
  private let options: Options
  private let lab: Lab

  /// How scenarios are run.
  package struct Options: Sendable {
    /// The path of nftrace.
    package var program: String
    /// Whether nftrace has the rights to ask the kernel why it drops packets.
    package var asksReasons = true
    /// Whether what nftrace says about a fault is judged, or only that it happens.
    package var judgesFindings = true
    /// Whether a copy of the namespace is asked the same, and what is to be cured is tried there first.
    package var triesCopies = false
    /// Whether nftrace tries remedies before it prints them, which takes as long as all the rest.
    package var triesRemedies = false
    /// Where the session of the probe is written.
    package var session: String?

    package init(program: String) { self.program = program }
  }

  package init(_ scenario: Scenario, _ options: Options) throws {
    let lab = try Lab.create(ScenarioTopology.lab)
    var spelled = try Self.spell(scenario, router: lab.routerName, server: lab.serverName)
    if !options.asksReasons, let errors = scenario.expected.errorsUnasked {
      spelled.expected.errors = errors
      spelled.expected.isInferred = true
    }
    if options.asksReasons { spelled.expected.mentions += spelled.expected.reasons }
    self.scenario = spelled
    self.options = options
    self.lab = lab
  }

  /// The scenario with the words that are known only when the namespaces are there.
  private static func spell(
    _ scenario: Scenario, router: String, server: String
  ) throws -> Scenario {
    let words = Words([
      "ATSERVER": "nsenter --net=/run/netns/\(server)",
      "ATCLIENT": "nsenter --net=/run/netns/\(client(router))", "CLIENT": client(router),
      "BPF": ScenarioPrograms.directory,
    ])
    var spelled = scenario
    spelled.router = try words.spell(scenario.router)
    spelled.server = try words.spell(scenario.server)
    spelled.traffic = try scenario.traffic.map { try words.spell($0) }
    spelled.needs = try scenario.needs.map { try words.spell($0) }
    return spelled
  }

  /// The name of a third namespace, for scenarios that make one.
  private static func client(_ router: String) -> String { "\(router)-c" }

  deinit {
    let client = Self.client(lab.routerName)
    if scenario.router.contains(client) { try? NetworkNamespace.remove(named: client) }
  }

  /// What came out, and what is wrong with it; nil if the machine cannot do this scenario.
  package func run() async throws -> ScenarioResult? {
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
    let report =
      if let traffic = scenario.traffic {
        try await recording(traffic)
      } else {
        try await ping(writing: options.session)
      }
    var result = ScenarioResult(scenario: scenario, report: report)
    result.judgeFacts()
    if options.triesCopies, scenario.traffic == nil {
      result.judgeCopy(
        of: report, try await ping(writing: nil, more: ["--with", "true"]), "a copy")
    }
    if options.judgesFindings {
      result.judgeFindings()
      if scenario.traffic == nil { try await applyRemedy(of: report, &result) }
    }
    return result
  }

  /// What `nftrace show` makes of traffic that a setup recorded.
  private func recording(_ traffic: String) async throws -> PingReport {
    let program = nftrace.joined(separator: " ")
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
    let session = options.session ?? "\(directory)/session.pcapng"
    try await require("mv \(directory)/recording-*.pcapng \(session)", in: lab.routerName)
    let output = try await execute(nftrace + ["show", "--json", session], in: lab.routerName)
    do {
      return PingReport(
        try JSONDecoder().decode(ShowReport.self, from: Data(output.results.utf8)))
    } catch {
      throw ScenarioFailure("show: \(output.text) \(error)")
    }
  }

  // MARK: Remedies

  /// Runs the remedy of the first error and asks again.
  private func applyRemedy(of report: PingReport, _ result: inout ScenarioResult) async throws {
    guard let remedy = report.errors.first?.remedy else { return }
    if [.none, .untried].contains(scenario.expected.remedy) { return }
    result.remedies.append(remedy)
    let tried = options.triesCopies ? try await ping(writing: nil, more: ["--with", remedy]) : nil
    let done = try await shell(remedy, in: lab.routerName)
    guard done.isSuccess else {
      result.misses.append("remedy failed: \(remedy): \(done.text)")
      return
    }
    if scenario.expected.remedy == .command { return }
    let after = try await ping(writing: nil)
    if let tried { result.judgeCopy(of: after, tried, "a copy with the remedy") }
    // Of what is tried before it is told, one that gets the probe through by itself comes first.
    if case .uncovers = scenario.expected.remedy, options.triesRemedies, after.isThrough { return }
    if case .uncovers(let second) = scenario.expected.remedy {
      if Set(after.errors.map(\.id)) != Set(second) {
        result.misses.append("after '\(remedy)': \(after.summary), not \(second)")
        return
      }
      try await applySecondRemedy(of: after, &result)
    } else if !after.isThrough {
      result.misses.append("after '\(remedy)': \(after.summary)")
    }
  }

  private func applySecondRemedy(
    of report: PingReport, _ result: inout ScenarioResult
  ) async throws {
    // What remains may be the sender's to mend.
    guard let remedy = report.errors.first?.remedy else { return }
    result.remedies.append(remedy)
    let done = try await shell(remedy, in: lab.routerName)
    let after = try await ping(writing: nil)
    if !done.isSuccess || !after.isThrough {
      result.misses.append("after second '\(remedy)': \(done.text)\(after.summary)")
    }
  }

  // MARK: Commands

  private func ping(writing file: String?, more: [String] = []) async throws -> PingReport {
    let words =
      nftrace + ["ping", "--json", "-W", scenario.timeout] + scenario.entrance
      + (options.triesRemedies ? [] : ["--no-rehearsal"]) + scenario.arguments + more
      + (file.map { ["-w", $0] } ?? []) + [scenario.destination]
    let output = try await execute(words, in: lab.routerName)
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
    try await execute(["sh", "-c", script], in: namespace)
  }

  private struct Output {
    var isSuccess: Bool
    /// Standard output.
    var results: String
    /// Standard error.
    var diagnostics: String

    var text: String { results + diagnostics }
  }

  private func execute(_ words: [String], in namespace: String) async throws -> Output {
    let result = try await Subprocess.run(
      .name("nsenter"), arguments: .init(["--net=/run/netns/\(namespace)", "--"] + words),
      output: .string(limit: 1 << 22), error: .string(limit: 1 << 16))
    return Output(
      isSuccess: result.terminationStatus.isSuccess,
      results: result.standardOutput, diagnostics: result.standardError)
  }

  /// The program. Root has what its bounding set has.
  private var nftrace: [String] {
    options.asksReasons
      ? [options.program]
      : ["setpriv", "--inh-caps=-all", "--bounding-set=-bpf,-perfmon,-sys_admin", options.program]
  }
}
