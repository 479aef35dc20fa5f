internal import Wire

/// What a rule asks for, as far as the words say that it was written in: nft's or iptables'.
struct RuleConditions {
  private let words: [String]

  init(_ text: String) {
    var words: [String] = []
    var word = ""
    var isQuoted = false
    for character in text {
      if character == "\"" {
        isQuoted.toggle()
      } else if character == " ", !isQuoted {
        if !word.isEmpty { words.append(word) }
        word = ""
      } else {
        word.append(character)
      }
    }
    if !word.isEmpty { words.append(word) }
    // What somebody notes beside a rule asks for nothing.
    while let comment = words.firstIndex(where: { ["comment", "--comment"].contains($0) }) {
      let isModule = comment > 0 && words[comment - 1] == "-m"
      words.removeSubrange(
        (isModule ? comment - 1 : comment)..<min(comment + (isModule ? 1 : 2), words.count))
    }
    self.words = words
  }

  /// What the rule asks for that the packet is not, behind "the rule asks for"; nil where that is not to be seen.
  func difference(_ lost: LostPacket) -> String? { difference(SeenPacket(lost)) }

  /// The same of a packet as it is seen.
  func difference(_ seen: SeenPacket) -> String? {
    let packet = seen.packet
    if let proto, proto != packet.proto { return proto.description.uppercased() }
    if let own = seen.output, let asked = after(Self.outputs), !asked.takes(device: own) {
      return "what leaves by \(asked.text)"
    }
    if let own = seen.input, let asked = after(Self.inputs), !asked.takes(device: own) {
      // nft names an interface by its number where none has that any more.
      return asked.isNumber
        ? "what comes in by the interface that had the number \(asked.text), which is gone ('iifname' finds one that was "
          + "made anew)"
        : "what comes in by \(asked.text)"
    }
    for (names, side, addresses) in [
      (Self.destinations, "for", [seen.asked, packet.destination]),
      (Self.sources, "from", [packet.source]),
    ] {
      if let asked = after(names), addresses.allSatisfy({ asked.takes(address: $0) == false }) {
        return "what is \(side) \(asked.text)"
      }
    }
    for (names, side, port) in [
      (Self.destinationPorts, "for", packet.destinationPort),
      (Self.sourcePorts, "from", packet.sourcePort),
    ] {
      if let port, let asked = after(names), asked.takes(port: port) == false {
        return "what is \(side) port \(asked.text)"
      }
    }
    if let asked = kinds, packet.isEchoRequest, asked.takesEchoRequests == false {
      return "ICMP of the type \(asked.text)"
    }
    if let state = seen.state, let asked = states, !asked.takes(state: state) {
      return "packets whose connection is \(asked.text)"
    }
    return nil
  }

