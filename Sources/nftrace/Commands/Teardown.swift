import App
import ArgumentParser
import Kernel
import Report
import Trace
import Wire

struct Teardown: ParsableCommand {
  static let configuration = CommandConfiguration(
    _superCommandName: Nftrace.name,
    abstract: "Remove what setup made.",
    discussion: """
      The inverse of 'nftrace setup': ends the recorder, removes the tables and the TUN device that \
      setup made, and sets the sysctls back that it changed. With subnets only these are watched no \
      longer; the last one takes everything with it. The recording stays for 'nftrace show', \
      and beyond the next setup, which says where; 'nftrace recordings' removes it. Where nothing \
      is set up, nothing is done.
      """)

  @Argument(
    help: ArgumentHelp("The subnets to watch no longer. Default: all.", valueName: "subnet"))
  var subnets: [String] = []

  @OptionGroup var shared: SharedOptions

  /// Nanoseconds that the recorder has to write what it still has.
  private static let patience: UInt64 = 5_000_000_000

  mutating func validate() throws { _ = try Setup.parse(subnets: subnets) }

  func run() throws {
    let spaces = try shared.chosenNamespaces()
    try StateDirectory.make()
    // The second for namespaces, and what a lab that died left of them.
    try Privileges.keep([.network, .system], writing: [StateDirectory.path])
    let lock = try SetupFiles.lock()
    let loop = Loop()
    var done: [(name: String?, members: [(String, JSONValue)])] = []
    var failures: [any Error] = []
    for space in spaces {
      do {
        let result = try space.within(among: spaces) {
          try tearDown(name: spaces.count > 1 ? space.name : nil)
        }
        done.append((space.name, result.members))
        if !shared.json { try result.print(shared) }
      } catch {
        // The others are torn down all the same.
        failures.append(error)
      }
    }
    if shared.json, !done.isEmpty || failures.isEmpty {
      try Output.print(NamespaceJSON.object("teardown", done, of: spaces.count))
    }
    _ = lock
    _ = loop
    for failure in failures.dropFirst() {
      if let located = failure as? NamespaceFailure {
        Output.complain("in the network namespace \(located.name): \(located.error)")
      }
    }
    if let first = failures.first { throw first }
  }

  /// What was done in the calling thread's namespace.
  private func tearDown(name: String?) throws -> TeardownResult {
    let setupFiles = try SetupFiles.current()
    try setupFiles.clearStale().say(isNeeded: true)
    let wanted = try Setup.parse(subnets: subnets)
    guard let state = try setupFiles.load() else { return try removeLeftovers(setupFiles, name) }
    var rest = state.prefixes
    let removed = wanted.isEmpty ? rest.prefixes : rest.remove(wanted.prefixes)
    if !wanted.isEmpty {
      for prefix in wanted.prefixes where !removed.contains(prefix) {
        let larger = rest.larger(than: prefix).map { ", but is part of \($0), which is" } ?? ""
        let whose = name.map { " of \($0)" } ?? ""
        Output.complain("\(prefix) is not set up here\(whose)\(larger)")
      }
    }
    if wanted.isEmpty || rest.isEmpty { return try removeAll(state, setupFiles, name) }
    if removed.isEmpty {
      return TeardownResult(
        name: name, headline: "nothing to do", state: state, recorder: try setupFiles.recorder())
    }
    return try remove(removed, state, rest, setupFiles, name)
  }

  /// No state that can be read, and yet tables or more: of a setup that was killed, or whose state
  /// was removed or damaged. Its journals and its recorder are found without it.
  private func removeLeftovers(_ setupFiles: SetupFiles, _ name: String?) throws -> TeardownResult {
    var rules = try RulesetReader()
    let hasTables = try !SetupTables.families(&rules).isEmpty
    let unknown = try setupFiles.unknownSetup()
    guard hasTables || unknown != nil else {
      return TeardownResult(
        name: name, headline: "nothing to do: nothing is set up here", changed: false)
    }
    let (recorder, _, failure) = removeEverything(setupFiles, try setupFiles.journals())
    if let failure { throw failure }
    try setupFiles.forget()
    if let unknown { Output.complain(StyledLine(unknown)) }
    return TeardownResult(
      name: name,
      headline: unknown == nil
        ? "removed tables \(SetupTables.name) that nobody knew of" : "took back what it had made",
      changed: true, recorder: recorder)
  }

  private func remove(
    _ removed: [Prefix], _ state: SetupState, _ rest: Subnets, _ setupFiles: SetupFiles,
    _ name: String?
  ) throws -> TeardownResult {
    var state = state
    state.subnets = rest.texts
    try SetupTables.install(&state, around: .read(), by: LiveSetup(Loop()))
    try setupFiles.save(state)
    return TeardownResult(
      name: name,
      headline: "no longer watching \(removed.map(\.description).joined(separator: ", ")); "
        + "still \(rest.texts.joined(separator: ", "))", changed: true, removed: removed,
      state: state, recorder: try setupFiles.recorder())
  }

  private func removeAll(
    _ state: SetupState, _ setupFiles: SetupFiles, _ name: String?
  ) throws -> TeardownResult {
    let journals =
      try state.journals + setupFiles.journals().filter { !state.journals.contains($0) }
    let (recorder, left, failure) = removeEverything(setupFiles, journals)
    if let failure {
      var state = state
      state.journals = left
      try setupFiles.save(state)
      throw failure
    }
    try setupFiles.forget()
    return TeardownResult(
      name: name, headline: "no longer watching \(state.subnets.joined(separator: ", "))",
      changed: true, removed: state.prefixes.prefixes, recorder: recorder)
  }

  /// Ends the recorder, removes the tables and undoes these journals, each whatever the others did.
  /// Returns the recorder as it ended, the journals that are left, and the first error.
  private func removeEverything(
    _ setupFiles: SetupFiles, _ journals: [String]
  ) -> (recorder: RecorderState?, left: [String], failure: KernelError?) {
    // First of all: it would install the tables again.
    var recorder: RecorderState?
    var failure: KernelError?
    do throws(KernelError) {
      try setupFiles.recorder()?.living?.stop(patience: Self.patience)
      recorder = try setupFiles.recorder()
      try SetupTables.remove()
    } catch {
      failure = error
    }
    var left: [String] = []
    for name in journals.reversed() {
      let path = "\(StateDirectory.path)/\(name)"
      do {
        try GuardedJournal.undo(path)
      } catch {
        failure = failure ?? error
        left.insert(name, at: 0)
      }
    }
    return (recorder, left, failure)
  }
}

/// What a teardown did in a namespace.
private struct TeardownResult {
  /// The namespace's, where there are several.
  var name: String?
  var headline: String
  var changed = false
  var removed: [Prefix] = []
  /// What is left.
  var state: SetupState?
  var recorder: RecorderState?

  func print(_ options: SharedOptions) throws(KernelError) {
    try Output.print(StyledLine((name.map { "\($0): " } ?? "") + headline))
    if let recorder, state == nil, !options.quiet {
      try Output.print("  recorded \(RecordCommand.summary(recorder))")
      if let reason = recorder.reason { try Output.print("  the recorder \(reason)") }
    }
  }

  var members: [(String, JSONValue)] {
    [
      ("changed", .bool(changed)), ("removed", .array(removed.map { .string("\($0)") })),
      ("remaining", .array((state?.subnets ?? []).map { .string($0) })),
      ("session", .string(recorder?.session)),
      ("recorder", recorder.map(SetupJSON.json) ?? .null),
    ]
  }
}
