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
      longer; the last one takes everything with it. The recording stays for 'nftrace show'. Where \
      nothing is set up, nothing is done.
      """)

  @Argument(
    help: ArgumentHelp("The subnets to watch no longer. Default: all.", valueName: "subnet"))
  var subnets: [String] = []

  @OptionGroup var shared: SharedOptions

  /// Nanoseconds that the recorder has to write what it still has.
  private static let patience: UInt64 = 5_000_000_000

  mutating func validate() throws { _ = try Setup.parse(subnets: subnets) }

  func run() throws {
    try shared.enterNamespace()
    let place = try SetupPlace.current()
    try StateDirectory.make()
    let lock = try SetupPlace.lock()
    let signals = SignalWatch()
    try place.clearStale()
    let wanted = try Setup.parse(subnets: subnets)
    guard let state = place.load() else {
      try removeLeftovers()
      return
    }
    var rest = state.prefixes
    let removed = wanted.isEmpty ? rest.prefixes : rest.remove(wanted.prefixes)
    if !wanted.isEmpty {
      for prefix in wanted.prefixes where !removed.contains(prefix) {
        let larger = rest.larger(than: prefix).map { ", but is part of \($0), which is" } ?? ""
        Output.complain("\(prefix) is not set up here\(larger)")
      }
    }
    if wanted.isEmpty || rest.isEmpty {
      try removeAll(state, place)
    } else if removed.isEmpty {
      try say(changed: false, removed: [], state, place.recorder(), "nothing to do")
    } else {
      try remove(removed, state, rest, place)
    }
    _ = lock
    _ = signals
  }

  /// No state, and yet tables: of a setup that was killed, or whose state was removed by hand.
  private func removeLeftovers() throws {
    var rules = try RulesetReader()
    let hasTables = try !SetupTables.families(&rules).isEmpty
    if hasTables { try SetupTables.remove() }
    try say(
      changed: hasTables, removed: [], nil, nil,
      hasTables
        ? "removed tables \(SetupTables.name) that nobody knew of"
        : "nothing to do: nothing is set up here")
  }

  private func remove(
    _ removed: [Prefix], _ state: SetupState, _ rest: Subnets, _ place: SetupPlace
  ) throws {
    var state = state
    state.subnets = rest.texts
    var socket = try NetfilterSocket()
    try SetupTables.install(&state, around: .read(), with: &socket)
    try place.save(state)
    try say(
      changed: true, removed: removed, state, place.recorder(),
      "no longer watching \(removed.map(\.description).joined(separator: ", ")); "
        + "still \(rest.texts.joined(separator: ", "))")
  }

  private func removeAll(_ state: SetupState, _ place: SetupPlace) throws {
    // First of all: it would install the tables again.
    place.recorder()?.living?.stop(patience: Self.patience)
    let recorder = place.recorder()
    var failure: KernelError?
    do {
      try SetupTables.remove()
    } catch {
      failure = error
    }
    var left: [String] = []
    for name in state.journals.reversed() {
      let path = "\(StateDirectory.path)/\(name)"
      guard StateFile.size(path) != nil else { continue }
      do {
        try Journal(path: path).undo()
      } catch {
        failure = failure ?? error
        left.insert(name, at: 0)
      }
    }
    if let failure {
      var state = state
      state.journals = left
      try place.save(state)
      throw failure
    }
    place.forget()
    try say(
      changed: true, removed: state.prefixes.prefixes, nil, recorder,
      "no longer watching \(state.subnets.joined(separator: ", "))")
  }

  private func say(
    changed: Bool, removed: [Prefix], _ state: SetupState?, _ recorder: RecorderState?,
    _ headline: String
  ) throws(KernelError) {
    if shared.json {
      try Output.print(
        JSONValue.object(
          [
            ("schema", .string("nftrace/1")), ("command", .string("teardown")),
            ("netns", .string(shared.netns)), ("changed", .bool(changed)),
            ("removed", .array(removed.map { .string("\($0)") })),
            ("remaining", .array((state?.subnets ?? []).map { .string($0) })),
            ("session", .string(recorder?.session)),
            ("recorder", recorder.map(SetupJSON.json) ?? .null),
          ]).pretty)
      return
    }
    try Output.print(headline)
    if let recorder, state == nil, !shared.quiet {
      try Output.print("  recorded \(RecordCommand.summary(recorder))")
    }
  }
}
