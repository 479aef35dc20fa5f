import App
import ArgumentParser
import Kernel
import Trace

/// What `ping --via` starts on other machines; nobody types it.
struct WatchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "watch", _superCommandName: Nftrace.name, shouldDisplay: false)

  /// The directory that this program was copied to, for as long as this lasts.
  @Option(help: .hidden)
  var brought: String?

  func run() throws {
    if let brought { RunningProgram.removeOurselves(from: brought) }
    if Terminal.isInteractive {
      throw UsageError("'nftrace watch' is what 'nftrace ping --via' starts on other machines")
    }
    try SharedOptions.takeBackLeftovers()
    let settings = TemporarySettings()
    var run = WatchRun(for: StandardChannel(), Loop())
    let watched = Result {
      try run.run { plan in
        try PingNamespace(
          name: nil, settings: settings,
          kernel: LivePing(rights: RuleListing.rights.union(.network), isRoot: false))
      }
    }
    try settings.end()
    if let signal = try watched.get() { Output.exit(128 + signal) }
  }
}
