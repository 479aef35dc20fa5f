internal import Wire

/// A name of others as a word that the shell and the program behind it read as just this name.
package struct Word: Sendable, Equatable {
  /// As it is written in a command.
  package let text: String

  /// Why a name cannot be in a command.
  package struct Unspeakable: Error, Equatable {
    /// The name.
    package let name: String
    /// Whose language has no word for it: "nft".
    package let language: String
  }

  /// A table, chain or set for nft, which has no way to quote one.
  package static func nft(_ name: String) throws(Unspeakable) -> Word {
    let isWord =
      name.utf8.first.map { isLetter($0) || $0 == UInt8(ascii: "_") } == true
      && name.utf8.count < 128
      && name.utf8.allSatisfy { isLetter($0) || isDigit($0) || nftSigns.contains($0) }
    guard isWord, !NFTKeywords.all.contains(name) else {
      throw Unspeakable(name: name, language: "nft")
    }
    return Word(text: name)
  }

  /// A text for a shell, in its quotes.
  static func text(_ text: String) throws(Unspeakable) -> Word {
    guard text.utf8.allSatisfy({ (0x20..<0x7f).contains($0) && $0 != UInt8(ascii: "'") }),
      text.utf8.first != UInt8(ascii: "-")
    else { throw Unspeakable(name: text, language: "sh") }
    return Word(text: "'\(text)'")
  }

  /// An interface for nftrace itself, which takes any name: in a shell's quotes where that would see a meaning in it.
  static func ownDevice(_ name: String) throws(Unspeakable) -> Word {
    isOrdinary(name) ? Word(text: name) : try text(name)
  }

  /// All zones, for OpenWrt's uci in a shell.
  static let everyZone = Word(text: "'*'")

  /// A family of tables for nft.
  package static func nftFamily(_ family: UInt8) throws(Unspeakable) -> Word {
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
  package static func iptables(chain name: String) throws(Unspeakable) -> Word {
    // XT_EXTENSION_MAXNAMELEN; what is longer can be made in nf_tables alone.
    guard isOrdinary(name), name.utf8.count < 29 else {
      throw Unspeakable(name: name, language: "iptables")
    }
    return Word(text: name)
  }

  /// A table for iptables, which has these and no others.
  package static func iptables(table name: String) throws(Unspeakable) -> Word {
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

  /// A network namespace's name, path or process, for `ip netns` and `--netns`.
  static func namespace(_ name: String) throws(Unspeakable) -> Word {
    guard isOrdinary(name.hasPrefix("/") ? String(name.dropFirst()) : name) else {
      throw Unspeakable(name: name, language: "ip")
    }
    return Word(text: name)
  }

  /// A machine for ssh(1): a name or an address, perhaps with a user before it.
  static func machine(_ name: String) throws(Unspeakable) -> Word {
    guard isOrdinary(name) else {
      throw Unspeakable(name: name, language: "ssh")
    }
    return Word(text: name)
  }

  /// A setting as sysctl(8) takes it: dots between its parts, and slashes for the dots in them.
  static func sysctl(_ name: String) throws(Unspeakable) -> Word {
    guard isOrdinary(name), !name.contains("=") else {
      throw Unspeakable(name: name, language: "sysctl")
    }
    return Word(text: name)
  }

  /// What a rule says, as its own tool lists it: for that tool to read again. What a shell would see a
  /// meaning in is not taken; a comment may stand in double quotes.
  static func rule(_ text: String, for language: String) throws(Unspeakable) -> Word {
    let words = text.split(separator: " ")
    let isPlain = words.allSatisfy { word in
      word == "!" || word == "{" || word == "}"
        || word.utf8.allSatisfy {
          isLetter($0) || isDigit($0) || ordinarySigns.contains($0) || $0 == UInt8(ascii: "\"")
        }
    }
    let quotes = text.utf8.count { $0 == UInt8(ascii: "\"") }
    guard isPlain, quotes % 2 == 0, language == "nft" || !text.contains("{") else {
      throw Unspeakable(name: text, language: language)
    }
    return Word(text: text)
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
