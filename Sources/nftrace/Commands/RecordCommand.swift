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

  /// What setup says of it as well.
  static let metricsHelp = ArgumentHelp(
    "Count drops by rule, and what passes each point, in this file for Prometheus's node_exporter: a name that ends "
      + "with .prom, in its textfile directory.", valueName: "file")

  @Option(help: metricsHelp, completion: .file())
  var metrics: String?

  @Option(
    help: ArgumentHelp(
      "Export samples of what is dropped as OpenTelemetry logs, with cause and rule: to a collector, http://HOST:4318; to "
        + "what OTEL_EXPORTER_OTLP_ENDPOINT says, 'env'; or as JSON to a file.",
      valueName: "url|env|file"), completion: .file())
  var otlp: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "With --otlp, how many packets of each rule and minute, 1 to 1000. Default: 1.",
      valueName: "n"))
  var samples: Int?

  /// It was started by setup, which waits for it to be ready.
  @Flag(help: .hidden)
  var background = false

  @OptionGroup var shared: SharedOptions

  func validate() throws {
    if file == "-", !background, metrics != nil {
      throw ValidationError(
        "--metrics is for a recorder, and with '-' for FILE there is none: 'record FILE --metrics'")
    }
    if file == "-", otlp != nil {
      throw ValidationError(
        "--otlp exports what is recorded in a file, and with '-' for FILE there is none")
    }
    if otlp == file { throw ValidationError("--otlp and FILE name one file, and write two") }
    if let samples {
      guard otlp != nil else { throw ValidationError("--samples goes with --otlp") }
      try Ping.check("--samples", samples, 1...1000)
    }
    if metrics == file { throw ValidationError("--metrics and FILE name one file, and write two") }
    try Self.check(metrics: metrics)
  }

  static func check(metrics: String?) throws {
    if let metrics, !metrics.hasSuffix(".prom") {
      throw ValidationError("--metrics '\(metrics)': node_exporter reads files that end with .prom")
    }
  }

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
    // The calling network namespace has the collector.
    let export = try DropExport.open(otlp, of: file, samples: samples ?? 1)
    try shared.enterNamespace()
    try SharedOptions.takeBackLeftovers()
    let signal = try RecordRun(
      to: file, limit: limit.octets, isBackground: background, shared.output, LiveRecorderHost(),
      metrics: metrics, export: export
    ).run()
    if let signal, !background { Output.exit(128 + signal) }
  }
}
