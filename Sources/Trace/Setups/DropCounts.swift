package import Wire

/// Counts what rules and policies dropped of what a setup watches, and what passed its points: for good, in a memory
/// that has its bounds, and without a packet's addresses.
///
/// The kernel's traces name the rule of each drop, and may be lost. The counters of nftrace's rules before and behind a
/// base chain are not: what did not come out, and no trace has told of, is counted as the chain's.
package struct DropCounts: Sendable {
  /// A chain, base chain or not.
  private struct Chain: Hashable {
    var family: UInt8
    var table: String
    var name: String

    init(family: UInt8, table: String, name: String) {
      self.family = family
      self.table = table
      self.name = name
    }

    init(_ chain: ChainMessage) {
      self.init(family: chain.family, table: chain.table, name: chain.name)
    }
  }

  /// What dropped packets.
  private struct Dropper: Hashable {
    /// Where it stands.
    var chain: Chain
    /// The base chain from which the packets came there; nil where no message told that.
    var base: Chain?
    /// Its handle; nil for the policy.
    var handle: UInt64?
  }

  /// Base chains between two points of a hook, behind all that changes which packets are looked at.
  private struct Stretch: Hashable {
    var hook: Hook
    var table: String?
    var bases: [Chain]
  }

  private var hooks: [Chain: Hook] = [:]
  private var dropped: [Dropper: UInt64] = [:]
  private var texts: [Chain: [UInt64: String]] = [:]
  /// Which base chain packets are in, by their trace ids, where it has jumps.
  private var places: [UInt32: Chain] = [:]
  private var stretches: [(stretch: Stretch, before: String, behind: String)] = []
  private var points: [ObservationPoint] = []
  /// What the counters of points said last, by their chains.
  private var counters: [String: UInt64] = [:]
  private var passed: [ObservationPoint: UInt64] = [:]
  private var missed: [Stretch: Missed] = [:]

  /// What did not come out of a stretch.
  private struct Missed {
    var entered: UInt64 = 0
    var left: UInt64 = 0
    /// What traces had told before it was there.
    var tracedBefore: UInt64 = 0
    /// What traces did not tell: as it was the last time, for packets may be on their way.
    var candidate: UInt64 = 0
    /// What is told.
    var told: UInt64 = 0
  }

  /// Droppers that are told apart; more than these are told together.
  package static let most = 300
  private static let mostTexts = 4096
  private static let mostPlaces = 8192
  /// Characters of a rule that are told.
  private static let mostText = 256

  /// Nothing was counted.
  package init() {}

  /// The chains that there are now, as NFT_MSG_NEWCHAIN messages, and nftrace's points among them.
  package mutating func begin(_ chains: [NetlinkMessage], _ points: [ObservationPoint]) {
    let listed = chains.compactMap { try? ChainMessage($0.payload) }
      .filter { $0.hook != nil && !OwnTable.isOne($0.table) }
    hooks = [:]
    for chain in listed { hooks[Chain(chain)] = chain.hook! }
    self.points = points
    stretches = Self.stretches(listed, points)
    for (stretch, _, _) in stretches where missed[stretch] == nil {
      missed[stretch] = Missed(tracedBefore: traced(stretch))
    }
  }

  /// The counters of the points begin anew. Where somebody had removed them, what they had counted since they were read is
  /// not known, and traces of that are not to stand for what comes.
  package mutating func reset() {
    counters = [:]
    for (stretch, _, _) in stretches {
      var missed = self.missed[stretch]!
      let lost = missed.entered > missed.left ? missed.entered - missed.left : 0
      let traced = traced(stretch)
      if traced - missed.tracedBefore > lost {
        missed.tracedBefore = traced - lost
        self.missed[stretch] = missed
      }
    }
  }

  private static func stretches(
    _ chains: [ChainMessage], _ points: [ObservationPoint]
  ) -> [(stretch: Stretch, before: String, behind: String)] {
    var found: [(stretch: Stretch, before: String, behind: String)] = []
    for hook in ObservationPoint.inetHooks {
      let here = points.filter { $0.hook == hook }.sorted { $0.priority < $1.priority }
      for (before, behind) in zip(here, here.dropFirst()) {
        let between = chains.filter {
          [NFProto.inet, NFProto.ipv4, NFProto.ipv6].contains($0.family)
            && $0.hook == hook && $0.priority! >= before.priority
            && $0.priority! < behind.priority
        }
        // Where fragments are put together, fewer packets come out; what NAT translates may not be looked at behind it.
        let mergesFragments =
          (hook == .prerouting || hook == .output) && before.priority <= Self.defragmentation
          && behind.priority > Self.defragmentation
        guard !between.isEmpty, !between.contains(where: { $0.type == "nat" }), !mergesFragments
        else { continue }
        found.append(
          (
            Stretch(hook: hook, table: behind.table, bases: between.map { Chain($0) }),
            before.chain, behind.chain
          ))
      }
    }
    return found
  }

  /// NF_IP_PRI_CONNTRACK_DEFRAG.
  private static let defragmentation: Int32 = -400

  /// Takes in a message of the kernel.
  package mutating func take(_ message: NetlinkMessage) {
    switch message.type {
    case TraceMessage.type:
      guard let step = try? TraceMessage(message.payload, unlessOf: OwnTable.prefix) else { return }
      take(step)
    case RulesetWatch.deleteTableType:
      guard let gone = TableName(removedBy: message) else { return }
      texts = texts.filter { TableName($0.key.family, $0.key.table) != gone }
    default: break
    }
  }

  private mutating func take(_ step: TraceMessage) {
    let chain = Chain(family: step.family, table: step.table, name: step.chain)
    if hooks[chain] != nil, step.verdict == .jump || step.verdict == .goto {
      if places.count >= Self.mostPlaces { places = [:] }
      places[step.id] = chain
    }
    guard step.verdict == .drop, step.kind != .return else { return }
    let base = hooks[chain] != nil ? chain : places[step.id]
    places[step.id] = nil
    let dropper = Dropper(
      chain: chain, base: base, handle: step.kind == .policy ? nil : step.handle)
    if dropped[dropper] != nil || dropped.count < Self.most {
      dropped[dropper, default: 0] += 1
    } else {
      dropped[Self.others, default: 0] += 1
      if let base { othersOf[base, default: 0] += 1 }
    }
  }

  private static let others = Dropper(chain: Chain(family: 0, table: "other", name: "other"))
  /// What is told together, by base chain.
  private var othersOf: [Chain: UInt64] = [:]

  /// Takes in a rule in its words.
  package mutating func take(_ text: RuleText) {
    guard let handle = text.handle else { return }
    if texts.values.reduce(0, { $0 + $1.count }) >= Self.mostTexts { texts = [:] }
    let chain = Chain(family: text.family, table: text.table, name: text.chain)
    texts[chain, default: [:]][handle] = String(text.rule.prefix(Self.mostText))
  }

  /// Takes in what the counters of the points say, by their chains. It is to be read before the traces are that are
  /// taken in before this.
  package mutating func read(_ counters: [String: UInt64]) {
    var news: [String: UInt64] = [:]
    for (chain, count) in counters {
      let last = self.counters[chain] ?? 0
      news[chain] = count >= last ? count - last : count
    }
    self.counters = counters
    for point in points { passed[point, default: 0] += news[point.chain] ?? 0 }
    for (stretch, before, behind) in stretches {
      var missed = self.missed[stretch]!
      missed.entered += news[before] ?? 0
      missed.left += news[behind] ?? 0
      let known = missed.left + (traced(stretch) - missed.tracedBefore)
      let now = missed.entered > known ? missed.entered - known : 0
      // What is on its way now will have come out by the next time.
      missed.told = max(missed.told, min(missed.candidate, now))
      missed.candidate = now
      self.missed[stretch] = missed
    }
  }

  private func traced(_ stretch: Stretch) -> UInt64 {
    stretch.bases.reduce(0) { sum, base in
      sum + (othersOf[base] ?? 0)
        + dropped.reduce(0) { $0 + ($1.key.base == base ? $1.value : 0) }
    }
  }
}

