import Kernel
import Trace

/// Where the setup of a network namespace keeps what it has to remember.
struct SetupPlace {
  let place: NamespacePlace

  /// That of the calling thread's namespace.
  static func current() throws(KernelError) -> SetupPlace {
    SetupPlace(place: try .current())
  }

  private var base: String { "\(StateDirectory.path)/setup-\(place.key)" }
  private var stateFile: String { base + ".json" }
  private var recorderFile: String { base + ".recorder" }
  /// What the recorder in the background said on standard error.
  var log: String { base + ".log" }
  /// The session file of the recorder in the background.
  var recording: String { "\(StateDirectory.path)/recording-\(place.key).pcapng" }
  /// What the setup before this one recorded.
  var previousRecording: String { "\(StateDirectory.path)/recording-\(place.key).previous.pcapng" }
  /// The name of a journal that is being written; without the ending it is finished.
  func draft(_ number: Int) -> String {
    "setup-\(place.key).\(number)" + Self.journalEnding + Self.draftEnding
  }
  private static let journalEnding = ".journal"
  static let draftEnding = ".draft"

  /// Waits until no other command changes a setup.
  static func lock() throws(KernelError) -> FileLock {
    try FileLock.take("\(StateDirectory.path)/lock")!
  }

  /// The same, unless that takes time.
  static func tryLock() throws(KernelError) -> FileLock? {
    try FileLock.take("\(StateDirectory.path)/lock", wait: false)
  }

  /// What is set up here; nil if nothing is.
  func load() throws(KernelError) -> SetupState? {
    guard let text = try StateFile.read(stateFile), let state = SetupState(json: text) else {
      return nil
    }
    return try state.boot == Machine.boot() ? state : nil
  }

  /// What is left here of a setup that is not known: its state is damaged, or of another version, or
  /// gone. In words for the user; nil if nothing is.
  func unknownSetup() throws(KernelError) -> String? {
    if try load() != nil { return nil }
    if try StateFile.size(stateFile) != nil {
      return "the state of a setup here, \(stateFile), is damaged"
    }
    return try journals().isEmpty
      ? nil : "the state of a setup here is gone, and what it changed is not undone"
  }

  /// The journals of setups here that were made and not torn down, in order.
  func journals() throws(KernelError) -> [String] {
    func number(_ name: String) -> Int? {
      let prefix = "setup-\(place.key)."
      guard name.hasPrefix(prefix), name.hasSuffix(Self.journalEnding) else { return nil }
      return Int(name.dropFirst(prefix.count).dropLast(Self.journalEnding.count))
    }
    return try StateFile.names(in: StateDirectory.path).compactMap { name in
      number(name).map { (number: $0, name: name) }
    }.sorted { $0.number < $1.number }.map(\.name)
  }

  func save(_ state: SetupState) throws(KernelError) {
    try StateFile.write(state.json, to: stateFile)
  }

  /// What the recorder wrote down last; nil if there was none.
  func recorder() throws(KernelError) -> RecorderState? {
    try StateFile.read(recorderFile).flatMap { RecorderState(json: $0) }
  }

  func save(_ recorder: RecorderState) throws(KernelError) {
    try StateFile.write(recorder.json, to: recorderFile)
  }

  /// Forgets the setup. The session file stays.
  func forget() throws(KernelError) {
    // What the recorder was is of no use without the setup: that goes last.
    for file in [log, recorderFile, stateFile] { try StateFile.remove(file) }
  }

  /// Takes back what commands that were killed left half done, and forgets the setups of
  /// namespaces that are gone: everything in them went with them. The lock is the caller's.
  func clearStale() throws(KernelError) -> Leftovers {
    var found = try Leftovers.takeBack(in: StateDirectory.path)
    try StateFile.removeAbandonedDrafts(in: StateDirectory.path)
    for name in try StateFile.names(in: StateDirectory.path) where name.hasPrefix("setup-") {
      let path = "\(StateDirectory.path)/\(name)"
      let key = name.dropFirst(6).prefix { $0 != "." }
      if place.isSuccessor(ofKey: key) {
        try StateFile.remove(path)
        for ending in [".pcapng", ".previous.pcapng"] {
          let recording = "\(StateDirectory.path)/recording-\(key)\(ending)"
          for file in StateDirectory.files(ofRecording: recording) { try StateFile.remove(file) }
        }
      } else if key == place.key, name.hasSuffix(Self.draftEnding) {
        do {
          found.undone += try GuardedJournal.undo(path)
        } catch {
          found.failures.append(error)
        }
      }
    }
    // From before the machine was started anew: nothing of it is left.
    if let text = try StateFile.read(stateFile), let state = SetupState(json: text),
      try state.boot != Machine.boot()
    {
      for name in state.journals { try StateFile.remove("\(StateDirectory.path)/\(name)") }
      try forget()
    }
    return found
  }
}

extension RecorderState {
  /// The process, verified; nil if it is gone.
  var living: ProcessIdentity? {
    let identity = ProcessIdentity(process: process, start: start)
    return ended == nil && identity.isAlive ? identity : nil
  }
}

extension StateDirectory {
  /// The files of the recording of the setup in the calling thread's namespace, the older first;
  /// nil if there is none. They are there until the next setup, also after teardown, which keeps
  /// them under another name.
  static func recording() -> [String]? {
    guard let place = try? SetupPlace.current() else { return nil }
    let path = (try? place.recorder())??.session ?? place.recording
    let files = files(ofRecording: path)
    return files.isEmpty ? nil : files
  }

  /// Those of the files of a recording that there are, the older first.
  static func files(ofRecording path: String) -> [String] {
    [path + ".1", path].filter { FileIdentity($0) != nil }
  }

  /// What is shown of a file that somebody named: of a setup's recording, both files.
  static func files(named path: String) -> [String] {
    let isRecording = path.hasPrefix(self.path + "/recording-") && path.hasSuffix(".pcapng")
    return isRecording && FileIdentity(path) != nil ? files(ofRecording: path) : [path]
  }
}
