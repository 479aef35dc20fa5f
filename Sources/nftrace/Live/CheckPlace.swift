import App
import ArgumentParser
import Kernel
import Report
import Trace
import Wire

/// Where tests are asked: a copy of a network namespace, what a topology describes, or a network namespace itself.
final class CheckPlace {
  /// Where the command was, or where it has rights.
  private let home: HeldNamespace
  private let space: ChosenNamespace
  private let copy: HeldCopy?
  private let loop = Loop()
  private var standing: StandingPlace?
  private var template: Ping
  /// The rules that are in force there.
  let ruleset: RulesetCoverage
  /// Where that is, without the rules: "a copy of this network namespace".
  let `where`: String
  /// What it is, in words.
  var description: String { `where` + rules }
  private let rules: String
  /// Settings that are changed in the copy, which goes.
  private let settings = TemporarySettings()

  /// What is not as it is in the original.
  var differences: [String] { copy?.differences.map(\.description) ?? [] }

  private static var isRoot: Bool { Privileges.effective.isSuperset(of: [.network, .system]) }

  /// Throws where there are no rights to do this.
  static func needsRoot(_ attempt: String) throws {
    guard !isRoot else { return }
    throw KernelError(
      cannot: attempt,
      help: "It needs the rights of root: run as root (sudo). With --topology FILE it goes without."
    )
  }

  /// Makes it, enters it, and runs commands there. Throws where one of them fails.
  init(
    _ topology: Topology?, _ rulesets: [RulesetText], _ shared: SharedOptions, isLive: Bool,
    commands: [String] = []
  ) throws {
    let isRoot = Self.isRoot
    template = try Ping.parse(["0.0.0.0"])
    template.noRehearsal = true
    rules = rulesets.isEmpty ? "" : " with \(rulesets.map(\.path).joined(separator: ", "))"
    if isLive {
      home = try HeldNamespace("/proc/thread-self/ns/net")
      space = try shared.chosenNamespace()
      try space.enter()
      copy = nil
      template.dryRun = true
      ruleset = RulesetCoverage(try LoadedRuleset.rules(), from: [])
      `where` = shared.netns.map { "network namespace \($0)" } ?? "this network namespace"
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
      `where` = "the topology"
    } else {
      let original = try shared.chosenNamespace()
      try original.enter()
      copy = try HeldCopy(withRules: rulesets.isEmpty, inUserNamespace: !isRoot)
      `where` =
        "a copy of " + (shared.netns.map { "network namespace \($0)" } ?? "this network namespace")
    }
    home = try HeldNamespace("/proc/thread-self/ns/net")
    space = ChosenNamespace(nil, copy!)
    try space.enter()
    for ruleset in rulesets { try LoadedRuleset.load(ruleset) }
    for command in commands {
      let (code, output) = try ChildProcess.shell(command)
      guard code == 0 else { throw UsageError("'\(command)' fails: \(output)") }
    }
    ruleset = RulesetCoverage(try LoadedRuleset.rules(), from: rulesets)
    let kernel = try LivePing(in: space, rights: [], isRoot: true)
    standing = try StandingPlace(
      PingNamespace(
        name: nil, in: space, settings: settings, kernel: kernel, rehearsal: copy!.rehearsal()),
      loop: loop)
  }

  /// Goes back to where the command was started.
  func leave() throws {
    standing = nil
    if copy == nil { try settings.end() }
    try home.enter()
  }

  /// Questions at the edges of what the rules here speak of.
  func guesses() throws -> [FirewallTest] {
    var routes = try RouteSocket()
    let addresses = try routes.addresses()
    let ways = try routes.routes().filter { $0.destination.length == 0 }.map(\.outputInterface)
    let links = try routes.links().filter {
      !$0.flags.contains(.loopback) && $0.flags.contains(.up)
    }
    return Guesses(
      links.filter { link in link.master == nil || addresses.contains { $0.interface == link.index }
      }
      .map { link in
        Guesses.Interface(
          name: link.name,
          addresses: addresses.filter {
            $0.interface == link.index && !$0.local.address.isLinkLocal
          }
          .map(\.local),
          isUplink: ways.contains(link.index))
      }
    ).questions(about: ruleset.rules, sets: LoadedRuleset.sets())
  }

