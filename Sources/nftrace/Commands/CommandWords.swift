import App
import ArgumentParser
import Trace

/// The words of a command line, as people write them who know other programs' habits.
struct CommandWords {
  /// The words behind the program's name.
  private(set) var words: [String]
  /// What stands where a command would, and was taken for where a probe is to go.
  private(set) var guess: String?

  private static let commands = Nftrace.configuration.subcommands.filter {
    $0.configuration.shouldDisplay
  }

  /// These words. Where they begin with where a probe is to go, that is `nftrace ping`. Throws where they name no
  /// command. Wireshark runs what is in its directory without naming one: that is `nftrace extcap`.
  init(_ words: [String]) throws(UsageError) {
    self.words = Self.withValues(words)
    guard let first = words.first, !first.isEmpty, Self.command(first, isHidden: true) == nil else {
      return
    }
    if first == "help" {
      if words.count > 1, Self.command(words[1], isHidden: true) == nil {
        throw UsageError(Self.unknown(words[1]))
      }
      return
    }
    if first.hasPrefix("--extcap-") || first == "--capture" {
      self.words.insert("extcap", at: 0)
    } else if first == "-V" {
      self.words[0] = "--version"
    } else if first.hasPrefix("-") {
      try takeOptions(first)
    } else if Self.isDestination(first)
      || words.dropFirst().allSatisfy({ $0.hasPrefix("-") })
        && Self.nearest(first) == nil
    {
      guess = Self.isDestination(first) ? nil : first
      self.words.insert("ping", at: 0)
    } else {
      throw UsageError(Self.unknown(first, words.dropFirst()))
    }
  }

  /// The words with the value that an option has where it is left out.
  private static func withValues(_ words: [String]) -> [String] {
    guard words.first == "check" else { return words }
    return words.enumerated().map { place, word in
      let next = words.dropFirst(place + 1).first ?? ""
      let isValue = next.first?.isNumber == true && next.allSatisfy { $0.isNumber || $0 == "%" }
      return word == "--coverage" && !isValue ? "--coverage=0" : word
    }
  }

  /// Options come behind the command; without one, they are those of a ping.
  private mutating func takeOptions(_ first: String) throws(UsageError) {
    if let command = words.first(where: { Self.command($0) != nil }) {
      let others = words.filter { $0 != command }
      throw UsageError(
        "options come behind the command: nftrace \(([command] + others).joined(separator: " "))")
    }
    guard words.contains(where: { Self.isDestination($0) }) else { return }
    words.insert("ping", at: 0)
  }

  /// The command of this name.
  static func command(_ name: String, isHidden: Bool = false) -> (any ParsableCommand.Type)? {
    (isHidden ? Nftrace.configuration.subcommands : commands).first { Self.name(of: $0) == name }
  }

  private static func name(of command: any ParsableCommand.Type) -> String {
    command.configuration.commandName ?? "\(command)".lowercased()
  }

  /// Whether a word can only be meant for a place in the net.
  private static func isDestination(_ word: String) -> Bool {
    guard let target = ProbeTarget(word) else { return false }
    return target.address != nil || target.port != nil || word.contains(".") || word == "localhost"
  }

  private static func unknown(_ word: String, _ rest: ArraySlice<String> = []) -> String {
    let meant = nearest(word).map { "; did you mean 'nftrace \($0)'?" }
    return
      "there is no command '\(Escape.name(word))'\(meant ?? ".") 'nftrace --help' lists them all"
  }

  /// The command that is meant by a word that is none.
  static func nearest(_ word: String) -> String? {
    let known = commands.map(name(of:)) + habits.keys.sorted()
    let nearest = NearestWord.to(word.lowercased(), among: known)
    return habits[word.lowercased()] ?? nearest.map { habits[$0] ?? $0 }
  }

  /// What others call it.
  private static let habits = [
    "trace": "ping", "traceroute": "ping", "tracepath": "ping", "mtr": "ping", "probe": "ping",
    "test": "ping", "send": "ping",
    "monitor": "show --follow", "watch": "show --follow", "follow": "show --follow",
    "tail": "show --follow", "live": "show --follow", "log": "show", "view": "show",
    "print": "show",
    "read": "show", "start": "setup", "install": "setup", "enable": "setup", "stop": "teardown",
    "remove": "teardown", "clean": "teardown", "cleanup": "teardown", "uninstall": "teardown",
    "capture": "record", "dump": "record", "list": "recordings", "ls": "recordings",
    "sessions": "recordings", "demo": "lab", "version": "--version", "doctor": "status",
  ]

  /// The words with those taken apart in which several short options stand together, the last with its value:
  /// -qc2 is -q -c2.
  func apart(_ command: any ParsableCommand.Type) -> [String] {
    let takesValue = UnknownOption.names(of: command)
    var apart: [String] = []
    var rest = words.dropFirst()
    while let word = rest.popFirst() {
      if word == "--" { return words.prefix(1) + apart + [word] + rest }
      guard word.hasPrefix("-"), !word.hasPrefix("--"), word.count > 2,
        takesValue["-\(word.dropFirst().first!)"] == false
      else {
        apart.append(word)
        if takesValue[word] == true, let value = rest.popFirst() { apart.append(value) }
        continue
      }
      var letters = word.dropFirst()
      while let letter = letters.popFirst() {
        if takesValue["-\(letter)"] == false {
          apart.append("-\(letter)")
        } else {
          apart.append("-\(letter)" + letters)
          if letters.isEmpty, let value = rest.popFirst() { apart.append(value) }
          break
        }
      }
    }
    return words.prefix(1) + apart
  }
}
