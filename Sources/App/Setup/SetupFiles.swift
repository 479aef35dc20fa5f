internal import Glibc
package import Kernel
internal import Report
package import Trace

/// The files in which the setup of a network namespace keeps what it has to remember.
package struct SetupFiles {
  /// Which network namespace.
  package let namespace: NamespacePlace

  /// Those of this namespace.
  package init(namespace: NamespacePlace) { self.namespace = namespace }

  /// Those of the calling thread's namespace.
  package static func current() throws(KernelError) -> SetupFiles {
    SetupFiles(namespace: try .current())
  }

  private var base: String { "\(StateDirectory.path)/setup-\(namespace.key)" }
  private var stateFile: String { base + ".json" }
  private var recorderFile: String { base + ".recorder" }
  /// Room on the disk for the last that a recorder writes down.
  private var reserveFile: String { base + ".reserve" }
  /// What the recorder in the background said on standard error.
  package var log: String { base + ".log" }
  /// The session file of the recorder in the background.
  package var recording: String { "\(StateDirectory.path)/recording-\(namespace.key).pcapng" }
  /// The name of a journal that is being written; without the ending it is finished.
  package func draft(_ number: Int) -> String {
    "setup-\(namespace.key).\(number)" + Self.journalEnding + Self.draftEnding
  }
  private static let journalEnding = ".journal"
  /// The ending of a journal that is not finished.
  package static let draftEnding = ".draft"

  /// Waits until no other command changes a setup.
  package static func lock() throws(KernelError) -> FileLock {
    try FileLock.take("\(StateDirectory.path)/lock")!
  }

  /// The same, unless that takes time.
  package static func tryLock() throws(KernelError) -> FileLock? {
    try FileLock.take("\(StateDirectory.path)/lock", wait: false)
  }

  /// What is set up here; nil if nothing is.
  package func load() throws(KernelError) -> SetupState? {
    guard let text = try StateFile.read(stateFile), let state = SetupState(json: text) else {
      return nil
    }
    return try state.boot == Machine.boot() ? state : nil
  }

  /// What is left here of a setup that is not known: its state is damaged, or of another version, or
  /// gone. In words for the user; nil if nothing is.
  package func unknownSetup() throws(KernelError) -> String? {
    if try load() != nil { return nil }
    if try StateFile.size(stateFile) != nil {
      return "the state of a setup here, \(stateFile), is damaged"
    }
    return try journals().isEmpty
      ? nil : "the state of a setup here is gone, and what it changed is not undone"
  }

  /// That there is a state that only root may read, in words for the user; nil where that is not so.
  package func unreadable() -> String? {
    // What root cannot read is not ours.
    if geteuid() == 0 { return nil }
    let secret = [stateFile, recorderFile].first {
      FileIdentity($0) != nil && !InputFile.exists($0)
    }
    return secret.map { "\($0) may only be read by root: what is set up is not known" }
  }

  /// The journals of setups here that were made and not torn down, in order.
  package func journals() throws(KernelError) -> [String] {
    func number(_ name: String) -> Int? {
      let prefix = "setup-\(namespace.key)."
      guard name.hasPrefix(prefix), name.hasSuffix(Self.journalEnding) else { return nil }
      return Int(name.dropFirst(prefix.count).dropLast(Self.journalEnding.count))
    }
    return try StateFile.names(in: StateDirectory.path).compactMap { name in
      number(name).map { (number: $0, name: name) }
    }.sorted { $0.number < $1.number }.map(\.name)
  }

  /// Writes down what is set up.
  package func save(_ state: SetupState) throws(KernelError) {
    try StateFile.write(state.json, to: stateFile)
  }

  /// What the recorder wrote down last; nil if there was none. Where it had no room for the last of
  /// that, its file may have it.
  package func recorder() throws(KernelError) -> RecorderState? {
    guard let text = try StateFile.read(recorderFile), var state = RecorderState(json: text) else {
      return nil
    }
    if !state.saysHowFar,
      let file = StateDirectory.files(ofRecording: state.session).last,
      let end = RecordingFiles.tail(of: file).end
    {
      state.take(end)
    }
    return state
  }

  /// Writes down how far a recorder has come.
  package func save(_ recorder: RecorderState) throws(KernelError) {
    try StateFile.write(recorder.json, to: recorderFile)
  }

  /// Keeps room for what `release` lets be written, where there is any: as much as there is.
  package func reserve() {
    _ = Self.reserved.first { octets in
      (try? StateFile.write(String(repeating: " ", count: octets), to: reserveFile)) != nil
    }
  }

  /// Octets that are kept: the recorder's state, some words in its file and what they need of a disk.
  private static let reserved = [1 << 16, 1 << 14, 1 << 12]

  /// A disk that is full has room now for how that came about.
  package func release() { try? StateFile.remove(reserveFile) }

  /// Forgets the setup. The session file stays.
  package func forget() throws(KernelError) {
    // What the recorder was is of no use without the setup: that goes last.
    try forgetRecorder()
    try StateFile.remove(stateFile)
  }

  /// Forgets what the recorder wrote down; what it recorded stays.
  package func forgetRecorder() throws(KernelError) {
    for file in [log, reserveFile, recorderFile] { try StateFile.remove(file) }
  }

  /// Takes back what commands that were killed left half done here. The lock is the caller's.
  package func takeBackHalfDone() throws(KernelError) -> Leftovers {
    var found = try Leftovers.takeBack(in: StateDirectory.path)
    for name in try StateFile.names(in: StateDirectory.path)
    where name.hasPrefix("setup-\(namespace.key).") && name.hasSuffix(Self.draftEnding) {
      do {
        found.undone += try GuardedJournal.undo("\(StateDirectory.path)/\(name)")
      } catch {
        found.failures.append(error)
      }
    }
    return found
  }

  /// Takes back what commands that were killed left half done, and forgets the setups of
  /// namespaces that are gone: everything in them went with them, but what was recorded. The lock is
  /// the caller's.
  package func clearStale() throws(KernelError) -> Leftovers {
    let found = try takeBackHalfDone()
    try StateFile.removeAbandonedDrafts(in: StateDirectory.path)
    for key in try Self.keys() {
      let isGone = try Self.isGone(Self.files(ofKey: key))
      if isGone || namespace.isSuccessor(ofKey: key[...]) { try forget(key) }
    }
    return found
  }

  /// Forgets the setup of a namespace, or of a boot of the machine, that is gone.
  private func forget(_ key: String) throws(KernelError) {
    let setup = try Self.files(ofKey: key).setup
    if key != namespace.key {
      let name = setup?.netns ?? "net:[\(key.prefix { $0 != "-" })]"
      let subnets = setup.map { " of \($0.subnets.joined(separator: ", "))" } ?? ""
      Output.complain(
        "the setup\(subnets) in the network namespace \(name), which is gone, is forgotten")
    }
    for name in try StateFile.names(in: StateDirectory.path) where name.hasPrefix("setup-\(key).") {
      try StateFile.remove("\(StateDirectory.path)/\(name)")
    }
  }
}

