import App
import ArgumentParser
import Kernel

struct RecordingsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "recordings", _superCommandName: Nftrace.name,
    abstract: "List what was recorded and is kept, or remove it.",
    discussion: """
      What setups of all network namespaces of this machine recorded, and the last ping: nothing of \
      that is removed by itself, also when the namespace is gone. 'nftrace show NAME' shows one of \
      them. How large each may become says --limit of 'nftrace setup'.

      What a recorder is writing is not removed: 'nftrace teardown' ends it.
      """)

  @Argument(help: .hidden)
  var words: [String] = []

  @Option(
    help: ArgumentHelp(
      "Remove this recording; may be given several times.", valueName: "name"),
    completion: .recordings)
  var remove: [String] = []

  @Flag(help: "Remove all recordings that are not being written.")
  var removeAll = false

  @OptionGroup var shared: SharedOptions

  mutating func validate() throws {
    try checkWords()
    if removeAll, !remove.isEmpty {
      throw ValidationError("--remove and --remove-all exclude each other")
    }
    if !shared.namespaces.isEmpty {
      throw ValidationError("recordings are those of all network namespaces: no --netns")
    }
  }

  /// Other programs have commands of their commands.
  private func checkWords() throws {
    guard let first = words.first else { return }
    if words.count == 1, ["ls", "list"].contains(first) { return }
    let rest = words.dropFirst().joined(separator: " ")
    let isRemoval = ["rm", "remove", "delete", "del"].contains(first)
    let isShow = ["show", "cat", "view"].contains(first)
    throw ValidationError(
      isRemoval
        ? "one is removed with an option: nftrace recordings --remove \(rest.isEmpty ? "NAME" : rest)"
        : "what was recorded is shown with: nftrace show "
          + (isShow ? (rest.isEmpty ? "NAME" : rest) : words.joined(separator: " ")))
  }

  func run() throws {
    try SharedOptions.takeBackLeftovers()
    // The first to ask namespaces which they are.
    try Privileges.keep([.system, .bounding], writing: [StateDirectory.path])
    try StateDirectory.checkReadable("see what is recorded")
    let run = RecordingsRun(shared.output, LiveSurveyor(), ProcessRights())
    if removeAll || !remove.isEmpty { return try run.remove(remove) }
    let code = try run.list()
    if code != 0 { Output.exit(code) }
  }
}
