internal import Wire

/// Something of this host that would have taken the packet but for one thing.
struct NearMiss {
  /// What keeps it from that, to be said behind a semicolon.
  var words: String
  var evidence: Evidence

  /// How many are told of.
  private static let most = 2

  /// Sockets at the packet's port that take something else.
  static func listeners(_ lost: LostPacket) -> [NearMiss] {
    var found: [NearMiss] = []
    for socket in lost.nearListeners {
      let words = difference(socket, lost)
      if !found.contains(where: { $0.words == words }) {
        found.append(NearMiss(words: words, evidence: lost.evidence(socket)))
      }
    }
    return Array(found.prefix(most))
  }

  /// What the socket takes that the packet is not.
  private static func difference(_ socket: HostSocket, _ lost: LostPacket) -> String {
    if let peer = socket.peerPlace, !socket.takesFrom(lost.packet) {
      return
        "\(socket.programName) has \(socket.place), connected to \(peer), and takes from there "
        + "alone"
    }
    let device = socket.device.flatMap { lost.snapshot.name($0) }
    let what =
      !socket.address.isUnspecified
      ? "on that address alone"
      : socket.takes(version: lost.packet.destination.family)
        ? "on \(device ?? "another interface") alone"
        : "for IPv\(socket.address.family) alone"
    return "\(socket.programName) listens on \(socket.place), \(what)"
  }

  /// Rules that forward the packet's port, and did not translate it.
  static func portForwards(_ lost: LostPacket) -> [NearMiss] {
    guard lost.destinationChange == nil else { return [] }
    return (lost.host(.portForwards).portForwards ?? []).lazy.compactMap { rule in
      difference(rule, lost).map {
        NearMiss(
          words: "a NAT rule for this port asks for \($0): \(Escape.text(rule.text))",
          evidence: .nearTranslation(rule.text))
      }
    }.prefix(most).map { $0 }
  }

  /// Rules that translate sources, and passed this packet over.
  static func sourceTranslations(_ lost: LostPacket) -> [NearMiss] {
    let families = [NFProto.inet, lost.version == 4 ? NFProto.ipv4 : NFProto.ipv6]
    let rules = lost.host(.sourceTranslations).sourceRules ?? []
    return rules.lazy.filter { families.contains($0.family) }.compactMap { rule in
      difference(rule, lost).map {
        NearMiss(
          words: "a NAT rule asks for \($0): \(Escape.text(rule.text))",
          evidence: .nearTranslation(rule.text))
      }
    }.prefix(most).map { $0 }
  }

  /// What the rule asks for that the packet is not; nil where that is not to be seen.
  private static func difference(_ rule: RuleText, _ lost: LostPacket) -> String? {
    let words = rule.text.split(separator: " ").map { $0.filter { $0 != "\"" } }
    func after(_ names: String...) -> (word: String, isInverted: Bool)? {
      guard let place = words.firstIndex(where: names.contains), place + 1 < words.count else {
        return nil
      }
      let isInverted = place > 0 && words[place - 1] == "!" || words[place + 1] == "!="
      let word = words[place + 1] == "!=" ? place + 2 : place + 1
      return word < words.count ? (words[word], isInverted) : nil
    }
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
    if lost.journey.hops.first?.point.hook == .output, rule.chain != "OUTPUT" {
      return "what comes in, and this host's own packets do not"
    }
    return nil
  }
}
