package import Wire

/// Which exchanges somebody wants to see.
package struct ExchangeFilter: Sendable {
  private let from: Prefix?
  private let to: Prefix?
  private let proto: IPProtocol?
  private let packet: Int?
  private let onlyLost: Bool
  private let through: String?

  /// A filter; what is nil or false lets everything through. ICMP means both
  /// versions of it. `through` is a device that a packet came to or from.
  package init(
    from: Prefix? = nil, to: Prefix? = nil, proto: IPProtocol? = nil, packet: Int? = nil,
    onlyLost: Bool = false, through: String? = nil
  ) {
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
    if exchange.journeys.isEmpty { return from == nil && to == nil && packet == nil }
    if onlyLost, !isLost(exchange) { return false }
    return exchange.journeys.contains(where: matches)
  }

  private func matches(_ journey: Journey) -> Bool {
    if let packet, journey.id != packet { return false }
    if let proto {
      let other = journey.packet.proto
      guard other == proto || proto == .icmp && other == .icmpv6 else { return false }
    }
    if let through, !passes(through, journey) { return false }
    return has(from, journey) { $0.source } && has(to, journey) { $0.destination }
  }

  /// Whether the packet had such an address anywhere on its way.
  private func has(_ prefix: Prefix?, _ journey: Journey, _ side: (Packet) -> IPAddress) -> Bool {
    guard let prefix else { return true }
    return journey.hops.contains { prefix.contains(side($0.packet)) }
  }

  /// What the kernel itself sends on every interface, to multicast addresses, is not meant.
  private func passes(_ device: String, _ journey: Journey) -> Bool {
    !journey.packet.destination.isMulticast
      && journey.hops.contains { $0.outDevice == device || $0.inDevice == device }
  }

  private func isLost(_ exchange: Exchange) -> Bool {
    exchange.journeys.contains {
      switch $0.end {
      case .dropped, .rejected, .refused, .kept(.interception, _), .unknown(_, nil, _): true
      case .sent, .delivered, .proxied, .kept, .unknown: false
      }
    }
  }
}
