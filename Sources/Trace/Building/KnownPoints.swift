internal import Wire

/// The observation points of a session, and what follows from their order.
struct KnownPoints: Sendable {
  private let all: [ObservationPoint]
  private let isKnown: Bool
  private let byChain: [String: ObservationPoint]
  /// Those of one label are of different hooks.
  private let byLabel: [String: [ObservationPoint]]
  /// Chains of points behind which a packet is seen no more.
  private let ends: Set<String>
  /// The same, where there are few: most rulesets have two or three.
  private let fewEnds: [String]?
  /// The subnets that are watched; empty where packets are known by something else.
  private let prefixes: [Prefix]
  /// What was guessed, for a capture has the same few prefixes all the time.
  private var guesses: [Hook: [String: ObservationPoint]] = [:]
  private static let mostGuesses = 1024
  /// The points of devices' hooks that were asked for last.
  private var ofDevices: [(device: String, point: ObservationPoint)] = []
  private static let mostOfDevices = 8
  /// So few are found soonest one after the other.
  private static let few = 16

  /// The points that a session's header tells of; nil is that of a capture which other programs made.
  init(_ header: SessionHeader?) {
    all = header?.points ?? []
    isKnown = header != nil
    prefixes = (header?.targets ?? []).compactMap { Prefix($0) }
    byChain = Dictionary(
      (all + [.ingress, .egress]).map { ($0.chain, $0) }, uniquingKeysWith: { $1 })
    byLabel = Dictionary(grouping: all, by: \.label)
    // What follows a point at all is followed by the last one of a hook.
    let last = Dictionary(grouping: byChain.values, by: \.hook).values.compactMap {
      $0.max { $0.priority < $1.priority }
    }
    let ends =
      isKnown
      ? Set(byChain.values.filter { point in !last.contains { $0.follows(point) } }.map(\.chain))
      : []
    self.ends = ends
    fewEnds = ends.count <= Self.few ? Array(ends) : nil
  }

  /// Whether there is a point at the netdev family's egress hook.
  var seesEgress: Bool { all.contains { $0.hook == .egress } }

  /// Whether such a point reports a packet that leaves so: what is translated out of the subnets that are watched is known there
  /// no more.
  func seesEgress(of packet: Packet) -> Bool {
    seesEgress
      && (prefixes.isEmpty
        || prefixes.contains { $0.contains(packet.source) || $0.contains(packet.destination) })
  }

  /// Whether a packet is seen nowhere behind the last point of POSTROUTING, of which this hop is.
  func isLastSight(_ hop: Hop) -> Bool {
    hop.point.hook == .postrouting && isLast(hop.point) && !seesEgress(of: hop.packet)
  }

  /// The point of a chain of nftrace's own; nil for other chains.
  func point(chain: String) -> ObservationPoint? {
    // Where there are very many interfaces, "ingress_2" stands beside "ingress".
    let name =
      chain.hasPrefix("ingress_") ? "ingress" : chain.hasPrefix("egress_") ? "egress" : chain
    return byChain[name]
  }

  /// The point of a hook that log messages name so.
  func point(label: String, at hook: Hook) -> ObservationPoint? {
    if all.count <= Self.few {
      return all.indices.first { all.span[$0].hook == hook && all.span[$0].label == label }
        .map { all[$0] }
    }
    let named = byLabel[label] ?? []
    return named.indices.first { named.span[$0].hook == hook }.map { named[$0] }
  }

  /// The point at the hook of a device, "ingress-eth0"; of one that nobody knows, it has no name.
  mutating func point(ofDevice device: String?, at hook: Hook) -> ObservationPoint {
    var point = hook == .ingress ? ObservationPoint.ingress : .egress
    guard let device else { return point }
    let known = ofDevices.indices.first {
      ofDevices.span[$0].point.hook == hook && ofDevices.span[$0].device == device
    }
    if let known { return ofDevices[known].point }
    point.label += "-\(device)"
    if ofDevices.count == Self.mostOfDevices { ofDevices.removeFirst() }
    ofDevices.append((device, point))
    return point
  }

  /// The point of a hook that a prefix tells of which nobody knows.
  mutating func guessed(prefix: String, at hook: Hook) -> ObservationPoint {
    if let known = guesses[hook]?[prefix] { return known }
    let point = ObservationPoint.guessed(prefix: prefix, hook: hook)
    if (guesses[hook]?.count ?? 0) < Self.mostGuesses {
      guesses[hook, default: [:]][prefix] = point
    }
    return point
  }

  /// The point just behind what is done at a hook with this priority.
  func point(behind priority: Int32, at hook: Hook) -> ObservationPoint? {
    all.first { $0.hook == hook && $0.priority == priority &+ 1 }
  }

  /// Whether it is among those of the header.
  func contains(_ point: ObservationPoint) -> Bool { all.contains(point) }

  /// The point of the same hook that follows.
  func next(after point: ObservationPoint) -> ObservationPoint? {
    all.filter { $0.hook == point.hook && $0.priority > point.priority }
      .min { $0.priority < $1.priority }
  }

  /// Whether no point of this hook stands behind it.
  func isLast(_ point: ObservationPoint) -> Bool {
    !all.contains { $0.hook == point.hook && $0.priority > point.priority }
  }

  /// Whether a packet is seen nowhere behind it, as it goes in and out.
  func isEnd(_ point: ObservationPoint) -> Bool {
    fewEnds?.contains(point.chain) ?? ends.contains(point.chain)
  }
}
