import App
import ArgumentParser
import Kernel
import Report
import Trace
import Wire

/// Asks tests' questions at a place, in which the calling thread is.
final class TestAsker {
  private let place: CheckPlace
  private let template: Ping

  /// Who asks there, with packets that are like this besides.
  init(_ place: CheckPlace, _ packet: PacketOptions? = nil) throws {
    self.place = place
    var template = try Ping.parse(["0.0.0.0"])
    if let packet { template.packet = packet }
    template.noRehearsal = true
    // In a copy whoever answers does so at once; in a network namespace itself, nothing is to leave.
    if place.copy == nil { template.dryRun = true } else { template.timeout = 0.5 }
    self.template = template
  }

  /// Asks one after the other. What is wanted of each besides depends on what was seen of it.
  func ask(
    _ tests: [FirewallTest], interest: @escaping (CheckResult) -> ProbeInterest
  ) throws -> [CheckResult] {
    var results: [CheckResult] = []
    for test in tests {
      do {
        let isTried = tried < Self.mostTried
        let asked = try ask(test) { result in
          let wanted = interest(result)
          return wanted == .remedy && !isTried ? .cause : wanted
        }
        guard let result = asked else { break }
        if interest(result) == .remedy { tried += 1 }
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

  /// Tests of which it was tried what helps, and how many that are at most: each takes a tenth of a second.
  private var tried = 0
  private static let mostTried = 20

  /// The exit code of who was interrupted by a signal while it asked; nil for who was not.
  private(set) var interrupted: Int32?

  /// Ends the program where it was interrupted, for nothing is told of half an answer.
  func exitIfInterrupted() throws {
    guard let interrupted else { return }
    try place.leave()
    Output.complain("interrupted")
    Output.exit(interrupted)
  }

  private func ask(
    _ test: FirewallTest, _ interest: @escaping (CheckResult) -> ProbeInterest
  ) throws -> CheckResult? {
    let ping = ping(test)
    if case .local(let source?) = test.from, try !HerePlace(proto: .tcp).isOwn(source) {
      throw UsageError(
        "\(source) is no address of this host, which 'from: local \(source)' would send from")
    }
    if let out = test.expected.out {
      var routes = try RouteSocket()
      if let absence = try routes.absence(of: out) { throw UsageError("'out: \(out)': \(absence)") }
    }
    let to = Ping.Destination(address: test.destination)
    let entrance = try ping.open(choice(test, ping), to.address, in: place.copy)
    defer { entrance.leave() }
    let plan = try ping.plan(entrance, to, CommandTrace.another())
    if let standing = place.standing {
      if test.sourcePort != nil { try Connections.flush() }
      let (result, code) = try standing.ask(plan, entrance: entrance.probeEntrance(plan)) {
        [ruleset = place.ruleset] result in
        interest(CheckResult(test, plan, result, in: ruleset))
      }
      return taken(test, plan, result, code)
    }
    var printer = PingPrinter()
    let namespace = try PingNamespace(
      name: place.space.name, path: place.space.path, in: place.space, settings: place.settings,
      kernel: LivePing(in: place.space, rights: [], isRoot: true))
    var run = try PingRun(
      plan, entrance: entrance.probeEntrance(plan), masquerade: false, forward: false,
      in: [namespace], loop: place.loop, sink: NoSession())
    let code = try run.send(&printer, isLast: false)
    return taken(test, plan, printer.last, code)
  }

  /// What came of a test; nil where a signal came before that was known.
  private func taken(
    _ test: FirewallTest, _ plan: ProbePlan, _ result: ProbeResult?, _ code: Int32
  ) -> CheckResult? {
    if code >= 128 { interrupted = code }
    return code >= 128 ? nil : result.map { CheckResult(test, plan, $0, in: place.ruleset) }
  }

  /// Where it enters: that follows from who asks.
  private func choice(_ test: FirewallTest, _ ping: Ping) throws -> EntranceChoice {
    let asker = Asker(from: test.from, proto: "\(test.proto)", version: test.destination.family)
    // Who is far away may come in by the uplink that has the address which is asked for.
    if let known = choices[asker], known.isWhereverItGoes { return known }
    let choice = try ping.choices(test.destination)[0]
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
    ping.packet.sport = test.sourcePort.map { Int($0) }
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
