internal import Wire

/// Finds what changed between neighbouring hops, and who did it.
struct HopDifferences {
  let legacyNAT: [Int: [String]]
  let connection: Connection?
  /// Whether the packet goes in the reply direction of its connection.
  let isReply: Bool
  /// Whether it would be known which rule translates.
  let knowsRules: Bool

  /// The changes from a hop to the next. `rule` is what the last rule between them that translates
  /// does, if there is one.
  func changes(
    from earlier: Hop, to later: Hop, rule: NFTRuleMessage.Translation?, _ snapshot: Snapshot
  ) -> [Change] {
    changes(from: earlier.packet, earlier, to: later.packet, later, rule: rule, snapshot)
  }

  /// The same: the packets are looked at where they are.
  private func changes(
    from old: Packet, _ earlier: Hop, to new: Packet, _ later: Hop,
    rule: NFTRuleMessage.Translation?, _ snapshot: Snapshot
  ) -> [Change] {
    var changes: [Change] = []
    func compare<T: Equatable & CustomStringConvertible>(
      _ field: Change.Field, _ from: T?, _ to: T?, _ cause: @autoclosure () -> Change.Cause
    ) {
      guard let from, let to, from != to else { return }
      changes.append(Change(field, from: from.description, to: to.description, cause: cause()))
    }
    // Between going out and coming in again, somebody outside the kernel had it.
    let isBack = !later.point.follows(earlier.point)
    // Most hops differ in nothing: who translated is asked where an address or a port did.
    func cause(_ side: Side) -> Change.Cause {
      isBack ? .mangle : translation(side, later, rule, snapshot)
    }
    let forwarded =
      old.ttl == new.ttl &+ 1 && later.point.hook != .prerouting && earlier.point.hook != .output
      && !isBack
    compare(.ttl, old.ttl, new.ttl, forwarded ? .forwarding : .mangle)
    compare(.source, old.source, new.source, cause(.source))
    compare(.sourcePort, old.sourcePort, new.sourcePort, cause(.source))
    compare(.destination, old.destination, new.destination, cause(.destination))
    compare(.destinationPort, old.destinationPort, new.destinationPort, cause(.destination))
    if let from = old.icmp, let to = new.icmp, from.type == to.type,
      from.isEchoRequest(old.proto) || from.isEchoReply(old.proto)
    {
      let side: Side = later.point.hook == .postrouting ? .source : .destination
      compare(.icmpID, from.identifier, to.identifier, translation(side, later, rule, snapshot))
    }
    compare(.tos, old.tos, new.tos, .mangle)
    compare(.mark, earlier.mark, later.mark, .mangle)
    return changes
  }

  private enum Side { case source, destination }

  /// Who translated this side of the addresses, if somebody did. The rule that was met says it
  /// best; a reply's translation is undone by conntrack without a rule; so is the one of a later
  /// packet of a flow done, and iptables-legacy's rules are not traced.
  private func translation(
    _ side: Side, _ later: Hop, _ rule: NFTRuleMessage.Translation?, _ snapshot: Snapshot
  ) -> Change.Cause {
    if later.point.table == OwnTable.answersChain { return .mangle }
    if let rule {
      switch rule {
      case .masquerade: return .masquerade
      case .redirect: return .redirect
      case .snat: return .snat
      case .dnat: return .dnat
      }
    }
    if isReply { return .natReply }
    guard knowsRules else { return .unknown }
    guard side == .source else {
      return later.point.hook == .prerouting || later.point.hook == .output ? .dnat : .unknown
    }
    let targets = legacyNAT[later.packet.source.family] ?? []
    if targets.contains("MASQUERADE"), !targets.contains("SNAT") { return .masquerade }
    if targets.contains("SNAT"), !targets.contains("MASQUERADE") { return .snat }
    return snapshot.isAddress(later.packet.source, of: later.outDevice) ? .masquerade : .snat
  }
}
