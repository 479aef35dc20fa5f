import App
import ArgumentParser
import Glibc
import Kernel
import Report
import Trace

@main
struct Nftrace: ParsableCommand {
  /// What the user types. Each command names it as the one above it: parsed by itself it then spells
  /// its usage right, and is not searched for requests for shell completions, which nftrace answers.
  static let name = "nftrace"

  static let configuration = CommandConfiguration(
    commandName: name,
    abstract: "What happened to my packet, and why?",
    usage: """
      nftrace DEST                      the same as 'nftrace ping DEST'
      nftrace <subcommand> [<options>]
      """,
    discussion: """
      Sends a probe into the kernel, watches it at every netfilter hook and prints its path: \
      hooks, interfaces, TTL, what NAT did and where it ended.

      Start with 'nftrace lab': a router, a client and a server in network namespaces, to try it. \
      All but --help takes the rights of root.

        nftrace ping 203.0.113.9                     as this host
        nftrace ping -s 192.168.1.20 203.0.113.9     as a client behind this router
        nftrace ping -p tcp --dport 443 example.org  a port; also example.org:443

      Rules before they are loaded: 'nftrace check' asks a copy, 'nftrace diff' compares two, and \
      'nftrace why-not' searches for what lets a probe through.

      Traffic instead of probes: 'nftrace setup 192.168.1.0/24' watches it, 'nftrace show' tells \
      what was seen, 'nftrace teardown' ends that.
      """,
    version: "nftrace \(Version.number)",
    subcommands: [
      Ping.self, Setup.self, Show.self, Teardown.self, Status.self, RecordCommand.self,
      RecordingsCommand.self, Check.self, Diff.self, WhyNot.self,
      ExtcapCommand.self, Intercept.self, LabCommand.self, GuardianCommand.self,
      WatchCommand.self,
    ])

  static func main() {
    FatalSignals.restore()
    Terminal.fillClosedStreams()
    ProcessIdentity.setName(RulesetWatch.program)
    // Swift finds them in memory by /proc/self/maps. Without it there are none, as if nothing was asked.
    guard !CommandLine.arguments.isEmpty else {
      Output.complain("cannot find out what is asked for: /proc cannot be read")
      Output.exit(3)
    }
    var words: CommandWords?
    do {
      try Privileges.distrustCaller()
      words = try CommandWords(Array(Terminal.arguments.dropFirst()))
      var command = try parsed(words!)
      try command.run()
    } catch {
      exit(for: error, words)
    }
  }

  private static func parsed(_ words: CommandWords) throws -> any ParsableCommand {
    if let command = parsedDirectly(words.words) { return command }
    guard let name = words.words.first, let command = CommandWords.command(name),
      command != LabCommand.self
    else { return try parseAsRoot(words.words) }
    let apart = words.apart(command)
    return try parsedDirectly(apart) ?? parseAsRoot(apart)
  }

  /// The command, if the first word names one and the rest fits it. To look at that one alone takes
  /// a quarter of the time; what does not fit goes the long way, whose messages know all commands.
  private static func parsedDirectly(_ words: [String]) -> (any ParsableCommand)? {
    guard let word = words.first else { return nil }
    guard let named = CommandWords.command(word, isHidden: true),
      let command = try? named.parseAsRoot(Array(words.dropFirst())),
      // Asked for help, it gives another command: the long way knows all there is to say.
      type(of: command) == named
    else { return nil }
    return command
  }

  /// Says what went wrong, and ends with the exit code of the interface: ArgumentParser's own for
  /// wrong usage is 64.
  private static func exit(for error: any Error, _ words: CommandWords? = nil) -> Never {
    switch error {
    case let code as ExitCode: Output.exit(code.rawValue)
    case let failure as KernelError where failure.errno == EPIPE && failure.function == "write":
      // Whoever read the output has read enough: the end of any program in a pipe.
      Output.exit(128 + SIGPIPE)
    default: Output.exit(complain(about: error, words))
    }
  }

  /// What is wrong with a command line that has an option which its command has not; nil if it has them all.
  private static func unknownOption(_ words: CommandWords?) -> String? {
    guard let words, let word = words.words.first, let command = CommandWords.command(word),
      command != LabCommand.self,
      let unknown = UnknownOption.first(in: Array(words.apart(command).dropFirst()), of: command)
    else { return nil }
    let meant =
      UnknownOption.habit(unknown.name, of: word).map { ": \($0)." }
      ?? unknown.nearest.map { "; did you mean \($0)?" }
    return
      "there is no option \(Escape.name(unknown.name))\(meant ?? ".") See 'nftrace \(word) --help'."
  }

  /// Says what went wrong. Returns the exit code for it.
  private static func complain(about error: any Error, _ words: CommandWords?) -> Int32 {
    if let code = Output.complain(about: error) {
      if let guess = words?.guess, (error as? KernelError)?.function == Names.lookup {
        Output.complain(
          "nor is '\(Escape.name(guess))' a command: 'nftrace --help' lists them")
      }
      return code
    }
    if exitCode(for: error) != .success, let unknown = unknownOption(words) {
      Output.complain(StyledLine(unknown))
      return 2
    }
    let text = fullMessage(for: error)
    if exitCode(for: error) == .success {
      let isScript = Terminal.arguments.contains { $0.hasPrefix(CompletionScript.option) }
      do {
        try Output.show(isScript ? CompletionScript.withRecordings(text) : text)
      } catch { exit(for: error) }
      return 0
    }
    // The parser knows nothing of the terminal.
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      let isError = line.hasPrefix("Error: ")
      Output.complain(
        StyledLine(String(isError ? line.dropFirst("Error: ".count) : line)),
        prefix: isError ? "nftrace: " : "")
    }
    return 2
  }
}
