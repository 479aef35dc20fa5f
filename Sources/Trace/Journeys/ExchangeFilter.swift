package import Wire

/// Which exchanges somebody wants to see.
package struct ExchangeFilter: Sendable {
  private let from: Prefix?
  private let to: Prefix?
  private let fromPort: UInt16?
  private let toPort: UInt16?
  private let port: UInt16?
  private let rule: String?
  /// From when, and until when, nanoseconds since the epoch.
  package let since: UInt64?
  private let until: UInt64?
  private let proto: IPProtocol?
  /// The number of the one packet that is wanted.
  package let packet: Int?
  private let onlyLost: Bool
  private let through: String?

  /// A filter; what is nil or false lets everything through. ICMP means both
  /// versions of it, `port` either side's, `rule` a part of the text of a rule that was met, or of what it is called:
  /// "inet filter forward handle 7". `since` and `until` are nanoseconds since the epoch, and both belong to it.
  /// `through` is a device that a packet came to or from.
  package init(
    from: Prefix? = nil, fromPort: UInt16? = nil, to: Prefix? = nil, toPort: UInt16? = nil,
    port: UInt16? = nil, proto: IPProtocol? = nil, rule: String? = nil, since: UInt64? = nil,
    until: UInt64? = nil, packet: Int? = nil, onlyLost: Bool = false, through: String? = nil
  ) {
    self.fromPort = fromPort
    self.toPort = toPort
    self.port = port
    self.rule = rule?.lowercased()
    self.since = since
    self.until = until
    self.through = through
    self.from = from
    self.to = to
    self.proto = proto
    self.packet = packet
    self.onlyLost = onlyLost
  }

  /// Whether only what passes a device is wanted.
  package var isOfDevice: Bool { through != nil }

  /// Whether any packet of the exchange is wanted: an answer is shown with its request.
  package func matches(_ exchange: Exchange) -> Bool {
    // A probe that was seen nowhere is no packet, and yet what came of it is to be told.
    if exchange.journeys.isEmpty { return isOfNone }
    if onlyLost, !isLost(exchange) { return false }
    return exchange.journeys.contains(where: matches)
  }

  /// Whether no packet was asked for in particular.
  private var isOfNone: Bool {
    from == nil && fromPort == nil && to == nil && toPort == nil && port == nil && rule == nil
      && since == nil && until == nil && packet == nil
  }

  /// Whether every exchange is wanted.
  var isOfAll: Bool { isOfNone && proto == nil && !onlyLost && through == nil }

  /// Whether an exchange of these open journeys may be wanted, as far as numbers, addresses and ports say. What one has that
  /// another one lacks counts for all: two may be told as one.
  func mayMatch(_ group: [Int], of open: OpenJourneys) -> Bool {
    func isSeen(_ isWanted: (Packet) -> Bool) -> Bool {
      group.contains { open[$0].hops.contains { isWanted($0.packet) } }
    }
    if let packet, !group.contains(where: { open[$0].id == packet }) { return false }
    if let from, !isSeen({ from.contains($0.source) }) { return false }
    if let to, !isSeen({ to.contains($0.destination) }) { return false }
    if let fromPort, !isSeen({ $0.sourcePort == fromPort }) { return false }
    if let toPort, !isSeen({ $0.destinationPort == toPort }) { return false }
    if let port, !isSeen({ $0.sourcePort == port || $0.destinationPort == port }) { return false }
    return true
  }

  private func matches(_ journey: Journey) -> Bool {
    if let packet, journey.id != packet { return false }
    if let since, journey.time < since { return false }
    if let until, journey.time > until { return false }
    if let port,
      !journey.hops.contains(where: {
        $0.packet.sourcePort == port || $0.packet.destinationPort == port
      })
    {
      return false
    }
    if let rule, !journey.way.rules.contains(where: { $0.isCalled(rule) }) { return false }
    if let proto {
      let other = journey.packet.proto
      guard other == proto || proto == .icmp && other == .icmpv6 else { return false }
    }
    if let through, !passes(through, journey) { return false }
    return has(from, fromPort, journey) { ($0.source, $0.sourcePort) }
      && has(to, toPort, journey) { ($0.destination, $0.destinationPort) }
  }

  /// Whether the packet had such an address and port anywhere on its way.
  private func has(
    _ prefix: Prefix?, _ port: UInt16?, _ journey: Journey,
    _ side: (Packet) -> (address: IPAddress, port: UInt16?)
  ) -> Bool {
    if prefix == nil, port == nil { return true }
    return journey.hops.contains { hop in
      let (address, number) = side(hop.packet)
      return prefix?.contains(address) != false && (port == nil || port == number)
    }
  }

  /// What the kernel itself sends on every interface, to multicast addresses, is not meant.
  private func passes(_ device: String, _ journey: Journey) -> Bool {
    !journey.packet.destination.isMulticast
      && journey.hops.contains { $0.outDevice == device || $0.inDevice == device }
  }

  private func isLost(_ exchange: Exchange) -> Bool {
    exchange.journeys.contains(where: \.end.isLost)
  }
}

extension RuleStep {
  /// Whether these letters, in lower case, are in its text, or in what it is called.
  fileprivate func isCalled(_ letters: String) -> Bool {
    let what =
      switch ref {
      case .policy, .legacyPolicy: "policy"
      case .nft(let handle): "handle \(handle)"
      case .legacy, .legacyTable: ""
      }
    let place = position.map { " rule \($0)" } ?? ""
    let chain = "\(NFProto.name(family)) \(table) \(chain)"
    return [text ?? "", "\(chain) \(what)", "\(chain)\(place)"].contains {
      $0.lowercased().contains(letters)
    }
  }
}
