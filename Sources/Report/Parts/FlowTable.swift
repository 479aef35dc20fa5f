internal import Trace
internal import Wire

/// Recorded traffic by flow: who spoke with whom, how often, and what was lost of it. What is kept in memory grows
/// with the flows alone.
struct FlowTable: Sendable {
  /// Who asks whom for what. The port that the asker chose is another one each time, and so plays no part.
  struct Key: Hashable, Sendable {
    let proto: IPProtocol
    let source: IPAddress
    let destination: IPAddress
    let port: UInt16?

    init(_ packet: Packet) {
      proto = packet.proto
      source = packet.source
      destination = packet.destination
      port = packet.destinationPort
    }

    /// For people: "TCP 10.0.0.1 → 10.0.0.2:443".
    func text(_ style: TextStyle) -> String {
      let name = proto == .icmpv6 ? "ICMPv6" : "\(proto)".uppercased()
      let kind = UInt8(name) == nil ? name : "IP protocol \(name)"
      let end = destination.family == 6 && port != nil ? "[\(destination)]" : "\(destination)"
      return "\(kind) \(source) \(style.arrow) \(end)\(port.map { ":\($0)" } ?? "")"
    }
  }

  /// What there is to say of a flow.
  struct Flow: Sendable {
    /// Packets that asked, or that were no answers.
    var packets = 0
    /// Packets that answered.
    var answers = 0
    /// Packets, either way, that did not get through.
    var lost = 0
    /// When the first packet was seen, and the last, nanoseconds since the epoch.
    var first = UInt64.max
    var last: UInt64 = 0
    /// What became of those that were lost or refused.
    var fates = Tally(most: FlowTable.mostFates)
  }

  private var flows: [Key: Flow] = [:]
  /// All that came behind so many flows that no more are told apart.
  private var others = Flow()

  private static let most = 65536
  fileprivate static let mostFates = 16

  /// How many flows there are, as far as they are told apart.
  var count: Int { flows.count }

  mutating func add(_ exchange: Exchange) {
    guard let lead = exchange.request ?? exchange.journeys.first else { return }
    let key = Key(lead.packet)
    if flows[key] != nil || flows.count < Self.most {
      Self.count(exchange, lead, in: &flows[key, default: Flow()])
    } else {
      Self.count(exchange, lead, in: &others)
    }
  }

  private static func count(_ exchange: Exchange, _ lead: Journey, in flow: inout Flow) {
    for journey in exchange.journeys {
      flow.first = min(flow.first, journey.time)
      flow.last = max(flow.last, journey.time)
      if journey.end.isLost {
        flow.lost += 1
        flow.fates.add(EndText(journey, TextStyle()).short, rule: journey.end.decider?.rule)
      }
      // Of several network namespaces, each has a packet that passes it.
      guard journey.netns == lead.netns else { continue }
      switch journey.direction {
      case .request, .other: flow.packets += 1
      case .reply:
        flow.answers += 1
        if journey.packet.transport.isRefusal {
          flow.fates.add("refused with \(Phrases.name(journey.packet))")
        }
      case .error:
        flow.fates.add("\(Phrases.name(journey.packet)) from \(journey.packet.source)")
      }
    }
  }

  /// The flows, those that lost most first.
  private var ordered: [(key: Key, flow: Flow)] {
    flows.map { ($0.key, $0.value) }.sorted {
      ($1.1.lost, $1.1.packets, $0.1.first, $0.0.text(TextStyle()))
        < ($0.1.lost, $0.1.packets, $1.1.first, $1.0.text(TextStyle()))
    }
  }

  // MARK: Text

  /// The table, with so many flows at most.
  func lines(_ style: TextStyle, most: Int = .max) -> [StyledLine] {
    let ordered = ordered
    if ordered.isEmpty { return [] }
    let shown = ordered.prefix(most)
    let times: (UInt64) -> String =
      style.time == .iso
      ? { CalendarText.iso($0) } : { String(CalendarText.ofDay($0).prefix(8)) }
    let width = times(0).count
    let heads = [
      TextLayout.padded(from: 8, "packets"), TextLayout.padded(from: 8, "answers"),
      TextLayout.padded(from: 7, "lost"), "", TextLayout.padded("first, UTC", to: width),
      TextLayout.padded("last", to: width), "flow",
    ]
    let column = 8 + 1 + 8 + 1 + 7 + 2 + max(width, 10) + 2 + width + 2
    var lines: [StyledLine] = [
      StyledLine(
        heads[0] + " " + heads[1] + " " + heads[2] + "  "
          + TextLayout.padded(heads[4], to: max(width, 10)) + "  " + heads[5] + "  " + heads[6],
        .faint)
    ]
    for (key, flow) in shown {
      let numbers =
        TextLayout.padded(from: 8, "\(flow.packets)") + " "
        + TextLayout.padded(from: 8, "\(flow.answers)") + " "
      let lost = StyledLine(
        TextLayout.padded(from: 7, "\(flow.lost)"), flow.lost > 0 ? .bad : .plain)
      let row =
        StyledLine(numbers) + lost + "  "
        + TextLayout.padded(times(flow.first), to: max(width, 10)) + "  " + times(flow.last) + "  "
      let text = key.text(style)
      let fits = column + TextLayout.columns(text) <= style.width
      lines.append(fits ? row + text : row.trimmed)
      if !fits { lines.append(StyledLine(TextLayout.space(Self.below) + text, .strong)) }
      guard let fate = flow.fates.ordered.first else { continue }
      let rest = flow.fates.count - 1
      let others = rest > 0 ? ", and \(rest) other end\(rest > 1 ? "s" : "")" : ""
      let words = "\(fate.count) \(fate.words)" + others
      lines += TextLayout.wrapped(words, to: style.width - Self.below, hanging: "  ").map {
        StyledLine(TextLayout.space(Self.below) + $0)
      }
    }
    let hidden = ordered.count - shown.count
    if hidden > 0 { lines.append("\(style.ellipsis) and \(hidden) more flows: --flows tells all") }
    if others.packets > 0 {
      lines.append("\(style.ellipsis) and \(others.packets) packets of flows beyond these")
    }
    return lines
  }

  /// Where what belongs to a row goes on below it.
  private static let below = 27

  // MARK: JSON

  /// The flows as objects.
  var objects: [JSONValue] {
    ordered.map { key, flow in
      .object([
        ("protocol", .string("\(key.proto)")), ("source", .string("\(key.source)")),
        ("destination", .string("\(key.destination)")), ("destination_port", .int(key.port)),
        ("packets", .int(flow.packets)), ("answers", .int(flow.answers)),
        ("lost", .int(flow.lost)), ("first", .int(flow.first)), ("last", .int(flow.last)),
        (
          "ends",
          .array(
            flow.fates.ordered.map {
              .object([("end", .string($0.words)), ("packets", .int($0.count))])
            })
        ),
      ])
    }
  }
}
