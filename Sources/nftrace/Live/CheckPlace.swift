import App
import ArgumentParser
import Kernel
import Report
import Trace
import Wire

/// Where tests are asked, for as long as it stands: a copy of a network namespace, what a topology describes, or a network namespace itself.
final class CheckPlace {
  /// Where the command was, or where it has rights.
  private let home: HeldNamespace
  let space: ChosenNamespace
  let copy: HeldCopy?
  let loop = Loop()
  /// What watches all that goes there; nil in a network namespace itself, in which others send as well.
  private(set) var standing: StandingPlace?
  /// The rules that are in force there.
  let ruleset: RulesetCoverage
  /// Where that is, without the rules: "a copy of this network namespace".
  let whereabouts: String
  /// What it is, in words.
  var description: String { whereabouts + rules }
  private let rules: String
  /// Settings that are changed in the copy, which goes.
  let settings = TemporarySettings()

  /// What is not as it is in the original.
  var differences: [String] { copy?.differences.map(\.description) ?? [] }

  /// Whether the rights of root are here: in a user namespace there may be some that are none over this network namespace.
  private static var isRoot: Bool {
    Privileges.effective.isSuperset(of: [.network, .system])
      && (try? HeldNamespace("/proc/thread-self/ns/net").enter()) != nil
  }

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
    rules = rulesets.isEmpty ? "" : " with \(rulesets.map(\.path).joined(separator: ", "))"
    if isLive {
      home = try HeldNamespace("/proc/thread-self/ns/net")
      space = try shared.chosenNamespace()
      try space.enter()
      copy = nil
      ruleset = RulesetCoverage(try LoadedRuleset.rules(), from: [])
      whereabouts = shared.netns.map { "network namespace \($0)" } ?? "this network namespace"
      return
    }
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
      whereabouts = "the topology"
    } else {
      let original = try shared.chosenNamespace()
      try original.enter()
      copy = try HeldCopy(withRules: rulesets.isEmpty, inUserNamespace: !isRoot)
      whereabouts =
        "a copy of " + (shared.netns.map { "network namespace \($0)" } ?? "this network namespace")
    }
    home = try HeldNamespace("/proc/thread-self/ns/net")
    space = ChosenNamespace(nil, copy!)
    try space.enter()
    NamespaceCopy.answerAll()
    for ruleset in rulesets { try LoadedRuleset.load(ruleset) }
    for command in commands {
      let (code, output) = try NamespaceCopy.run(command)
      guard code == 0 else { throw UsageError("'\(command)' fails: \(output)") }
    }
    ruleset = RulesetCoverage(try LoadedRuleset.rules(), from: rulesets)
    let kernel = try LivePing(in: space, rights: [], isRoot: true, rehearses: true)
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
}