extension SetupFiles {
  /// The namespaces of whose setups something is written down.
  package static func keys() throws(KernelError) -> [String] {
    let names = try StateFile.names(in: StateDirectory.path).filter { $0.hasPrefix("setup-") }
    return Set(names.map { String($0.dropFirst(6).prefix { $0 != "." }) }).sorted()
  }

  /// What is written down of the setup in the namespace with this key.
  package static func files(
    ofKey key: String
  ) throws(KernelError) -> (setup: SetupState?, recorder: RecorderState?) {
    let base = "\(StateDirectory.path)/setup-\(key)"
    return (
      try StateFile.read(base + ".json").flatMap { SetupState(json: $0) },
      try StateFile.read(base + ".recorder").flatMap { RecorderState(json: $0) }
    )
  }

  /// Whether the namespace of these is known to be gone: the recorder said so, or the machine was
  /// started anew since.
  package static func isGone(
    _ files: (setup: SetupState?, recorder: RecorderState?)
  ) throws(KernelError) -> Bool {
    if files.recorder?.error == Recorder.deleted { return true }
    guard let setup = files.setup else { return false }
    return try setup.boot != Machine.boot()
  }
}

extension SetupFiles: RecorderStore {
  /// What tells the network namespace from others.
  package var namespaceKey: String { namespace.key }

  /// Calls `body` while no other command changes a setup. Returns false, and does not call it, while one does.
  package func ifUnlocked(_ body: () throws(KernelError) -> Void) throws(KernelError) -> Bool {
    let lock = try Self.tryLock()
    guard lock != nil else { return false }
    try body()
    return true
  }
}
