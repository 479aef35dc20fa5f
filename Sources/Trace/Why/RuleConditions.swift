internal import Wire

/// What a rule asks for, as far as the words say that it was written in: nft's or iptables'.
struct RuleConditions {
  private let words: [String]

  init(_ text: String) {
    words = text.split(separator: " ").map { $0.filter { $0 != "\"" } }
  }

  /// What the rule asks for that the packet is not, behind "the rule asks for"; nil where that is not to be seen.
  func difference(_ lost: LostPacket) -> String? {
    if let proto, proto != lost.packet.proto { return proto.description.uppercased() }
    if let own = lost.outDevice, let asked = after("-o", "oifname", "oif"),
      !asked.takes(device: own)
    {
      return "what leaves by \(asked.text)"
    }
    if let own = lost.inDevice, let asked = after("-i", "iifname", "iif"), !asked.takes(device: own)
    {
      return "what comes in by \(asked.text)"
    }
    for (names, side, address) in [
      (["-d", "daddr"], "for", lost.journey.packet.destination),
      (["-s", "saddr"], "from", lost.packet.source),
    ] {
      if let asked = after(names[0], names[1]), asked.takes(address: address) == false {
        return "what is \(side) \(asked.text)"
      }
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

  /// Whether the rule accepts what it takes.
  var accepts: Bool { words.contains("ACCEPT") || words.last == "accept" }

  /// Whether the rule seems to be made for such packets: it names the port or the address that they are for.
  func means(_ lost: LostPacket) -> Bool {
    if let ports {
      return lost.packet.destinationPort.map { port in ports.contains { $0.contains(port) } }
        ?? false
    }
    guard let asked = after("-d", "daddr"), !asked.isInverted else { return false }
    return [lost.packet.destination, lost.journey.packet.destination].contains { address in
      asked.values.contains { Prefix($0).map { $0.length > 8 && $0.contains(address) } ?? false }
    }
  }

  /// The destination ports that the rule takes; nil where it names none.
  private var ports: [ClosedRange<UInt16>]? {
    guard
      let place = words.firstIndex(where: { ["--dport", "--dports", "dport"].contains($0) }),
      place + 1 < words.count
    else { return nil }
    let rest = words[(place + 1)...]
    let named = rest.first == "{" ? rest.dropFirst().prefix { $0 != "}" } : rest.prefix(1)
    return named.flatMap { $0.split(separator: ",") }.compactMap { word in
      let ends = word.split(whereSeparator: { ":-".contains($0) }).compactMap { UInt16($0) }
      guard let first = ends.first, let last = ends.last, first <= last else { return nil }
      return first...last
    }
  }

  /// The protocol that the rule asks for, if it names one.
  private var proto: IPProtocol? {
    guard let asked = after("-p", "l4proto"), !asked.isInverted else {
      return [IPProtocol.tcp, .udp].first { proto in
        zip(words, words.dropFirst()).contains {
          $0 == proto.description && ["dport", "sport"].contains($1)
        }
      }
    }
    guard asked.values.count == 1 else { return nil }
    return [IPProtocol.tcp, .udp].first { $0.description == asked.values[0] }
  }

  /// What the rule asks for behind the first of these; nil where it does not ask for it, or for what is in a set that
  /// has a name.
  private func after(_ names: String...) -> Asked? {
    guard let place = words.firstIndex(where: names.contains) else { return nil }
    var rest = words[(place + 1)...]
    var isInverted = place > 0 && words[place - 1] == "!"
    if rest.first == "!=" {
      isInverted = true
      rest = rest.dropFirst()
    }
    let values =
      rest.first == "{" ? Array(rest.dropFirst().prefix { $0 != "}" }) : Array(rest.prefix(1))
    guard let first = values.first, !"@$".contains(first.first ?? "@") else { return nil }
    return Asked(values: values.map { $0.filter { $0 != "," } }, isInverted: isInverted)
  }

  /// Values of one field that a rule asks for.
  private struct Asked {
    var values: [String]
    var isInverted: Bool

    /// "lan0", "another than lan0".
    var text: String {
      (isInverted ? "another than " : "") + Escape.text(values.joined(separator: ", "))
    }

    func takes(device: String) -> Bool {
      let isNamed = values.contains { name in
        let stem = name.hasSuffix("+") || name.hasSuffix("*") ? name.dropLast() : nil
        return stem.map { device.hasPrefix($0) } ?? (device == name)
      }
      return isNamed != isInverted
    }

    /// nil where it is not to be seen.
    func takes(address: IPAddress) -> Bool? {
      let prefixes = values.compactMap { Prefix($0) }
      guard prefixes.count == values.count else { return nil }
      return prefixes.contains { $0.contains(address) } != isInverted
    }
  }
}

extension RuleConditions {
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
