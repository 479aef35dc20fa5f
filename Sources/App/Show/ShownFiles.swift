internal import Kernel
internal import Report
internal import Trace

/// The files that `show` renders as one session, the older first.
package struct ShownFiles {
  /// Their paths.
  package private(set) var files: [String]
  /// What they are, in words for the user, where what is told of them does not say so itself.
  package private(set) var words: String?

  /// What somebody named: a file, or a recording by the name that 'nftrace recordings' lists.
  package init(named name: String, _ host: any ShowHost) {
    let path = Self.path(named: name)
    RecorderFlush.wait(for: path, host)
    files = StateDirectory.files(named: path)
    words = Self.words(of: files)
  }

  /// A ping is told in the words in which it was told live: where and when that was, they do not say. Nor does a recording
  /// say how much of it is gone.
  private static func words(of files: [String]) -> String? {
    guard let oldest = files.first, let newest = files.last else { return nil }
    var tally = SessionTally()
    tally.feed(FilePart.read(oldest, from: 0, count: KeptRecording.part) ?? [])
    guard let header = tally.header else { return nil }
    if header.probe != nil {
      return ReportHead(.ping, header: header, sites: header.sites).provenance.map {
        "a ping, \($0)"
      }
    }
    let gone = KeptRecording.gone(RecordingFiles.tail(of: newest).end?.dropped.records)
    return gone.isEmpty ? nil : "what is left of a recording\(gone)"
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
  package init(orPing: Bool, _ host: any ShowHost) throws {
    let ways = ", or name a FILE"
    // What cannot be seen is not nothing.
    try StateDirectory.checkReadable("look for what is recorded", help: ways)
    let setupFiles = SetupFiles(namespace: try host.place())
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
    RecorderFlush.wait(for: path, host)
    let recording = try Self.recording(path)
    let ping = try orPing ? Self.recording(StateDirectory.lastSession) : nil
    if let recording, !recording.isOutshone(by: ping) {
      files = recording.files
      let whose = setup == nil ? "an earlier setup" : "the setup"
      words =
        "the recording of \(whose) in this network namespace, \(recording.words)"
        + KeptRecording.gone(recording.dropped)
      if let ping, let made = ping.first, made > recording.last ?? 0 {
        words! += "; there is a newer ping: 'nftrace show \(ping.name)'"
      }
    } else if let ping {
      files = ping.files
      words = "the last ping, \(Self.place(of: ping, setupFiles, host))\(ping.words)"
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
  private static func place(
    of ping: KeptRecording, _ here: SetupFiles, _ host: any ShowHost
  ) -> String {
    guard let key = ping.header?.namespace else { return "" }
    if key == here.namespace.key { return "in this network namespace, " }
    return
      "in \(NamespaceNames(host).name(ofKey: key[...], known: ping.header?.netns).text), "
  }
}
