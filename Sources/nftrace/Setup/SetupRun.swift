import Glibc
import Kernel
import Report
import Trace
import Wire

/// Makes a setup in one network namespace, or extends the one there is, step by step, so that those
/// of several can be made side by side. Until it is kept, all of it can be undone.
final class SetupRun {
  private let request: SetupRequest
  private let place: SetupPlace
  private var provision: SetupProvision
  /// What is set up already.
  private let old: SetupState?
  private var state: SetupState
  /// As it was written down last.
  private var saved: SetupState?
  private var report = SetupReport()
  private var isBegun = false
  /// The journal of what is to stay.
  private var kept: String?
  /// What the recording of an earlier setup is called now.
  private var moved: String?
  private var beganRecording = false

  /// Looks at what there is in the calling thread's namespace, which is to be that of the steps as
  /// well. The lock is the caller's. Throws where the request contradicts what is set up.
  init(_ request: SetupRequest) throws {
    place = try SetupPlace.current()
    try place.clearStale().say(isNeeded: true)
    old = try place.load()
    if let unknown = try place.unknownSetup() {
      throw UsageError("\(unknown): 'nftrace teardown' takes it back, then it can be set up anew")
    }
    try Self.refuseContradictions(old, request)
    self.request = request
    saved = old
    state =
      try old
      ?? SetupState(
        subnets: [], backend: (request.backend ?? .nflog).rawValue, group: nil,
        since: Clock.realtime / 1_000_000_000, process: getpid(), command: CommandLine.arguments,
        boot: Machine.boot())
    state.netns = NetworkNamespace.currentName ?? state.netns
    provision = SetupProvision(draft: place.draft(state.journals.count))
  }

  /// What is set up already is not changed by the way.
  private static func refuseContradictions(_ old: SetupState?, _ request: SetupRequest) throws {
    guard let old else { return }
    let way = "'nftrace teardown' ends it, and then it can be set up otherwise"
    if let backend = request.backend, backend.rawValue != old.backend {
      throw UsageError("the setup here reports to \(old.backend), not to \(backend): \(way)")
    }
    if let group = request.group, group != old.group {
      throw UsageError(
        "the setup here reports to \(old.group.map { "NFLOG group \($0)" } ?? "the kernel log"), "
          + "not to group \(group): \(way)")
    }
  }

  /// Makes everything but the recorder.
  func install() throws {
    isBegun = true
    try SetupDevice(request).provide(&state, &provision, &report)
    try provideForwarding()
    try installTables()
  }

  /// What was made stays until teardown.
  func keep() throws {
    if let journal = try provision.keep() {
      state.journals.append(journal)
      kept = journal
    }
    if state != saved { try save() }
  }

  /// Takes everything back, each whatever became of the others. Returns what could not be.
  func undo() -> [KernelError] {
    guard isBegun else { return [] }
    var failures: [KernelError] = []
    func attempt(_ step: () throws(KernelError) -> Void) {
      do {
        try step()
      } catch {
        failures.append(error)
      }
    }
    if report.startedRecorder {
      attempt { () throws(KernelError) in
        try place.recorder()?.living?.stop(patience: 1_000_000_000)
      }
    }
    // Of a recorder that could not begin nothing is worth to be kept.
    if beganRecording, StateDirectory.files(ofRecording: place.recording) == [place.recording],
      RecordingFiles.tally(of: place.recording).events == 0
    {
      attempt { () throws(KernelError) in try StateFile.remove(place.recording) }
    }
    if let moved, StateDirectory.files(ofRecording: place.recording).isEmpty {
      attempt { () throws(KernelError) in
        try RecordingFiles.move(moved, to: place.recording)
      }
    }
    attempt(undoTables)
    attempt { () throws(KernelError) in
      if let kept {
        try GuardedJournal.undo("\(StateDirectory.path)/\(kept)")
      } else {
        try provision.undo()
      }
    }
    return failures
  }

  /// Says what was done. `name` is the namespace's, where there are several.
  func say(name: String?) throws(KernelError) {
    report.earlier = try RecordingFiles.earlier(ofKey: place.place.key)
    try report.print(state, recorder: try place.recorder(), request.options, name: name)
  }

