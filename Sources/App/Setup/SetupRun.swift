internal import Glibc
package import Kernel
package import Report
internal import Trace
internal import Wire

/// Makes a setup in one network namespace, or extends the one there is, step by step, so that those
/// of several can be made side by side. Until it is kept, all of it can be undone.
package final class SetupRun {
  private let request: SetupRequest
  private let setupFiles: any SetupStore
  private let kernel: any SetupKernel
  private let provision: any SetupChanges
  /// What is set up already.
  private let old: SetupState?
  private var state: SetupState
  /// As it was written down last.
  private var saved: SetupState?
  private var report = SetupReport()
  private var isBegun = false
  /// Whether the tables, or what is written down of them, may be others than before.
  private var isStateTouched = false
  /// The journal of what is to stay.
  private var kept: String?
  /// What the recording of an earlier setup is called now.
  private var moved: String?
  private var beganRecording = false
  /// What the recorder before wrote down last.
  private var oldRecorder: RecorderState?

  /// Looks at what there is in the calling thread's namespace, which is to be that of the steps as
  /// well. The lock is the caller's. Throws where the request contradicts what is set up.
  package init(
    _ request: SetupRequest, _ setupFiles: any SetupStore, _ kernel: any SetupKernel
  ) throws {
    self.setupFiles = setupFiles
    self.kernel = kernel
    try setupFiles.clearStale().say(isNeeded: true)
    old = try setupFiles.load()
    if let unknown = try setupFiles.unknownSetup() {
      throw UsageError("\(unknown): 'nftrace teardown' takes it back, then it can be set up anew")
    }
    try Self.refuseContradictions(old, request)
    self.request = request
    saved = old
    let origin = try kernel.origin
    state =
      old
      ?? SetupState(
        subnets: [], backend: (request.backend ?? .nflog).rawValue, group: nil,
        since: kernel.loop.realtime / 1_000_000_000, process: origin.process,
        command: origin.command, boot: origin.boot)
    state.netns = origin.netns ?? state.netns
    if old == nil, state.backend == SetupBackend.log.rawValue, !Self.isFirst(kernel) {
      state.logNamespace = NamespacePlace.inode(ofKey: setupFiles.namespaceKey).map {
        ObservationPoint.logNamespace($0)
      }
    }
    provision = kernel.provision(draft: setupFiles.draft(state.journals.count))
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
  package func install() throws {
    isBegun = true
    try SetupDevice(request, kernel).provide(&state, provision, &report)
    try provideForwarding()
    try installTables()
  }

  /// What was made stays until teardown.
  package func keep() throws {
    if let journal = try provision.keep() {
      state.journals.append(journal)
      kept = journal
    }
    if state != saved { try save() }
  }

  /// Takes everything back, each whatever became of the others. Returns what could not be.
  package func undo() -> [KernelError] {
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
        if let recorder = try setupFiles.recorder() {
          kernel.stop(recorder, patience: 1_000_000_000)
        }
      }
    }
    // Of a recorder that could not begin nothing is worth to be kept.
    if beganRecording,
      StateDirectory.files(ofRecording: setupFiles.recording) == [setupFiles.recording],
      RecordingFiles.tally(of: setupFiles.recording).events == 0
    {
      attempt { () throws(KernelError) in try StateFile.remove(setupFiles.recording) }
    }
    if let moved, StateDirectory.files(ofRecording: setupFiles.recording).isEmpty {
      attempt { () throws(KernelError) in
        try RecordingFiles.move(moved, to: setupFiles.recording)
      }
    }
    if beganRecording {
      attempt { () throws(KernelError) in
        try setupFiles.forgetRecorder()
        if let oldRecorder { try setupFiles.save(oldRecorder) }
      }
    }
    if isStateTouched { attempt(undoTables) }
    attempt { () throws(KernelError) in
      if let kept {
        try kernel.undo(journal: kept)
      } else {
        try provision.undo()
      }
    }
    return failures
  }

  /// What was done: in the calling thread's namespace, which is to be that of the steps.
  package func statements() throws(KernelError) -> [Statement] {
    report.earlier = try RecordingFiles.earlier(ofKey: setupFiles.namespaceKey)
    return report.statements(
      state, recorder: try setupFiles.recorder(), isVerbose: request.options.isVerbose,
      isFirst: Self.isFirst(kernel))
  }

  /// Whether it is in the machine's first namespace: the setting is there in that one alone.
  private static func isFirst(_ kernel: any SetupKernel) -> Bool {
    kernel.exists(Sysctl(path: "net/netfilter/nf_log_all_netns")!)
  }

  private func provideForwarding() throws(KernelError) {
    guard request.forward else { return }
    state.forward = true
    var versions = request.subnets.versions
    for text in state.tun?.addresses ?? [] {
      if let prefix = Prefix(text) { versions.insert(prefix.address.family) }
    }
    for (setting, value) in TemporarySettings.forwarding(versions) where kernel.exists(setting) {
      if try provision.set(setting, to: value) {
        report.done.append("\(setting) = \(value)")
      }
    }
  }

  private func installTables() throws(KernelError) {
    var subnets = state.prefixes
    report.added = subnets.add(request.subnets.prefixes)
    state.subnets = subnets.texts
    let surroundings = try kernel.surroundings()
    let isInOrder = surroundings.areInOrder(for: state)
    let takesIn = request.includesOwn && state.leftOut != nil
    if old != nil, report.added.isEmpty, isInOrder, state.masquerade == old?.masquerade, !takesIn {
      return
    }
    leaveOut(from: subnets)
    if old != nil, report.added.isEmpty, !isInOrder {
      report.done.append(
        surroundings.installed.isEmpty
          ? "tables were gone, installed again" : "points laid out anew around the ruleset")
    }
    // A group of a setup that is there belongs to its recorder.
    if state.backend == SetupBackend.nflog.rawValue, state.group == nil {
      // One that was asked for is tried; a free one is taken by the recorder, which keeps it.
      if let group = request.group {
        try kernel.takeGroup(group)
        state.group = group
      } else {
        state.group = kernel.freeGroup()
      }
    }
    if old == nil { state.traces = request.record }
    let start = kernel.loop.monotonic
    isStateTouched = true
    try SetupTables.install(&state, around: surroundings, by: kernel)
    report.transaction = kernel.loop.monotonic - start
    try save()
  }

  /// What is written to the terminal of who looks would be observed itself, and that written again.
  private func leaveOut(from subnets: Subnets) {
    guard let own = request.leftOut,
      subnets.prefixes.contains(where: { $0.contains(own.client) || $0.contains(own.server) })
    else {
      if request.includesOwn { state.leftOut = nil }
      return
    }
    state.leftOut = "\(own)"
  }

  private func save() throws(KernelError) {
    isStateTouched = true
    try setupFiles.save(state)
    saved = state
  }

  /// Puts back what was there before.
  private func undoTables() throws(KernelError) {
    if var old {
      if state.points != old.points || state != old {
        try SetupTables.install(&old, around: try kernel.surroundings(), by: kernel)
      }
      try setupFiles.save(old)
    } else {
      try kernel.removeTables()
      try setupFiles.forget()
    }
  }

  // MARK: The recorder

  /// Starts the recorder, unless one works already. Throws `Interruption` when a signal comes.
  package func startRecorder(_ loop: any EventLoop) throws {
    guard request.record, state.backend == SetupBackend.nflog.rawValue else { return }
    oldRecorder = try setupFiles.recorder()
    if oldRecorder?.living != nil {
      if request.metrics != nil {
        Output.complain(
          "--metrics is for a recorder that begins, and this setup is recorded already: 'nftrace teardown' first"
        )
      }
      return
    }
    let session = setupFiles.recording
    try makeRoom(session)
    state.records = true
    state.session = session
    // The recorder reads it.
    try save()
    beganRecording = true
    let recorder = try kernel.startRecorder(
      ["record", session, "--background", "--limit", "\(request.limit >> 20)"]
        + (request.metrics.map { ["--metrics", $0] } ?? []),
      log: setupFiles.log)
    loop.watch([recorder.descriptor])
    var wake = Loop.Wake.timeout
    while wake != .readable {
      wake = loop.wait(nanoseconds: 1_000_000_000)
      if let signal = loop.signal() {
        recorder.stop(patience: 1_000_000_000)
        throw Interruption(signal: signal)
      }
    }
    if let failure = recorder.failure() {
      let words = ((try? StateFile.read(setupFiles.log)) ?? "").split(separator: "\n").joined(
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
