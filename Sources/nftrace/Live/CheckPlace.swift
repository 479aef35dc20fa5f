import App
import ArgumentParser
import Kernel
import Report
import Trace
import Wire

/// Where tests are asked: a copy of a network namespace, what a topology describes, or a network namespace itself.
final class CheckPlace {
  /// The namespace that the command was started in.
  private let home: ChosenNamespace
  private let space: ChosenNamespace
  private let copy: HeldCopy?
  private let loop = Loop()
  private var standing: StandingPlace?
  private var template: Ping
  /// The rules that are in force there.
  let ruleset: RulesetCoverage
  /// What it is, in words.
  let description: String
  /// Settings that are changed in the copy, which goes.
  private let settings = TemporarySettings()

  /// What is not as it is in the original.
  var differences: [String] { copy?.differences.map(\.description) ?? [] }

  /// Makes it, and enters it.
  init(
    _ topology: Topology?, _ rulesets: [RulesetText], _ shared: SharedOptions, isLive: Bool
  ) throws {
    let isRoot = Privileges.effective.isSuperset(of: [.network, .system])
    home = ChosenNamespace()
    template = try Ping.parse(["0.0.0.0"])
    template.noRehearsal = true
    let rules = rulesets.isEmpty ? "" : " with \(rulesets.map(\.path).joined(separator: ", "))"
    if isLive {
      space = try shared.chosenNamespace()
      try space.enter()
      copy = nil
      template.dryRun = true
      ruleset = RulesetCoverage(try LoadedRuleset.rules(), from: [])
      description = shared.netns.map { "network namespace \($0)" } ?? "this network namespace"
      return
    }
    template.timeout = 0.5
    if !isRoot {
      guard topology != nil || !rulesets.isEmpty else {
        throw KernelError(
          cannot: "read the rules of this network namespace",
          help:
            "It needs the rights of root: run as root (sudo). Without them, --ruleset FILE and --topology FILE "
            + "say what is asked.")
      }
    }
    if let topology {
      copy = try HeldCopy(topology, inUserNamespace: !isRoot)
      description = "the topology" + rules
    } else {
      let original = try shared.chosenNamespace()
      try original.enter()
      copy = try HeldCopy(withRules: rulesets.isEmpty, inUserNamespace: !isRoot)
      description =
        "a copy of " + (shared.netns.map { "network namespace \($0)" } ?? "this network namespace")
        + rules
    }
    space = ChosenNamespace(nil, copy!)
    try space.enter()
    for ruleset in rulesets { try LoadedRuleset.load(ruleset) }
    ruleset = RulesetCoverage(try LoadedRuleset.rules(), from: rulesets)
    let kernel = try LivePing(in: space, rights: [], isRoot: true)
    standing = try StandingPlace(
      PingNamespace(
        name: nil, in: space, settings: settings, kernel: kernel, rehearsal: Rehearsal()),
      loop: loop)
  }

  /// Goes back to where the command was started.
  func leave() throws {
    standing = nil
    if copy == nil { try settings.end() }
    try home.enter()
  }

  /// Asks one after the other.
  func ask(_ tests: [FirewallTest]) throws -> [CheckResult] {
    try tests.map { test in
      do {
        return try ask(test)
      } catch let error as UsageError {
        return CheckResult(test, obstacle: error.message)
      } catch let error as ValidationError {
        return CheckResult(test, obstacle: error.message)
      } catch let error as KernelError where error.kind == .usage {
        return CheckResult(test, obstacle: error.help ?? error.description)
      }
    }
  }

  private func ask(_ test: FirewallTest) throws -> CheckResult {
    let ping = ping(test)
    let to = Ping.Destination(address: test.destination)
    let entrance = try ping.entrances(to.address, in: copy)[0]
    defer { entrance.leave() }
    let plan = try ping.plan(entrance, to)
    if let standing {
      if test.sourcePort != nil { try Connections.flush() }
      guard let result = try standing.ask(plan, entrance: entrance.probeEntrance(plan)) else {
        return CheckResult(test, obstacle: "it was interrupted")
      }
      return CheckResult(test, plan, result, in: ruleset)
    }
    var printer = PingPrinter()
    let namespace = try PingNamespace(
      name: space.name, path: space.path, in: space, settings: settings,
      kernel: LivePing(in: space, rights: [], isRoot: true))
    var run = try PingRun(
      plan, entrance: entrance.probeEntrance(plan), masquerade: false, forward: false,
      in: [namespace], loop: loop, sink: NoSession())
    _ = try run.send(&printer, isLast: false)
    return printer.last.map { CheckResult(test, plan, $0, in: ruleset) }
      ?? CheckResult(test, obstacle: "it was interrupted")
  }

  /// The ping that a test is.
  private func ping(_ test: FirewallTest) -> Ping {
    var ping = template
    ping.dest = "\(test.destination)"
    ping.asked = test.proto
    ping.dport = test.port.map { "\($0)" }
    ping.sport = test.sourcePort.map { Int($0) }
    switch test.from {
    case .local(let source):
      ping.local = true
      ping.source = source.map { "\($0)" }
    case .behind(let device, let source):
      ping.arriving = device
      ping.source = source.map { "\($0)" }
    case .somebody(let source): ping.source = "\(source)"
    }
    return ping
  }
}
