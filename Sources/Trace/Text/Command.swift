public import Wire

/// A command line for a root shell that can only be made of checked words: its own are literals, and
/// a name of others comes in as a `Word`, or not at all. Text cannot be put in.
public struct Command: Sendable, Equatable, ExpressibleByStringInterpolation {
  /// The line, to be pasted.
  public let text: String

  fileprivate init(text: String) { self.text = text }

  /// A command without words of others.
  public init(stringLiteral value: String) { text = value }

  /// A command with words of others.
  public init(stringInterpolation: StringInterpolation) { text = stringInterpolation.text }

  /// What may stand in a command.
  public struct StringInterpolation: StringInterpolationProtocol {
    fileprivate var text = ""

    /// Nothing yet.
    public init(literalCapacity: Int, interpolationCount: Int) {
      text.reserveCapacity(literalCapacity + 8 * interpolationCount)
    }

    /// nftrace's own words.
    public mutating func appendLiteral(_ literal: String) { text += literal }
    /// A checked name.
    public mutating func appendInterpolation(_ word: Word) { text += word.text }
    /// A part of a command.
    public mutating func appendInterpolation(_ command: Command) { text += command.text }
    /// A number.
    public mutating func appendInterpolation(_ number: some BinaryInteger) { text += "\(number)" }
    /// An address.
    public mutating func appendInterpolation(_ address: IPAddress) { text += "\(address)" }
    /// A prefix.
    public mutating func appendInterpolation(_ prefix: Prefix) { text += "\(prefix)" }
    /// A protocol's name or number.
    public mutating func appendInterpolation(_ proto: IPProtocol) { text += "\(proto)" }
    /// A kind of route, as ip(8) has it.
    public mutating func appendInterpolation(_ kind: RouteMessage.Kind) { text += "\(kind)" }
    /// What a rule of policy routing does, as ip(8) has it.
    public mutating func appendInterpolation(_ action: RuleMessage.Action) { text += "\(action)" }
    /// A number in hexadecimal.
    public mutating func appendInterpolation(hex number: some BinaryInteger) {
      text += "0x" + String(number, radix: 16)
    }
  }

  /// One behind the other.
  public static func + (left: Command, right: Command) -> Command {
    Command(text: left.text + right.text)
  }

  /// One behind the other.
  public static func += (left: inout Command, right: Command) { left = left + right }

  /// What a message says at its end about an interface, behind a colon: nothing where it has a name
  /// that no command takes.
  public static func advice(about device: String, _ command: (Word) -> Command) -> String {
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

/// A name of others as a word that the shell and the program behind it read as just this name.
public struct Word: Sendable, Equatable {
  /// As it is written in a command.
  public let text: String

  /// Why a name cannot be in a command.
  public struct Unspeakable: Error, Equatable {
    /// The name.
    public let name: String
    /// Whose language has no word for it: "nft".
    public let language: String
  }

  /// A table, chain or set for nft, which has no way to quote one.
  public static func nft(_ name: String) throws(Unspeakable) -> Word {
    let isWord =
      name.utf8.first.map { isLetter($0) || $0 == UInt8(ascii: "_") } == true
      && name.utf8.count < 128
      && name.utf8.allSatisfy { isLetter($0) || isDigit($0) || nftSigns.contains($0) }
    guard isWord, !NFTKeywords.all.contains(name) else {
      throw Unspeakable(name: name, language: "nft")
    }
    return Word(text: name)
  }

  /// A family of tables for nft.
  public static func nftFamily(_ family: UInt8) throws(Unspeakable) -> Word {
    let name = NFProto.name(family)
    guard isOrdinary(name), !name.contains(" ") else {
      throw Unspeakable(name: name, language: "nft")
    }
    return Word(text: name)
  }

  /// An interface in nft's quotes. An asterisk at its end would stand for others, too.
  static func nftDevice(_ name: String) throws(Unspeakable) -> Word {
    Word(text: "\"\(try device(name, for: "nft").text)\"")
  }

  /// A chain for iptables.
  public static func iptables(chain name: String) throws(Unspeakable) -> Word {
    // XT_EXTENSION_MAXNAMELEN; what is longer can be made in nf_tables alone.
    guard isOrdinary(name), name.utf8.count < 29 else {
      throw Unspeakable(name: name, language: "iptables")
    }
    return Word(text: name)
  }

  /// A table for iptables, which has these and no others.
  public static func iptables(table name: String) throws(Unspeakable) -> Word {
    guard ["filter", "nat", "mangle", "raw", "security"].contains(name) else {
      throw Unspeakable(name: name, language: "iptables")
    }
    return Word(text: name)
  }

  /// An interface for ip(8), tc(8) or iptables.
  static func device(_ name: String, for language: String = "ip") throws(Unspeakable) -> Word {
    // IFNAMSIZ. A plus at the end stands for others, too, in iptables, and "if" and a number is how
    // ip(8) calls the one with that number.
    let number = name.hasPrefix("if") ? name.dropFirst(2) : ""
    guard isOrdinary(name), name.utf8.count < 16, name.utf8.last != UInt8(ascii: "+"),
      !reserved.contains(name), number.isEmpty || !number.utf8.allSatisfy(isDigit)
    else { throw Unspeakable(name: name, language: language) }
    return Word(text: name)
  }

  /// A setting as sysctl(8) takes it: dots between its parts, and slashes for the dots in them.
  static func sysctl(_ name: String) throws(Unspeakable) -> Word {
    guard isOrdinary(name), !name.contains("=") else {
      throw Unspeakable(name: name, language: "sysctl")
    }
    return Word(text: name)
  }

  /// Words of ip(8) itself, where an interface's name may stand without "dev" before it.
  private static let reserved: Set<String> = ["dev", "up", "down", "help", "all", "default"]

  private static let nftSigns = Array("_-./".utf8)

  /// Whether every language here reads it as one word without quotes and with no meaning of its own,
  /// so that it is no option either.
  static func isOrdinary(_ name: String) -> Bool {
    guard let first = name.utf8.first,
      isLetter(first) || isDigit(first) || first == UInt8(ascii: "_")
    else { return false }
    return name.utf8.allSatisfy { isLetter($0) || isDigit($0) || ordinarySigns.contains($0) }
  }

  private static let ordinarySigns = Array("_-./:@+,=%".utf8)

  private static func isLetter(_ octet: UInt8) -> Bool {
    (0x41...0x5a).contains(octet) || (0x61...0x7a).contains(octet)
  }

  private static func isDigit(_ octet: UInt8) -> Bool { (0x30...0x39).contains(octet) }
}
