internal import Kernel
internal import Report
internal import Trace

/// Records what the rules of a setup report: the command around a `Recorder`.
package struct RecordRun {
  private let file: String
  /// Octets of the recording.
  private let limit: Int
  /// Whether setup started it, and waits for it to be ready.
  private let isBackground: Bool
  private let options: OutputOptions
  private let host: any RecorderHost
  /// Where it tells what it counts.
  private let metrics: String?
  /// Who exports what is dropped.
  private let export: DropExport?

  /// Writes to this file, which setup has named if it started this, and what it counts to the file `metrics`.
  package init(
    to file: String, limit: Int, isBackground: Bool, _ options: OutputOptions,
    _ host: any RecorderHost, metrics: String? = nil, export: DropExport? = nil
  ) {
    self.metrics = metrics
    self.export = export
    self.file = file
    self.limit = limit
    self.isBackground = isBackground
    self.options = options
    self.host = host
  }

  /// Records until a signal comes, and returns that, or until the namespace or the setup is gone.
  package func run() throws -> Int32? {
    let store = try host.store()
    let setup = try setup(store)
    let path = try isBackground ? file : OutputFile.realPath(file)
    let metrics = try metrics.map { path throws(KernelError) in try OutputFile.realPath(path) }
    let kernel = try host.kernel(
      of: setup,
      writing: [path, metrics].compactMap { $0.map(OutputFile.directory(of:)) } + [
        StateDirectory.path
      ])
    guard let identity = host.identity else {
      throw KernelError(cannot: "find out about this process", help: "/proc is not mounted")
    }
    let output = try host.file(path, isOurs: isBackground)
    var recorder = Recorder(
      store, setup, kernel: kernel, loop: host.loop, to: output, path: path, limit: limit,
      isOurs: isBackground, identity: identity, netns: options.netns,
      metrics: metrics.map { host.metrics($0) })
    let signal: Int32?
    do {
      signal = try recorder.run {
        export?.begin()
        host.sayReady(toSetup: isBackground)
        if !isBackground, !options.isQuiet {
          Output.complain("recording to \(path), ^C ends")
        }
      }
    } catch {
      try? sum(up: recorder.state)
      export?.finish { host.loop.signal() != nil }
      throw error
    }
    try sum(up: recorder.state)
    export?.finish { host.loop.signal() != nil }
    if !isBackground, signal == nil { Output.complain("ended, for \(Recorder.deleted)") }
    return signal
  }

  /// What is to be recorded; throws where that is nothing, or somebody does.
  private func setup(_ store: any SetupStore) throws -> SetupState {
    guard let setup = try store.load() else {
      throw UsageError(
        "nothing is set up in this network namespace: 'nftrace setup --no-record SUBNET' first, "
          + "then record what it reports")
    }
    guard setup.group != nil else {
      throw UsageError(
        "the setup here writes to the kernel log: there is nothing to record, and "
          + "'nftrace show --backend log' shows it")
    }
    if !isBackground, let living = try store.recorder()?.living {
      throw UsageError(
        "this setup is recorded already, by process \(living.process): 'nftrace show --follow' "
          + "tells what it sees; 'nftrace setup --no-record' sets up without a recorder")
    }
    return setup
  }

  /// Says what was recorded.
  private func sum(up end: RecorderState) throws(KernelError) {
    if isBackground { return }
    let facts = RecorderFacts(end)
    let statements = [
      Statement("netns", .string(options.netns)),
      Statement("session", .string(end.session), facts.summary),
      Statement("recorder", facts.statements.object),
    ]
    if options.json {
      try Output.print(.object(JSONObjects.head("record") + statements.members))
    } else {
      try Output.tell(statements)
    }
  }
}
