import App
import ArgumentParser
import Kernel

/// What the guardian process runs; nobody types it.
struct GuardianCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "guardian", _superCommandName: Nftrace.name, shouldDisplay: false)

  @Argument var journal: String

  @Flag var namespaces = false

  func run() throws {
    try GuardedJournal.guardianMain(journal: journal, namespaces: namespaces)
  }
}
