package import Wire

/// A command line for a root shell that can only be made of checked words: its own are literals, and
/// a name of others comes in as a `Word`, or not at all. Text cannot be put in.
package struct Command: Sendable, Equatable, ExpressibleByStringInterpolation {
  /// The line, to be pasted.
  package let text: String

  fileprivate init(text: String) { self.text = text }

  /// A command without words of others.
  package init(stringLiteral value: String) { text = value }

  /// A remedy that was read from somewhere, if it changes nothing but the network namespace it is run in.
  init?(confined text: String) {
    guard RemedyTrial.isConfined(text) else { return nil }
    self.text = text
  }

  /// A command with words of others.
  package init(stringInterpolation: StringInterpolation) { text = stringInterpolation.text }

  /// What may stand in a command.
  package struct StringInterpolation: StringInterpolationProtocol {
    fileprivate var text = ""

    /// Nothing yet.
    package init(literalCapacity: Int, interpolationCount: Int) {
      text.reserveCapacity(literalCapacity + 8 * interpolationCount)
    }

    /// nftrace's own words.
    package mutating func appendLiteral(_ literal: String) { text += literal }
    /// A checked name.
    package mutating func appendInterpolation(_ word: Word) { text += word.text }
    /// A part of a command.
    package mutating func appendInterpolation(_ command: Command) { text += command.text }
    /// A number.
    package mutating func appendInterpolation(_ number: some BinaryInteger) { text += "\(number)" }
    /// An address.
    package mutating func appendInterpolation(_ address: IPAddress) { text += "\(address)" }
    /// A link-layer address.
    package mutating func appendInterpolation(_ address: HardwareAddress) { text += "\(address)" }
    /// A prefix.
    package mutating func appendInterpolation(_ prefix: Prefix) { text += "\(prefix)" }
    /// A protocol's name or number.
    package mutating func appendInterpolation(_ proto: IPProtocol) { text += "\(proto)" }
    /// Flags of TCP by their names.
    package mutating func appendInterpolation(_ flags: TCPHeader.Flags) { text += flags.names }
    /// A kind of route, as ip(8) has it.
    package mutating func appendInterpolation(_ kind: RouteMessage.Kind) { text += "\(kind)" }
    /// What a rule of policy routing does, as ip(8) has it.
    package mutating func appendInterpolation(_ action: RoutingRule.Action) { text += "\(action)" }
    /// Octets in hexadecimal.
    package mutating func appendInterpolation(_ octets: [UInt8]) { text += octets.hexadecimal }
    /// What carries a trace.
    package mutating func appendInterpolation(_ carrier: ContextCarrier) {
      text += carrier.rawValue
    }
    /// A number in hexadecimal.
    package mutating func appendInterpolation(hex number: some BinaryInteger) {
      text += "0x" + String(number, radix: 16)
    }
  }

  /// This command, run by another one that takes a command for its last words: each part of it, or all of it in
  /// a shell of its own where it is more than commands one after the other.
  func run(through runner: Command) -> Command {
    let parts = text.split(separator: " && ", omittingEmptySubsequences: false)
    let isPlain = parts.allSatisfy { part in
      var isQuoted = false
      return part.allSatisfy { letter in
        if letter == "'" { isQuoted.toggle() }
        return isQuoted || !"|;<>$`(&".contains(letter)
      } && !isQuoted && !part.hasPrefix("!")
    }
    if isPlain {
      // What names a namespace of its own is run there, from wherever.
      let absolute = ["ip netns exec ", "ip -n "]
      let isInNamespace = runner.text.hasPrefix("ip netns exec ")
      let whole = parts.map { part in
        isInNamespace && absolute.contains(where: part.hasPrefix)
          ? String(part) : runner.text + part
      }
      return Command(text: whole.joined(separator: " && "))
    }
    return Command(text: runner.text + "sh -c " + asOneWord)
  }

  /// This command on another machine, whose shell ssh(1) gives one word to read.
  func run(on machine: Word) -> Command { Command(text: "ssh \(machine.text) " + asOneWord) }

  /// This as one word of a shell, whatever is in it.
  private var asOneWord: String {
    let parts = text.split(separator: "'", omittingEmptySubsequences: false)
    return "'" + parts.joined(separator: "'\\''") + "'"
  }

  /// One behind the other.
  package static func + (left: Command, right: Command) -> Command {
    Command(text: left.text + right.text)
  }

  /// One behind the other.
  package static func += (left: inout Command, right: Command) { left = left + right }

  /// What a message says at its end about an interface, behind a colon: nothing where it has a name
  /// that no command takes.
  package static func advice(about device: String, _ command: (Word) -> Command) -> String {
    (try? Word.device(device)).map { ": \(command($0).text)" } ?? ""
  }

  /// This as one word of a shell: what is in it is for another language, such as nft's.
  var quoted: Command {
    // No word has a quote, and no literal may.
    precondition(!text.utf8.contains(UInt8(ascii: "'")))
    return Command(text: "'\(text)'")
  }
}

extension [Command] {
  func joined(separator: Command) -> Command {
    Command(text: map(\.text).joined(separator: separator.text))
  }
}
