internal import Wire

// The next hop is on this machine, in another network namespace, and what keeps it from answering ARP or neighbour
// discovery is known there.

private let needsOfFarEnd: [Need] = [.plainRoute, .neighbours, .routes, .host(.whereabouts)]

extension DuplicateAddress {
  /// The address is not used there, for another machine was found to have it.
  enum OfNeighbour: Cause {
    static var page: FindingPage { DuplicateAddress.page }
    static let needs = needsOfFarEnd

    static func examine(_ lost: LostPacket) -> Finding? {
      guard let (asked, end, evidence) = lost.farEnd, end.isDuplicate, let holder = end.holder
      else {
        return nil
      }
      return error(
        "\(asked.address) of \(Escape.name(holder)) in \(end.place) is not used, for another machine on the link was "
          + "found to have it (dadfailed), so that nobody answers for it on \(asked.behind): once that is gone, take "
          + "the address away and give it again", evidence: evidence)
    }
  }
}

extension DuplicateAddress.Tentative {
  /// The same while that is still being asked.
  enum OfNeighbour: Cause {
    static var page: FindingPage { DuplicateAddress.Tentative.page }
    static let needs = needsOfFarEnd

    static func examine(_ lost: LostPacket) -> Finding? {
      guard let (asked, end, evidence) = lost.farEnd, end.isTentative, !end.isDuplicate,
        let holder = end.holder
      else { return nil }
      return error(
        "\(asked.address) of \(Escape.name(holder)) in \(end.place) is not used yet, for the link is still being asked "
          + "whether another machine has it (tentative), and nobody answers for it on \(asked.behind): wait, and try "
          + "again", evidence: evidence)
    }
  }
}

extension DiscoveryUnanswered {
  /// It has the address, and is told not to answer for it there.
  enum OfNeighbour: Cause {
    static var page: FindingPage { DiscoveryUnanswered.page }
    static let needs = needsOfFarEnd

    static func examine(_ lost: LostPacket) -> Finding? {
      guard let (asked, end, evidence) = lost.farEnd, let holder = end.holder,
        !end.silencers.isEmpty,
        // What a place on the probe's way does it says itself.
        lost.header?.walk?.sites.contains(where: { $0.name == end.namespace }) != true
          || end.silencers[FarEnd.noARP] != nil
      else { return nil }
      let settings = end.silencers.sorted { $0.key < $1.key }
      let asks = asked.address.family == 4 ? "ARP" : "neighbour discovery"
      let words = settings.map { "\($0.key) is \($0.value)" }.joined(separator: ", ")
      return error(
        "\(asked.behind) asks for \(asked.address) by \(asks), and \(end.place) does not answer: the address is on "
          + "\(Escape.name(holder)), and \(words)",
        evidence: evidence + settings.map { .setting($0.key, value: $0.value) },
        remedy: try remedy(end, settings.map(\.key)))
    }

    private static func remedy(
      _ end: FarEnd, _ settings: [String]
    ) throws(Word.Unspeakable) -> Command? {
      var changes: [Command] = []
      for name in settings {
        // The flag of an interface, and no setting of the kernel's.
        if name == FarEnd.noARP {
          return try end.command("ip link set dev \(try Word.device(end.device)) arp on")
        }
        changes.append("\(try Word.sysctl(name))=0")
      }
      return try end.command("sysctl -w \(changes.joined(separator: " "))")
    }
  }
}

extension FarEnd {
  /// The name among the silencers of the flag by which an interface does without ARP and neighbour discovery.
  package static let noARP = "NOARP"
}

extension BridgePortIsolated {
  /// A bridge there keeps the question from who has the address.
  enum OfNeighbour: Cause {
    static var page: FindingPage { BridgePortIsolated.page }
    static let needs = needsOfFarEnd

    static func examine(_ lost: LostPacket) -> Finding? {
      guard let (asked, end, evidence) = lost.farEnd, let port = end.isolatedPort else {
        return nil
      }
      return error(
        "a bridge in \(end.place) sends nothing from \(Escape.name(end.device)), the other end of \(asked.behind), to "
          + "\(Escape.name(port)), behind which \(asked.address) is: both ports are isolated, so that it is not found",
        evidence: evidence + [.isolated(end.device), .isolated(port)],
        remedy: try end.command("bridge link set dev \(Word.device(end.device)) isolated off"))
    }
  }
}

extension ProxyNeighbourMissing {
  /// Nobody has the address there, and a router that knows the way to it does not answer in its place.
  enum OfNeighbour: Cause {
    static var page: FindingPage { ProxyNeighbourMissing.page }
    static let needs = needsOfFarEnd

    static func examine(_ lost: LostPacket) -> Finding? {
      guard let (asked, end, evidence) = lost.farEnd, end.holder == nil, let way = end.leads else {
        return nil
      }
      let isV4 = asked.address.family == 4
      let setting = "net.\(isV4 ? "ipv4" : "ipv6").conf.\(end.device).proxy_\(isV4 ? "arp" : "ndp")"
      return error(
        "\(asked.behind) asks for \(asked.address) by \(isV4 ? "ARP" : "neighbour discovery"), and nobody answers: "
          + "\(end.place) is at its other end, \(Escape.name(end.device)), has a route to that by \(Escape.name(way)), "
          + "and does not answer in its place (\(setting) is 0"
          + (isV4 ? ")" : ", or there is no entry for it)"), confidence: .likely,
        evidence: evidence + [.setting(setting, value: "0")],
        remedy: try remedy(asked, end, setting))
    }

    private static func remedy(
      _ asked: Whereabouts, _ end: FarEnd, _ setting: String
    ) throws(Word.Unspeakable) -> Command? {
      let change: Command = "sysctl -w \(try Word.sysctl(setting))=1"
      if asked.address.family == 4 { return try end.command(change) }
      let entry: Command =
        "ip -6 neigh add proxy \(asked.address) dev \(try Word.device(end.device))"
      return try end.command("\(change) && \(entry)")
    }
  }
}
