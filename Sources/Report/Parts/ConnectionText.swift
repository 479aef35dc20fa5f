internal import Trace
internal import Wire

/// A packet's connection as conntrack keeps it, in a few lines: its state, who translates it, and
/// both directions' addresses.
struct ConnectionText {
  let style: TextStyle

  /// Columns before what is said.
  private static let indent = 14

  /// The trace that a packet says it is part of, in a line; none where it says nothing.
  func trace(_ journey: Journey) -> [StyledLine] {
    TraceMention.traceID(in: journey.packet).map {
      style.aligned("  trace", to: Self.indent, [$0])
    } ?? []
  }

  /// The lines below a packet's heading; none where conntrack is not known to have met it. `isTold` is
  /// whether its connection was told with an earlier packet: it is not told again.
  func lines(_ journey: Journey, isTold: Bool) -> [StyledLine] {
    guard let connection = journey.connection, let state = connection.state else { return [] }
    var words: [String] = []
    var tuples: [String] = []
    switch state {
    case .invalid: words = ["invalid: of no connection that conntrack knows"]
    case .untracked: words = ["untracked: conntrack passed it over"]
    case .new, .established, .related:
      words = [state == .related ? "related to" : state.rawValue]
      if isTold {
        words[0] += state == .related ? " the one above" : ", the one above"
        if connection.isReply == true { words.append("in the reply direction") }
      } else {
        if state == .related { words[0] += " a connection" }
        if connection.isReply == true { words.append("in the reply direction") }
        words += standing(connection, journey) + translations(journey, connection)
        tuples = self.tuples(connection)
      }
    }
    let texts = [words.joined(separator: ", ")] + tuples
    return style.aligned("  connection", to: Self.indent, texts)
  }

  /// Whether anything came back, and whether conntrack keeps it at all.
  private func standing(_ connection: Connection, _ journey: Journey) -> [String] {
    if connection.original != nil {
      return connection.status.contains(.seenReply) ? ["replied"] : ["unreplied"]
    }
    return connection.state == .new && !connection.wasKnown
      && EndText(journey, style).endsConnection
      ? ["not kept, for this packet did not get through"] : []
  }

  /// Which addresses are translated, and by which rule if this packet met it.
  private func translations(_ journey: Journey, _ connection: Connection) -> [String] {
    let status = connection.status.union(connection.tracedStatus)
    let sides: [(String, ConntrackMessage.Status, [Change.Cause])] = [
      ("destination", .destinationNAT, [.dnat, .redirect]),
      ("source", .sourceNAT, [.masquerade, .snat]),
    ]
    return sides.compactMap { side, bit, causes in
      guard status.contains(bit) else { return nil }
      let leg = journey.way.legs.first { $0.changes.contains { causes.contains($0.cause) } }
      let rule = leg?.rules.last { $0.translation != nil }
      let who =
        rule.map { "by \(RuleWords(style: style).place($0))" }
        ?? (connection.wasKnown ? "since an earlier packet" : "")
      return "\(side) translated" + (who.isEmpty ? "" : " \(who)")
    }
  }

  /// The direction of the first packet, and that of its answers; on one line if there is room.
  private func tuples(_ connection: Connection) -> [String] {
    guard let original = connection.original, let reply = connection.reply else { return [] }
    // An echo's id is in the heading; it is told where the two ways have different ones.
    let tellsIDs = original.icmpID != reply.icmpID
    let there = text(original, tellsIDs)
    let back = "back \(text(reply, tellsIDs))"
    let isShort = Self.indent + TextLayout.columns("\(there), \(back)") <= style.width
    return isShort ? ["\(there), \(back)"] : [there, back]
  }

  private func text(_ tuple: ConntrackTuple, _ tellsID: Bool) -> String {
    func end(_ address: IPAddress, _ port: UInt16?) -> String {
      guard let port else { return "\(address)" }
      return address.family == 6 ? "[\(address)]:\(port)" : "\(address):\(port)"
    }
    return end(tuple.source, tuple.sourcePort) + " \(style.arrow) "
      + end(tuple.destination, tuple.destinationPort)
      + (tellsID ? tuple.icmpID.map { " id \($0)" } ?? "" : "")
  }
}