  /// What there is around a lost probe that might be otherwise.
  func surroundings(_ result: ProbeResult) throws -> ChangeSearch {
    var routes = try RouteSocket()
    var settings: [String: String] = [:]
    let request = result.exchange.request
    let version = request?.packet.source.family ?? 4
    for (name, _) in ChangeSearch.settings(version: version, input: request?.inDevice) {
      settings[name] = try? Sysctl(path: name)?.read()
    }
    return ChangeSearch(
      ruleset: ruleset, iptables: try LoadedRuleset.iptablesTables(), sets: LoadedRuleset.sets(),
      settings: settings, policyRules: try routes.rules(),
      downInterfaces: try routes.links().filter { !$0.flags.contains(.up) }.map(\.name))
  }

  /// Asks one after the other. Why something became of a probe, the kernel is asked unless what was seen `isEnough`.
  func ask(
    _ tests: [FirewallTest], isEnough: @escaping (CheckResult) -> Bool
  ) throws -> [CheckResult] {
    var results: [CheckResult] = []
    for test in tests {
      do {
        guard let result = try ask(test, isEnough) else { break }
        results.append(result)
      } catch let error as UsageError {
        results.append(CheckResult(test, obstacle: error.message))
      } catch let error as ValidationError {
        results.append(CheckResult(test, obstacle: error.message))
      } catch let error as KernelError where error.kind == .usage {
        results.append(CheckResult(test, obstacle: error.help ?? error.description))
      }
    }
    return results
  }

  /// The exit code of who was interrupted by a signal while it asked; nil for who was not.
  private(set) var interrupted: Int32?

  /// Ends the program where it was interrupted, for nothing is told of half an answer.
  func exitIfInterrupted() throws {
    guard let interrupted else { return }
    try leave()
    Output.complain("interrupted")
    Output.exit(interrupted)
  }

  private func ask(
    _ test: FirewallTest, _ isEnough: @escaping (CheckResult) -> Bool
  ) throws -> CheckResult? {
    let ping = ping(test)
    if case .local(let source?) = test.from, try !HerePlace(proto: .tcp).isOwn(source) {
      throw UsageError(
        "\(source) is no address of this host, which 'from: local \(source)' would send from")
    }
    let to = Ping.Destination(address: test.destination)
    let entrance = try ping.open(choice(test, ping), to.address, in: copy)
    defer { entrance.leave() }
    let plan = try ping.plan(entrance, to)
    if let standing {
      if test.sourcePort != nil { try Connections.flush() }
      let (result, code) = try standing.ask(plan, entrance: entrance.probeEntrance(plan)) {
        [ruleset] result in
        isEnough(CheckResult(test, plan, result, in: ruleset))
      }
      return taken(test, plan, result, code)
    }
    var printer = PingPrinter()
    let namespace = try PingNamespace(
      name: space.name, path: space.path, in: space, settings: settings,
      kernel: LivePing(in: space, rights: [], isRoot: true))
    var run = try PingRun(
      plan, entrance: entrance.probeEntrance(plan), masquerade: false, forward: false,
      in: [namespace], loop: loop, sink: NoSession())
    let code = try run.send(&printer, isLast: false)
    return taken(test, plan, printer.last, code)
  }

  /// What came of a test; nil where a signal came before that was known.
  private func taken(
    _ test: FirewallTest, _ plan: ProbePlan, _ result: ProbeResult?, _ code: Int32
  ) -> CheckResult? {
    if code >= 128 { interrupted = code }
    return code >= 128 ? nil : result.map { CheckResult(test, plan, $0, in: ruleset) }
  }

  /// Where it enters: that follows from who asks.
  private func choice(_ test: FirewallTest, _ ping: Ping) throws -> EntranceChoice {
    let asker = Asker(from: test.from, proto: "\(test.proto)", version: test.destination.family)
    if let known = choices[asker] { return known }
    let choice = try ping.choices(asker.version)[0]
    choices[asker] = choice
    return choice
  }

  private struct Asker: Hashable {
    var from: FirewallTest.Origin
    var proto: String
    var version: Int
  }

  private var choices: [Asker: EntranceChoice] = [:]

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
