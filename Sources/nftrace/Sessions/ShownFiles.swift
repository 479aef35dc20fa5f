import App
import Kernel
import Report
import Trace

/// The files that `show` renders as one session, the older first.
struct ShownFiles {
  var files: [String]
  /// Where nobody named them, what they are, in words for the user.
  var words: String?

  /// What somebody named: a file, or a recording by the name that 'nftrace recordings' lists.
  init(named name: String) {
    let path = Self.path(named: name)
    files = StateDirectory.files(named: path)
    words = nil
  }

  /// A file that is there comes first.
  private static func path(named name: String) -> String {
    if name.contains("/") || name == "-" || InputFile.exists(name) { return name }
    let file = name.hasSuffix(".pcapng") ? name : name + ".pcapng"
    let path = "\(StateDirectory.path)/\(file)"
    return RecordingFiles.isRecording(file) && !StateDirectory.files(ofRecording: path).isEmpty
      ? path : name
  }

  /// The recording of the setup in the calling thread's namespace or, with `orPing`, the latest ping.
  init(orPing: Bool) throws {
    let ways = ", or name a FILE"
    // What cannot be seen is not nothing.
    try StateDirectory.checkReadable("look for what is recorded", help: ways)
    let setupFiles = try SetupFiles.current()
    if let secret = setupFiles.unreadable() {
      throw KernelError(
        cannot: "look for what is recorded", help: "\(secret): run as root (sudo)\(ways)")
    }
    // What is still there of an earlier setup is not what this one watches.
    let setup = try setupFiles.load()
    if let setup, setup.backend == SetupBackend.log.rawValue {
      throw UsageError(
        "the setup here writes to the kernel log: 'nftrace show --backend log' shows it")
    }
    let path = try setupFiles.recorder()?.session ?? setupFiles.recording
    let recording = try Self.recording(path)
    let ping = try orPing ? Self.recording(StateDirectory.lastSession) : nil
    if let recording, !recording.isOutshone(by: ping) {
      files = recording.files
      let whose = setup == nil ? "an earlier setup" : "the setup"
      words = "the recording of \(whose) in this network namespace, \(recording.words)"
      if let ping, let made = ping.first, made > recording.last ?? 0 {
        words! += "; there is a newer ping: 'nftrace show \(ping.name)'"
      }
    } else if let ping {
      files = ping.files
      words = "the last ping, \(Self.place(of: ping, setupFiles))\(ping.words)"
      if recording != nil { words! += "; what is recorded here is empty" }
    } else {
      throw UsageError(
        orPing
          ? "nothing is recorded yet: 'nftrace ping' and 'nftrace setup' record, or name a FILE; "
            + "'nftrace recordings' lists what is kept"
          : "nothing is recorded there: 'nftrace setup SUBNET' records")
    }
  }

  private static func recording(_ path: String) throws(KernelError) -> KeptRecording? {
    try StateDirectory.files(ofRecording: path).isEmpty
      ? nil : KeptRecording(path, writers: RecordingFiles.writers())
  }

  /// Where a ping was sent, if that is not here.
  private static func place(of ping: KeptRecording, _ here: SetupFiles) -> String {
    guard let key = ping.header?.namespace else { return "" }
    if key == here.namespace.key { return "in this network namespace, " }
    return
      "in \(NamespaceNames(LiveSurveyor()).name(ofKey: key[...], known: ping.header?.netns).text), "
  }
}

extension KeptRecording {
  /// Whether there is nothing in it, and something in a newer one.
  fileprivate func isOutshone(by ping: KeptRecording?) -> Bool {
    guard let ping, let made = ping.first else { return false }
    // What a recorder has counted it writes down only now and then.
    let isEmpty = events == 0 && RecordingFiles.tally(of: path).events == 0
    return isEmpty && made > began ?? 0
  }

  /// Of when it is, and what it is called.
  fileprivate var words: String {
    let began = self.began.map { CalendarText.text($0 / 1_000_000_000) }
    let period =
      isOfPing
      ? began.map { "of \($0)" }
      : isBeingWritten ? began.map { "since \($0)" } : self.period
    return (period.map { "\($0): " } ?? "") + path
  }

  /// From when to when there is something in it; nil where nothing is.
  var period: String? {
    guard events != 0, let first else { return nil }
    let begin = CalendarText.text(first / 1_000_000_000)
    guard let last else { return "since \(begin)" }
    let end = CalendarText.text(last / 1_000_000_000)
    // Of the same day, the time is enough.
    return begin.prefix(10) == end.prefix(10)
      ? "\(begin.dropLast(4)) to \(end.dropFirst(11))" : "\(begin) to \(end)"
  }
}