  /// " by eth0": what the rule asks for of the interface that packets come in by, if it does.
  var inputWords: String { after(Self.inputs).map { " by \($0.text)" } ?? "" }

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
    if let ports = after(Self.destinationPorts),
      let takes = ports.named(lost.packet.destinationPort)
    {
      return takes
    }
    guard let asked = after(Self.destinations), !asked.isInverted else { return false }
    return [lost.packet.destination, lost.journey.packet.destination].contains { address in
      asked.values.contains { Prefix($0).map { $0.length > 8 && $0.contains(address) } ?? false }
    }
  }

  /// Whether the rule asks for the port that packets go to, by a set as well.
  var asksForPort: Bool { !values(behind: Self.destinationPorts).isEmpty }

  // MARK: What it asks for

  static let inputs = ["-i", "iifname", "iif"]
  private static let outputs = ["-o", "oifname", "oif"]
  static let sources = ["-s", "saddr"]
  static let destinations = ["-d", "daddr"]
  private static let sourcePorts = ["--sport", "--sports", "sport"]
  static let destinationPorts = ["--dport", "--dports", "dport"]

  private var isIPTables: Bool { words.first == "-A" }

  /// The protocol that the rule asks for, if it names one.
  var proto: IPProtocol? {
    if let asked = after(["-p", "l4proto", "protocol", "nexthdr"]) {
      return asked.isInverted || asked.values.count != 1 ? nil : Self.proto(asked.values[0])
    }
    if isIPTables { return nil }
    // "tcp dport 22", "icmp type echo-request".
    let fields = ["dport", "sport", "flags", "type", "code", "option"]
    return zip(words, words.dropFirst()).lazy
      .compactMap { fields.contains($1) ? Self.proto($0) : nil }.first
  }

  private static func proto(_ name: String) -> IPProtocol? {
    switch name {
    case "tcp": .tcp
    case "udp": .udp
    case "sctp": .sctp
    case "icmp": .icmp
    case "icmpv6", "ipv6-icmp": .icmpv6
    default: nil
    }
  }

  /// The ICMP types that the rule asks for.
  private var kinds: Asked? {
    if isIPTables { return after(["--icmp-type", "--icmpv6-type"]) }
    let isICMP = zip(words, words.dropFirst()).contains {
      ["icmp", "icmpv6"].contains($0) && $1 == "type"
    }
    return isICMP ? after(["type"]) : nil
  }

  /// The states of connections that it asks for.
  private var states: Asked? {
    let asked = after(isIPTables ? ["--ctstate", "--state"] : ["state"])
    return asked?.values.first == "vmap" ? nil : asked
  }

  /// The values that it asks for behind the first of these, whether it wants them or others; the name of a set with its
  /// "@".
  func values(behind names: [String]) -> [String] {
    guard let place = words.firstIndex(where: names.contains) else { return [] }
    let rest = words[(place + 1)...].drop { ["!=", "==", "vmap", "map"].contains($0) }
    guard let first = rest.first, first.hasPrefix("@") else {
      return Asked(rest, isInverted: false)?.values ?? []
    }
    return [first]
  }

  /// What the rule asks for behind the first of these; nil where it does not ask for it, or for what is in a set that
  /// has a name.
  private func after(_ names: [String]) -> Asked? {
    guard let place = words.firstIndex(where: names.contains) else { return nil }
    return Asked(words[(place + 1)...], isInverted: place > 0 && words[place - 1] == "!")
  }
}

// MARK: Whether it takes a packet

extension RuleConditions {
  /// Whether the rule accepts the packet for certain: all that it asks for is seen, and the packet is all of that.
  func surelyAccepts(_ seen: SeenPacket) -> Bool {
    guard difference(seen) == nil else { return false }
    var rest = words[...]
    while let word = rest.popFirst() {
      switch word {
      case "!", "ip", "ip6", "meta", "ct", "tcp", "udp", "sctp", "counter": continue
      case "-A", "packets", "bytes": _ = rest.popFirst()
      case "-m":
        guard let module = rest.popFirst(), ["conntrack", "state", "tcp", "udp"].contains(module)
        else { return false }
      case "state" where rest.first == "vmap":
        // The rest are what else becomes of a packet.
        return Self.verdict(of: "established", in: rest) == "accept" && seen.state == .established
      case "accept": return rest.isEmpty
      case "-j": return rest.popFirst() == "ACCEPT" && rest.isEmpty
      default:
        guard let asked = Asked(rest, isInverted: false), isSeen(word, asked, seen) else {
          return false
        }
        rest = asked.rest
      }
    }
    return false
  }

  /// Whether the packet may end here, or leave the chain, and not be accepted by it.
  func mayStop(_ seen: SeenPacket) -> Bool {
    words.contains { Self.otherEnds.contains($0) } && difference(seen) == nil
  }

  private static let otherEnds = [
    "drop", "reject", "goto", "return", "DROP", "REJECT", "RETURN", "-g",
  ]

