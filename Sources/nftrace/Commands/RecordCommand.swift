import App
import ArgumentParser
import Kernel

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

      With '-' for FILE, what this namespace's setup reports from now on goes to standard output, \
      whether it is recorded in the background or not, and where it is not, the rules are left as \
      they are: 'nftrace record - | wireshark -k -i -'.
      """)

  @Argument(
    help: ArgumentHelp("The session file to write, or - for standard output.", valueName: "file"),
    completion: .file())
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
    if file == "-", !background {
      if Terminal.isInteractive {
        throw UsageError("a session is nothing to read on a terminal: 'nftrace show --follow' is")
      }
      if let signal = try SessionPipe.write(to: PatientOutput(), shared) {
        Output.exit(128 + signal)
      }
      return
    }
    try shared.enterNamespace()
    try SharedOptions.takeBackLeftovers()
    let signal = try RecordRun(
      to: file, limit: limit.octets, isBackground: background, shared.output, LiveRecorderHost()
    ).run()
    if let signal, !background { Output.exit(128 + signal) }
  }
}
