internal import Wire

/// What a rule asks for, as far as the words say that it was written in: nft's or iptables'.
struct RuleWords {
  private let words: [String]

  init(_ text: String) {
    words = text.split(separator: " ").map { $0.filter { $0 != "\"" } }
  }

  /// What the rule asks for that the packet is not, behind "the rule asks for"; nil where that is not to be seen.
  func difference(_ lost: LostPacket) -> String? {
    if let proto, proto != lost.packet.proto { return "\(proto.description.uppercased())" }
    if let (device, isInverted) = after("-o", "oifname", "oif"), let own = lost.outDevice {
      let fits = device.hasSuffix("+") ? own.hasPrefix(device.dropLast()) : device == own
      if fits == isInverted {
        return "what leaves by \(isInverted ? "another interface than " : "")\(device)"
      }
    }
    if let (device, isInverted) = after("-i", "iifname", "iif"), let own = lost.inDevice {
      let fits = device.hasSuffix("+") ? own.hasPrefix(device.dropLast()) : device == own
      if fits == isInverted {
        return "what comes in by \(isInverted ? "another interface than " : "")\(device)"
      }
    }
    for (names, address) in [
      (["-d", "daddr"], lost.journey.packet.destination), (["-s", "saddr"], lost.packet.source),
    ] {
      guard let (word, isInverted) = after(names[0], names[1]), let prefix = Prefix(word),
        prefix.contains(address) == isInverted
      else { continue }
      let side = names[0] == "-d" ? "for" : "from"
      return "what is \(side) \(isInverted ? "another than " : "")\(word)"
    }
    return nil
  }

  /// Whether the rule counts, or looks at what was counted: how often, how many, how much. What it says of one packet
  /// is not what it says of the next.
  var counting: Counting? { Counting.allCases.first { $0.isAsked(by: words) } }

  /// Whether the packet leaves the chain by this rule, and is not dropped.
  var letsPass: Bool {
    let ends = ["ACCEPT", "RETURN", "accept", "return"]
    return words.contains { ends.contains($0) }
  }

  /// The protocol that the rule asks for, if it names one.
  private var proto: IPProtocol? {
    guard let (word, isInverted) = after("-p", "l4proto"), !isInverted else {
      return [IPProtocol.tcp, .udp].first { proto in
        zip(words, words.dropFirst()).contains {
          $0 == proto.description && ["dport", "sport"].contains($1)
        }
      }
    }
    return [IPProtocol.tcp, .udp].first { $0.description == word }
  }

  /// The word behind the first of these, and whether the rule asks for what is not so.
  private func after(_ names: String...) -> (word: String, isInverted: Bool)? {
    guard let place = words.firstIndex(where: names.contains), place + 1 < words.count else {
      return nil
    }
    let isInverted = place > 0 && words[place - 1] == "!" || words[place + 1] == "!="
    let word = words[place + 1] == "!=" ? place + 2 : place + 1
    return word < words.count ? (words[word], isInverted) : nil
  }
}

extension RuleWords {
  /// What a rule goes by that remembers packets.
  enum Counting: CaseIterable {
    case source
    case connections
    case rate
    case quota

    /// What that is.
    var criterion: String {
      switch self {
      case .source: "how often its source came of late"
      case .connections: "how many connections there are"
      case .rate: "how many packets came of late"
      case .quota: "how many octets have passed"
      }
    }

    fileprivate func isAsked(by words: [String]) -> Bool {
      switch self {
      case .source: follows("-m", "recent", words)
      case .connections: follows("-m", "connlimit", words) || follows("ct", "count", words)
      case .rate:
        follows("-m", "limit", words) || follows("-m", "hashlimit", words)
          || follows("limit", "rate", words)
      case .quota: follows("-m", "quota", words) || words.contains("quota")
      }
    }

    private func follows(_ first: String, _ second: String, _ words: [String]) -> Bool {
      zip(words, words.dropFirst()).contains { $0 == first && $1 == second }
    }
  }
}
