import App
import ArgumentParser
import Kernel
import Report
import Trace

struct RecordCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "record", _superCommandName: Nftrace.name,
    abstract: "Record what the rules of this namespace's setup report.",
    discussion: """
      The recorder in the foreground; 'nftrace setup' starts the same in the background. It writes \
      a session to FILE until it is interrupted or torn down, follows changes of the ruleset, and \
      keeps to its limit by dropping what is oldest: FILE.1 has what came before FILE. \
      'nftrace show' reads both. A disk that is full ends it with exit code 3, behind what could be \
      written; it ends as well when nobody but nftrace is in the network namespace any more.
      """)

  @Argument(help: ArgumentHelp("The session file to write.", valueName: "file"))
  var file: String

  @OptionGroup var limit: RecordingLimit

  /// It was started by setup, which waits for it to be ready.
  @Flag(help: .hidden)
  var background = false

  @OptionGroup var shared: SharedOptions

  func run() throws {
    do {
      try record()
    } catch {
      // Once it was ready, nobody listens any more.
      if background { BackgroundProcess.sayFailure("\(error)") }
      throw error
    }
  }

  private func record() throws {
    try shared.enterNamespace()
    try SharedOptions.takeBackLeftovers()
    let setupFiles = try SetupFiles.current()
    guard let state = try setupFiles.load() else {
      throw UsageError(
        "nothing is set up in this network namespace: 'nftrace setup --no-record SUBNET' first, "
          + "then record what it reports")
    }
    guard state.group != nil else {
      throw UsageError(
        "the setup here writes to the kernel log: there is nothing to record, and "
          + "'nftrace show --backend log' shows it")
    }
    if !background, let living = try setupFiles.recorder()?.living {
      throw UsageError(
        "this setup is recorded already, by process \(living.process): 'nftrace show --follow' tells "
          + "what it sees; 'nftrace setup --no-record' sets up without a recorder")
    }
    let path = try background ? file : OutputFile.realPath(file)
    let kernel = try LiveRecorder(
      state, writing: [OutputFile.directory(of: path), StateDirectory.path])
    guard let identity = ProcessIdentity.current else {
      throw KernelError(cannot: "find out about this process", help: "/proc is not mounted")
    }
    let output = try RecordingOutput(path, isOurs: background)
    var recorder = Recorder(
      setupFiles, state, kernel: kernel, loop: Loop(), to: output, path: path,
      limit: limit.octets, isOurs: background, identity: identity, netns: shared.netns)
    let signal: Int32?
    do {
      signal = try recorder.run { if background { BackgroundProcess.sayReady() } }
    } catch {
      try? sum(up: recorder.state)
      throw error
    }
    try sum(up: recorder.state)
    if background { return }
    if let signal { Output.exit(128 + signal) }
    Output.complain("ended, for \(Recorder.deleted)")
  }

  /// Says what was recorded.
  private func sum(up end: RecorderState) throws {
    if background { return }
    if shared.json {
      try Output.print(
        JSONValue.object(
          JSONObjects.head("record") + [
            ("netns", .string(shared.netns)), ("session", .string(end.session)),
            ("recorder", SetupJSON.json(end)),
          ]))
    } else {
      try Output.print(StyledLine(Self.summary(end)))
    }
  }

  /// Which of them are about the same packet is found out when they are shown. Of a recorder that
  /// could not say how far it came, what is in its file is counted.
  static func count(_ recorder: RecorderState) -> String {
    guard recorder.saysHowFar else {
      let events = events(RecordingFiles.tally(of: recorder.session).events)
      return "\(events) in the file; how many were lost is not known"
    }
    let unwritten = recorder.unwritten.map { ", \($0) could not be written" } ?? ""
    return "\(events(recorder.events)), \(recorder.lost) lost\(unwritten)"
  }

  private static func events(_ count: Int) -> String {
    "\(count) \(count == 1 ? "event" : "events")"
  }

  static func summary(_ recorder: RecorderState) -> String {
    var text = count(recorder)
    if recorder.dropped.records > 0 {
      text +=
        "; the oldest \(recorder.dropped.records) events were dropped to keep to "
        + "\(recorder.limit >> 20) MiB"
    }
    return text + ": \(recorder.session)"
  }
}
