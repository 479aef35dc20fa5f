internal import Trace
internal import Wire

/// The same destination probed from this host and as somebody else: where the two paths differ.
/// Of several probes each way, the first ones are compared.
struct PingComparison: Sendable {
  private struct Side {
    var plan: ProbePlan
    var probe: ProbeResult

    var name: String { plan.entrance == .local ? "this host" : plan.device ?? "tun" }
    var request: Journey? { probe.exchange.request }
    var way: Way? { request?.way }

    var hook: String {
      way?.hops.first { $0.point.hook != .ingress }?.point.hook.rawValue.uppercased() ?? "no hook"
    }
    var out: String? { request?.end.place.out ?? way?.last.outDevice }
    var nextHop: IPAddress? { request?.route?.gateway }

    /// An address as it was and as it became.
    func address(_ side: (Packet) -> IPAddress) -> (first: IPAddress, last: IPAddress)? {
      way.map { (side($0.first.packet), side($0.last.packet)) }
    }

    /// What came of it, and where.
    var outcome: [String?] {
      let end = request?.end
      return [
        probe.outcome.rawValue, end?.kind.rawValue, end?.place.hook.rawValue, end?.place.table,
        probe.errno.map { "\($0)" },
      ]
    }

    /// "source", "destination": what NAT changed.
    var translated: [String] {
      [("source", \Packet.source), ("destination", \.destination)].compactMap { name, side in
        address { $0[keyPath: side] }.flatMap { $0.first == $0.last ? nil : name }
      }
    }
  }

  private var sides: [Side] = []

  /// Takes in what came of a probe of `plan`.
  mutating func add(_ probe: ProbeResult, of plan: ProbePlan) {
    guard sides.count < 3, !sides.contains(where: { $0.plan == plan }) else { return }
    sides.append(Side(plan: plan, probe: probe))
  }

  /// A line for each path and one for the difference; none unless there are just these two.
  func lines(_ style: TextStyle) -> [StyledLine] {
    guard style.verbosity != .quiet, sides.count == 2, sides[0].plan.entrance == .local,
      sides[1].plan.entrance != .local, sides[0].plan.destination == sides[1].plan.destination
    else { return [] }
    let lines =
      sides.map { ($0.name, words($0, style)) }
      + [("differ in", differences(sides[0], sides[1]).joined(separator: ", "))]
    let column = lines.map { TextLayout.columns($0.0) }.max()! + 4
    return lines.flatMap { style.aligned("  \($0)", to: column, [$1]) }
  }

  private func words(_ side: Side, _ style: TextStyle) -> String {
    var words = [side.hook]
    if let out = side.out {
      let tellsNextHop = Self.nextHopsDiffer(sides[0], sides[1])
      words.append("out \(out)" + (tellsNextHop ? " via \(side.nextHop!)" : ""))
    }
    for (name, key) in [("from", \Packet.source), ("to", \.destination)] {
      guard let address = side.address({ $0[keyPath: key] }) else { continue }
      if address.first != address.last {
        words.append("\(name) \(address.first) \(style.arrow) \(address.last)")
      } else if name == "from" {
        words.append("from \(address.first)")
      }
    }
    return words.joined(separator: ", ") + ": \(Headline(style: style).outcome(side.probe))"
  }

  /// What is different, in the order in which a packet meets it.
  private func differences(_ one: Side, _ other: Side) -> [String] {
    var found: [String] = []
    if one.hook != other.hook { found.append("first hook") }
    if one.plan.source != other.plan.source { found.append("source") }
    if one.out != other.out {
      found.append("interface")
    } else if Self.nextHopsDiffer(one, other) {
      found.append("next hop")
    }
    if one.translated != other.translated { found.append("NAT") }
    if one.outcome != other.outcome { found.append("outcome") }
    return found
  }

  private static func nextHopsDiffer(_ one: Side, _ other: Side) -> Bool {
    guard let first = one.nextHop, let second = other.nextHop else { return false }
    return first != second
  }
}