  /// What `say` says, as members of a JSON object.
  var members: [(String, JSONValue)] {
    report.earlier = (try? RecordingFiles.earlier(ofKey: place.place.key)) ?? []
    return report.members(state, (try? place.recorder()) ?? nil)
  }

  private func provideForwarding() throws(KernelError) {
    guard request.forward else { return }
    state.forward = true
    var versions = request.subnets.versions
    for text in state.tun?.addresses ?? [] {
      if let prefix = Prefix(text) { versions.insert(prefix.address.family) }
    }
    for (setting, value) in TemporarySettings.forwarding(versions) where setting.exists {
      if try provision.set(setting, to: value) {
        report.done.append("\(setting) = \(value)")
      }
    }
  }

  private func installTables() throws(KernelError) {
    var subnets = state.prefixes
    report.added = subnets.add(request.subnets.prefixes)
    state.subnets = subnets.texts
    let surroundings = try SetupSurroundings.read()
    let isInOrder = surroundings.areInOrder(for: state)
    if old != nil, report.added.isEmpty, isInOrder, state.masquerade == old?.masquerade { return }
    if old != nil, report.added.isEmpty, !isInOrder {
      report.done.append(
        surroundings.installed.isEmpty
          ? "tables were gone, installed again" : "points laid out anew around the ruleset")
    }
    var socket = try NetfilterSocket()
    // A group of a setup that is there belongs to its recorder.
    if state.backend == SetupBackend.nflog.rawValue, state.group == nil {
      // One that was asked for is tried; a free one is taken by the recorder, which keeps it.
      if let group = request.group {
        try socket.takeGroup(group)
        state.group = socket.group
      } else {
        state.group = LogGroups.free()
      }
    }
    let start = Clock.monotonic
    try SetupTables.install(&state, around: surroundings, with: &socket)
    report.transaction = Clock.monotonic - start
    try save()
  }

  private func save() throws(KernelError) {
    try place.save(state)
    saved = state
  }

  /// Puts back what was there before.
  private func undoTables() throws(KernelError) {
    if var old {
      if state.points != old.points || state != old {
        var socket = try NetfilterSocket()
        try SetupTables.install(&old, around: try .read(), with: &socket)
      }
      try place.save(old)
    } else {
      try SetupTables.remove()
      try place.forget()
    }
  }

  // MARK: The recorder

  /// Starts the recorder, unless one works already. Throws `SetupInterrupted` when a signal comes.
  func startRecorder(_ signals: borrowing SignalWatch) throws {
    guard request.record, state.backend == SetupBackend.nflog.rawValue else { return }
    if try place.recorder()?.living != nil { return }
    let session = place.recording
    try makeRoom(session)
    state.records = true
    state.session = session
    // The recorder reads it.
    try save()
    beganRecording = true
    let recorder = try BackgroundProcess.start(
      ["record", session, "--background", "--limit", "\(request.limit >> 20)"], errors: place.log,
      attempt: "start the recorder")
    var interrupted: Int32?
    repeat {
      Waiting.forReading(
        [recorder.descriptor, signals.fileDescriptor], nanoseconds: 1_000_000_000)
      interrupted = signals.next()
    } while interrupted == nil && !Waiting.isReadable(recorder.descriptor)
    if let interrupted {
      recorder.identity.stop(patience: 1_000_000_000)
      throw SetupInterrupted(signal: interrupted)
    }
    if let failure = recorder.failure() {
      let words = ((try? StateFile.read(place.log)) ?? "").split(separator: "\n").joined(
        separator: "\n")
      // On a disk that is full, nothing can be written down.
      let said = words.isEmpty ? failure : words
      throw KernelError(
        cannot: "start the recorder", help: said.isEmpty ? "it ended at once" : said)
    }
    report.startedRecorder = true
  }

  /// The file of a recorder that died becomes the older one of the new, where there is room for it; what
  /// was recorded before is kept under a name of its own, if it is anything.
  private func makeRoom(_ session: String) throws(KernelError) {
    let files = StateDirectory.files(ofRecording: session)
    if files.isEmpty { return }
    if old?.records == true, files == [session] {
      try StateFile.rename(session, to: session + ".1")
    } else if old?.records != true || files.count > 1, !RecordingFiles.isVoid(session) {
      let name = RecordingFiles.keptName(of: session)
      try RecordingFiles.move(session, to: name)
      moved = name
      report.previous = StateDirectory.files(ofRecording: name).last
    }
  }
}