// What is told of it.
extension DropCounts {
  /// Packets that were dropped in one way.
  package struct Drops: Sendable, Equatable {
    /// The hook's name; "" where it is not known.
    package var hook: String
    /// The family's name.
    package var family: String
    /// The table's name.
    package var table: String
    /// The chain's name.
    package var chain: String
    /// The rule's handle; "" for what is none.
    package var handle: String
    /// Why.
    package var reason: Reason
    /// How many there were.
    package var packets: UInt64
    /// The rule in its owner's words, where it is known.
    package var rule: String?
  }

  /// Why packets were dropped; the raw value is what metrics say.
  package enum Reason: String, Sendable {
    /// A rule dropped or rejected them.
    case rule
    /// The policy of a base chain did.
    case policy
    /// They did not come out of a base chain, and no trace told which rule it was.
    case unattributed
    /// More rules dropped something than are told apart.
    case other
  }

  /// All that were dropped, in an order that stays.
  package var drops: [Drops] {
    var all = dropped.map { dropper, packets in
      Drops(
        hook: dropper.base.flatMap { hooks[$0]?.rawValue } ?? "",
        family: dropper == Self.others ? "other" : NFProto.name(dropper.chain.family),
        table: dropper.chain.table, chain: dropper.chain.name,
        handle: dropper.handle.map { "\($0)" } ?? "",
        reason: dropper == Self.others ? .other : dropper.handle == nil ? .policy : .rule,
        packets: packets, rule: dropper.handle.flatMap { texts[dropper.chain]?[$0] })
    }
    for (stretch, missed) in missed where missed.told > 0 {
      let base = stretch.bases.count == 1 ? stretch.bases[0] : nil
      all.append(
        Drops(
          hook: stretch.hook.rawValue, family: base.map { NFProto.name($0.family) } ?? "",
          table: base?.table ?? stretch.table ?? "", chain: base?.name ?? "", handle: "",
          reason: .unattributed, packets: missed.told))
    }
    return all.sorted { $0.order.lexicographicallyPrecedes($1.order) }
  }

  /// How many packets came by each point, in the order in which they come by.
  package var passes: [(point: ObservationPoint, packets: UInt64)] {
    points.map { ($0, passed[$0] ?? 0) }
  }
}

extension DropCounts.Drops {
  fileprivate var order: [String] { [hook, family, table, chain, reason.rawValue, handle] }
}
