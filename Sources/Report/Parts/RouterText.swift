internal import Trace
internal import Wire

/// What routers on the way wrote into a probe (IOAM): for people, and as JSON.
struct RouterText {
  let style: TextStyle

  /// The lines for a probe: none where routers were not asked.
  func lines(_ probe: ProbeResult) -> [StyledLine] {
    guard let routers = probe.routers else { return [] }
    let asked = "IOAM, namespace \(routers.namespace)"
    let hops = routers.hops
    let count = hops.count { !$0.isEnd }
    guard hops.contains(where: { $0.node != nil }) else {
      let words =
        routers.trace == nil
        ? "what routers on the way wrote is not known: no machine has sent the probe back, or shown it"
        : count == 0
          ? "there was no router on the way"
          : "\(count == 1 ? "the router on the way has" : "none of the \(count) routers on the way has") written "
            + "anything: it is not switched on there"
      return [StyledLine("\(words) (\(asked))", .faint)]
    }
    let head = "     hop           \(style.micro)  router        came in by, went out by"
    let start = hops.lazy.compactMap(\.node?.time).first
    return [
      "routers on the way, as they wrote into the probe (\(asked))", "", StyledLine(head, .faint),
    ]
      + hops.map { line($0, since: start) }
      + (routers.trace?.isFull == true
        ? [StyledLine("     there was no room for more", .faint)] : [])
  }

  private func line(_ hop: RouterTrace.Hop, since start: UInt64?) -> StyledLine {
    let number = TextLayout.padded(from: 8, "\(hop.number)")
    guard let node = hop.node else {
      return StyledLine("\(number)               wrote nothing", .faint)
    }
    var time = ""
    if let start, let at = node.time {
      time =
        at < start
        ? "-\(Phrases.microseconds(start - at))" : Phrases.microseconds(at - start)
    }
    let name = node.id.map { "node \($0)" } ?? "of no number"
    let device = { (number: UInt16?) in number.map { "\($0)" } ?? "?" }
    let ways =
      hop.isEnd
      ? "in \(device(node.input)), and is where it went to"
      : "in \(device(node.input)), out \(device(node.output))"
    return StyledLine(
      "\(number)  \(TextLayout.padded(from: 11, time))  "
        + "\(TextLayout.padded(name, to: 14))\(ways)")
  }
}

extension JSONObjects {
  func routers(_ routers: RouterTrace) -> JSONValue {
    .object([
      ("namespace", .int(Int(routers.namespace))),
      ("known", .bool(routers.trace != nil)),
      ("full", .bool(routers.trace?.isFull == true)),
      (
        "hops",
        .array(
          routers.hops.map { hop in
            .object([
              ("hop", .int(hop.number)), ("wrote", .bool(hop.node != nil)),
              ("destination", .bool(hop.isEnd)), ("node", .int(hop.node?.id)),
              ("in", .int(hop.node?.input)), ("out", .int(hop.node?.output)),
              ("time", .int(hop.node?.time)),
            ])
          })
      ),
    ])
  }
}