/// A signal came before the setup was whole.
struct SetupInterrupted: Error {
  let signal: Int32
}

/// What a setup did.
struct SetupReport {
  var added: [Prefix] = []
  /// What was done besides, a few words each.
  var done: [String] = []
  var startedRecorder = false
  /// Where what an earlier setup recorded is now; nil if there is none.
  var previous: String?
  /// All that setups before this one recorded here.
  var earlier: [KeptRecording] = []
  /// Nanoseconds that the transaction took; nil if there was none.
  var transaction: UInt64?

  var changedAnything: Bool {
    !added.isEmpty || !done.isEmpty || startedRecorder || transaction != nil
  }

  func print(
    _ state: SetupState, recorder: RecorderState?, _ options: SharedOptions, name: String?
  ) throws(KernelError) {
    try Output.print(Line((name.map { "\($0): " } ?? "") + headline(state)))
    if options.quiet { return }
    for line in done { try Output.print("  \(line)") }
    if let transaction, options.verbose {
      try Output.print("  one transaction, \(Self.milliseconds(transaction)) ms")
    }
    if state.backend == SetupBackend.log.rawValue {
      try Output.print("  'nftrace show --backend log' shows it")
      Self.warnAboutKernelLog()
    }
    if let recorder, recorder.living != nil {
      try Output.print("  recording to \(recorder.session), process \(recorder.process)")
    } else if state.backend == SetupBackend.nflog.rawValue {
      try Output.print("  nobody records; 'nftrace record FILE' does")
    }
    if let previous { try Output.print("  the earlier recording is kept: \(previous)") }
    if startedRecorder, !earlier.isEmpty { try Output.print("  \(sumOfEarlier)") }
  }

  /// Nothing that was recorded is removed by itself: how much that is by now.
  private var sumOfEarlier: String {
    let (count, octets) = (earlier.count, earlier.reduce(0) { $0 + $1.octets })
    let (what, them) = count == 1 ? ("recording is", "it") : ("recordings are", "them")
    return "\(count) earlier \(what) kept, \(StatusText.size(octets)): 'nftrace recordings' lists "
      + "\(them), --remove NAME removes \(them)"
  }

  private func headline(_ state: SetupState) -> String {
    let subnets = state.subnets.joined(separator: ", ")
    guard changedAnything else { return "nothing to do: watching \(subnets) already" }
    let sink = state.group.map { "NFLOG group \($0)" } ?? "the kernel log"
    return "watching \(subnets) at \(state.points.count) points, reported to \(sink)"
  }

  /// Nanoseconds as milliseconds with two decimals.
  static func milliseconds(_ nanoseconds: UInt64) -> String {
    let hundredths = (nanoseconds + 5000) / 10000
    let rest = hundredths % 100
    return "\(hundredths / 100).\(rest < 10 ? "0" : "")\(rest)"
  }

  /// Outside the machine's first namespace the kernel log stays empty by default. The setting is
  /// there in the first namespace alone.
  private static func warnAboutKernelLog() {
    let setting = Sysctl(path: "net/netfilter/nf_log_all_netns")!
    if !setting.exists {
      Output.complain(
        "the kernel log shows lines of a namespace other than the machine's first only where "
          + "that has net.netfilter.nf_log_all_netns=1")
    }
  }

  func members(_ state: SetupState, _ recorder: RecorderState?) -> [(String, JSONValue)] {
    [
      ("changed", .bool(changedAnything)), ("added", .array(added.map { .string("\($0)") })),
      ("done", .array(done.map { .string($0) })),
      ("transaction_us", transaction.map { .tenths(Double($0) / 1000) } ?? .null),
      ("previous_session", .string(previous)),
      (
        "earlier",
        .object([
          ("recordings", .int(earlier.count)),
          ("octets", .int(earlier.reduce(0) { $0 + $1.octets })),
        ])
      ),
    ] + SetupJSON.members(state, recorder)
  }
}
