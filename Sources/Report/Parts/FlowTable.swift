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
    /// The interface by which the first came in; nil for what this host sent.
    var input: String?
    /// The machines or namespaces that had its packets, where there are several, in the order of the first one's way.
    var sites: [Site] = []
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

    /// All of another flow as well.
    mutating func add(_ other: Flow) {
      packets += other.packets
      answers += other.answers
      lost += other.lost
      first = min(first, other.first)
      last = max(last, other.last)
      for site in other.sites where !sites.contains(site) { sites.append(site) }
      fates.add(other.fates)
    }
  }

  private var flows: [Key: Flow] = [:]
  /// All that came behind so many flows that no more are told apart.
  private(set) var others = Flow()

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
    if flow.packets == 0 { flow.input = lead.way.first.inDevice }
    for journey in exchange.journeys {
      flow.first = min(flow.first, journey.time)
      flow.last = max(flow.last, journey.time)
      if let site = journey.site, !flow.sites.contains(site) { flow.sites.append(site) }
      if journey.end.isLost {
        flow.lost += 1
        let place = journey.site.map { " \($0.place)" } ?? ""
        flow.fates.add(
          EndText(journey, TextStyle()).short + place, rule: journey.end.decider?.rule,
          at: journey.site)
      }
      // Of several network namespaces, each has a packet that passes it.
      guard journey.site == lead.site else { continue }
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
  var ordered: [(key: Key, flow: Flow)] {
    flows.map { ($0.key, $0.value) }.sorted {
      ($1.1.lost, $1.1.packets, $0.1.first, $0.0.text(TextStyle()))
        < ($0.1.lost, $0.1.packets, $1.1.first, $1.0.text(TextStyle()))
    }
  }

  // MARK: JSON

  /// The flows as objects.
  var objects: [JSONValue] {
    ordered.map { key, flow in
      .object([
        ("protocol", .string("\(key.proto)")), ("source", .string("\(key.source)")),
        ("destination", .string("\(key.destination)")), ("destination_port", .int(key.port)),
        ("in", .string(flow.input)), ("places", .array(flow.sites.map { .string($0.name) })),
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
