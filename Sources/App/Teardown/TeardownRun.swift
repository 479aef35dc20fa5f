internal import Kernel
internal import Report
package import Trace
internal import Wire

/// Takes down what setups made, or a part of it.
package struct TeardownRun {
  /// What is to be watched no longer; empty for all.
  private let wanted: Subnets
  private let host: any SetupHost

  /// Nanoseconds that the recorder has to write what it still has.
  private static let patience: UInt64 = 5_000_000_000

  /// A teardown of these subnets, of all if there are none.
  package init(_ wanted: Subnets, _ host: any SetupHost) {
    self.wanted = wanted
    self.host = host
  }

  /// Tears down in these namespaces, in each whatever became of the others, and says what was done. No
  /// other command is to change a setup meanwhile.
  package func run(in spaces: [ChosenNamespace], _ options: OutputOptions) throws {
    var done: [NamespaceReport] = []
    var failures: [any Error] = []
    for space in spaces {
      let name = spaces.count > 1 ? space.name : nil
      do {
        let facts = try space.within(among: spaces) { try tearDown(name) }
        done.append(NamespaceReport(space.name, facts.statements))
        if !options.json {
          try Output.tell(facts.statements, isQuiet: options.isQuiet, name: name)
        }
      } catch {
        failures.append(error)
      }
    }
    if options.json, !done.isEmpty || failures.isEmpty {
      try Output.print(done.json("teardown", of: spaces.count))
    }
    for failure in failures.dropFirst() {
      if let located = failure as? NamespaceFailure {
        Output.complain("in the network namespace \(located.name): \(located.error)")
      }
    }
    if let first = failures.first { throw first }
  }

  /// What was done in the calling thread's namespace, which has this name among several.
  package func tearDown(_ name: String?) throws -> TeardownFacts {
    let store = try host.store()
    try store.clearStale().say(isNeeded: true)
    guard let state = try store.load() else { return try removeLeftovers(store) }
    var rest = state.prefixes
    let removed = wanted.isEmpty ? rest.prefixes : rest.remove(wanted.prefixes)
    for prefix in wanted.prefixes where !removed.contains(prefix) {
      let larger = rest.larger(than: prefix).map { ", but is part of \($0), which is" } ?? ""
      let whose = name.map { " of \($0)" } ?? ""
      Output.complain("\(prefix) is not set up here\(whose)\(larger)")
    }
    if wanted.isEmpty || rest.isEmpty { return try removeAll(state, store) }
    if removed.isEmpty {
      return TeardownFacts(
        headline: "nothing to do", state: state, recorder: try store.recorder())
    }
    return try remove(removed, state, rest, store)
  }

  /// No state that can be read, and yet tables or more: of a setup that was killed, or whose state
  /// was removed or damaged. Its journals and its recorder are found without it.
  private func removeLeftovers(_ store: any SetupStore) throws -> TeardownFacts {
    let hasTables = try host.kernel().surroundings().hasTables
    let unknown = try store.unknownSetup()
    guard hasTables || unknown != nil else {
      return TeardownFacts(headline: "nothing to do: nothing is set up here")
    }
    let (recorder, _, failure) = removeEverything(store, try store.journals())
    if let failure { throw failure }
    try store.forget()
    if let unknown { Output.complain(StyledLine(unknown)) }
    return TeardownFacts(
      headline: unknown == nil
        ? "removed tables \(SetupTables.name) that nobody knew of" : "took back what it had made",
      changed: true, recorder: recorder)
  }

  private func remove(
    _ removed: [Prefix], _ state: SetupState, _ rest: Subnets, _ store: any SetupStore
  ) throws -> TeardownFacts {
    var state = state
    state.subnets = rest.texts
    let kernel = host.kernel()
    try SetupTables.install(&state, around: kernel.surroundings(), by: kernel)
    try store.save(state)
    return TeardownFacts(
      headline: "no longer watching \(removed.map(\.description).joined(separator: ", ")); "
        + "still \(rest.texts.joined(separator: ", "))", changed: true, removed: removed,
      state: state, recorder: try store.recorder())
  }

  private func removeAll(_ state: SetupState, _ store: any SetupStore) throws -> TeardownFacts {
    let journals = try state.journals + store.journals().filter { !state.journals.contains($0) }
    let (recorder, left, failure) = removeEverything(store, journals)
    if let failure {
      var state = state
      state.journals = left
      try store.save(state)
      throw failure
    }
    try store.forget()
    return TeardownFacts(
      headline: "no longer watching \(state.subnets.joined(separator: ", "))", changed: true,
      removed: state.prefixes.prefixes, recorder: recorder)
  }

  /// Ends the recorder, removes the tables and undoes these journals, each whatever the others did.
  /// Returns the recorder as it ended, the journals that are left, and the first error.
  private func removeEverything(
    _ store: any SetupStore, _ journals: [String]
  ) -> (recorder: RecorderState?, left: [String], failure: KernelError?) {
    let kernel = host.kernel()
    // First of all: it would install the tables again.
    var recorder: RecorderState?
    var failure: KernelError?
    do throws(KernelError) {
      if let working = try store.recorder() { kernel.stop(working, patience: Self.patience) }
      recorder = try store.recorder()
      try kernel.removeTables()
    } catch {
      failure = error
    }
    var left: [String] = []
    for name in journals.reversed() {
      do throws(KernelError) {
        try kernel.undo(journal: name)
      } catch {
        failure = failure ?? error
        left.insert(name, at: 0)
      }
    }
    return (recorder, left, failure)
  }
}