  /// Whether what is asked for behind a word can be told of the packet.
  private func isSeen(_ word: String, _ asked: Asked, _ seen: SeenPacket) -> Bool {
    let packet = seen.packet
    return switch word {
    case _ where Self.inputs.contains(word): seen.input != nil
    case _ where Self.outputs.contains(word): seen.output != nil
    case _ where Self.sources.contains(word): asked.takes(address: packet.source) != nil
    case _ where Self.destinations.contains(word): asked.takes(address: packet.destination) != nil
    case _ where Self.sourcePorts.contains(word):
      packet.sourcePort.map { asked.takes(port: $0) != nil } ?? false
    case _ where Self.destinationPorts.contains(word):
      packet.destinationPort.map { asked.takes(port: $0) != nil } ?? false
    case "-p", "l4proto": asked.values.count == 1 && Self.proto(asked.values[0]) == packet.proto
    case "state", "--ctstate", "--state": seen.state != nil
    default: false
    }
  }

  /// What becomes of a key in "vmap { KEY : VERDICT, … }".
  private static func verdict(of key: String, in words: ArraySlice<String>) -> String? {
    guard let place = words.firstIndex(of: key),
      words.dropFirst(place - words.startIndex + 1).first == ":"
    else { return nil }
    return words.dropFirst(place - words.startIndex + 2).first?.filter { $0 != "," }
  }
}

extension RuleConditions {
  /// Values of one field that a rule asks for.
  private struct Asked {
    var values: [String]
    var isInverted: Bool
    /// The words behind them.
    var rest: ArraySlice<String>

    /// The values at the beginning of these words: one, or some in braces; nil for those of a set that has a name.
    init?(_ words: ArraySlice<String>, isInverted: Bool) {
      var rest = words
      self.isInverted = isInverted
      if rest.first == "!=" {
        self.isInverted = true
        rest = rest.dropFirst()
      }
      if rest.first == "{" {
        values = Array(rest.dropFirst().prefix { $0 != "}" })
        rest = rest.dropFirst(values.count + 2)
      } else {
        values = Array(rest.prefix(1))
        rest = rest.dropFirst()
      }
      guard let first = values.first, !"@$".contains(first.first ?? "@") else { return nil }
      values = values.flatMap { $0.split(separator: ",").map(String.init) }
      self.rest = rest
    }

    /// "lan0", "another than lan0".
    var text: String {
      (isInverted ? "another than " : "") + Escape.text(values.joined(separator: ", "))
    }

    /// Whether it is a number, by which nft writes an interface that is gone.
    var isNumber: Bool { !values.isEmpty && values.allSatisfy { UInt32($0) != nil } }

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

    /// nil where it is not to be seen.
    func takes(port: UInt16) -> Bool? { named(port).map { $0 != isInverted } }

    /// Whether a port is among the values; nil where that is not to be seen.
    func named(_ port: UInt16?) -> Bool? {
      let ranges = values.compactMap { value -> ClosedRange<UInt16>? in
        let ends = value.split(whereSeparator: { ":-".contains($0) }).map { UInt16($0) }
        guard let first = ends.first ?? nil, let last = ends.last ?? nil, first <= last else {
          return nil
        }
        return first...last
      }
      guard ranges.count == values.count else { return nil }
      return port.map { port in ranges.contains { $0.contains(port) } } ?? false
    }

    /// Whether echo requests are among the ICMP types; nil where that is not to be seen.
    var takesEchoRequests: Bool? {
      let isAsked = values.contains { ["echo-request", "8", "8/0", "128", "any"].contains($0) }
      let areNames = values.allSatisfy { $0.utf8.allSatisfy { $0 != UInt8(ascii: "@") } }
      return areNames ? isAsked != isInverted : nil
    }

    func takes(state: Connection.State) -> Bool {
      values.contains { $0.lowercased() == state.rawValue } != isInverted
    }
  }
}

extension Packet {
  /// Whether this is a ping's question.
  var isEchoRequest: Bool {
    icmp?.isEchoRequest(proto) ?? false
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
