internal import Wire

// What the story makes of lines of the kernel log. They say where a packet was and what its headers
// were, and nothing of rules, trace ids and connections: which lines are of one packet, and which
// packets of one exchange, follows from the headers alone.

extension Story {
  /// A packet at one point. Its place among the points is what the rule's prefix says.
  mutating func takeLine(_ line: LogLine) {
    guard let (label, hook) = ObservationPoint.label(inPrefix: line.prefix) else { return }
    let identity = Identity(line)
    let point = labels[hook]?[label] ?? learned(label, hook, line, identity)
    // IPv4 in a frame: the kernel leaves the mark out, whatever it is.
    let isMarkLeftOut = hook == .egress && line.mark == nil
    let packet = line.packet
    var observation = Observation(
      point: point, time: now, inDevice: hook == .postrouting ? nil : line.inDevice,
      outDevice: line.outDevice, packet: packet, identity: identity,
      mark: packet.isMulticastListenerDiscovery ? 0 : isMarkLeftOut ? nil : line.mark ?? 0)
    if point.hook == .ingress || point.hook == .egress,
      let device = hook == .ingress ? line.inDevice : line.outDevice
    {
      observation.point.label += "-\(device)"
    }
    let index = place(observation, traceID: nil)
    let isReply = flows.take(packet, of: &open[index].exchange)
    if open[index].isReply == nil { open[index].isReply = isReply }
    open[index].key = key(of: open[index])
  }

  /// A point that the session's header does not have, such as that behind a chain of the user's: in
  /// a saved log, the order of such points shows in the order of a packet's lines.
  private mutating func learned(
    _ label: String, _ hook: Hook, _ line: LogLine, _ identity: Identity
  ) -> ObservationPoint {
    if hook == .ingress || hook == .egress {
      let point = hook == .ingress ? ObservationPoint.ingress : .egress
      if header?.points.contains(point) == false { learn(point) }
      return point
    }
    let last = latest[identity].map { open[$0].lastPoint }
    let priority = last.flatMap { $0.hook == hook ? $0.priority : nil } ?? .min
    let table = String(label.dropLast(hook.rawValue.count + 1))
    var point = ObservationPoint(
      hook: hook, priority: priority == .max ? .max : priority + 1, table: table, label: label,
      chain: "\(hook.rawValue)_\(table)")
    point.isGuessed = true
    if header?.points.count ?? 0 < SessionHeader.mostPoints { learn(point) }
    return point
  }

  /// Of two packets that can be the one observed, as far as points tell: the one whose addresses are
  /// the same rather than one that NAT could have changed so; then one that was seen just now, for
  /// another may have been lost; then the one that came furthest.
  func nearer(_ index: Int, than other: Int?, to next: Observation) -> Int? {
    guard let likeness = likeness(index, next), now.since(open[index].last) <= Self.idle else {
      return other
    }
    guard let other, let known = self.likeness(other, next) else { return index }
    if likeness != known { return likeness > known ? index : other }
    let isRecent = [index, other].map { now.since(open[$0].last) <= Self.patience }
    if isRecent[0] != isRecent[1] { return isRecent[0] ? index : other }
    // Of two that are as far, the one that began last.
    return open[index].lastPoint.rank > open[other].lastPoint.rank ? index : other
  }

  /// 2 where both ends are the same, 1 where one is; nil where neither is.
  private func likeness(_ index: Int, _ next: Observation) -> Int? {
    let last = open[index].hops[open[index].hops.count - 1].packet
    let (before, after) = (LoggedFlows.ends(of: last), LoggedFlows.ends(of: next.packet))
    let same = (before.from == after.from ? 1 : 0) + (before.to == after.to ? 1 : 0)
    return same == 0 ? nil : same
  }
}

extension Identity {
  /// What of a line neither routing nor NAT changes.
  init(_ line: LogLine) {
    var bare = line.packet
    // What an error quotes is not told at egress, and NAT rewrites it.
    bare.payload = []
    if let icmp = bare.icmp, icmp.isError(bare.proto) {
      bare.transport = .icmp(ICMPHeader(type: icmp.type, code: icmp.code))
    }
    self.init(bare, also: UInt64(line.flowLabel ?? 0))
  }
}

/// Which packets answer which, told by addresses alone: every line of a packet shows some, and those
/// that a request has behind NAT are the ones its answer comes with.
struct LoggedFlows {
  /// An address with a port, or with an echo's identifier.
  struct End: Hashable {
    var address: IPAddress
    var port: UInt16

    /// By which the ends of a flow are put in order.
    fileprivate var number: (UInt128, UInt16) {
      switch address {
      case .v4(let value): (UInt128(value), port)
      case .v6(let value): (value, port)
      }
    }
  }

  /// Both ends of a flow, whichever way a packet goes.
  private struct Pair: Hashable {
    var proto: UInt8
    var lower: End
    var upper: End
    /// Of fragments, which have no ports: what those of a packet share.
    var fragment: UInt32?

    init(_ proto: IPProtocol, _ one: End, _ other: End, fragment: UInt32? = nil) {
      self.proto = proto.rawValue
      (lower, upper) = one.number < other.number ? (one, other) : (other, one)
      self.fragment = fragment
    }
  }

  private struct Entry {
    /// What the exchanges of a flow have in common; of echoes each has a number of its own.
    var flow: UInt32
    var echo: UInt16?
    /// The end that requests come from, as they have these addresses.
    var origin: End
  }

  private var entries: [Pair: Entry] = [:]
  /// What `entries` were when they became too many: those in use go back there.
  private var older: [Pair: Entry] = [:]
  private var next: UInt32 = 1
  /// Pairs that are kept in mind, and older ones. Each is 128 octets.
  private static let most = 1 << 14

  /// The ends of a packet.
  static func ends(of packet: Packet) -> (from: End, to: End) {
    let isEcho = packet.icmp.map { $0.isEchoRequest(packet.proto) || $0.isEchoReply(packet.proto) }
    let echo = isEcho == true ? packet.icmp?.identifier : nil
    return (
      End(address: packet.source, port: packet.sourcePort ?? echo ?? 0),
      End(address: packet.destination, port: packet.destinationPort ?? echo ?? 0)
    )
  }

  /// Takes in that a packet was seen, of an exchange that is nil as long as it is not known. Returns
  /// whether it goes the way of answers; nil if that cannot be told. As in conntrack, what comes first
  /// of a flow is a request unless its header says otherwise.
  mutating func take(_ packet: Packet, of exchange: inout Story.Key?) -> Bool? {
    let isError = packet.quoted != nil
    let told = packet.quoted ?? packet
    let (from, to) = Self.ends(of: told)
    guard let pair = Self.pair(told) else { return nil }
    let isAnswer: Bool?
    let entry: Entry
    if let known = known(pair) {
      entry = known
      // What an error quotes went the other way.
      isAnswer = from == to ? nil : (known.origin != from) != isError
    } else {
      if isError { return nil }
      isAnswer = Self.isAnswer(packet)
      var flow = next
      if case .pair(let number, _) = exchange { flow = number } else { next &+= 1 }
      entry = Entry(flow: flow, origin: isAnswer == true ? to : from)
      keep(entry, pair)
    }
    let echo = entry.echo ?? told.icmp?.sequence ?? 0
    if exchange == nil { exchange = .pair(entry.flow, echo) }
    // The first fragment knows what the others belong to.
    if !isError, packet.fragment?.offset == 0, let all = Self.pair(packet, asFragment: true) {
      let origin = End(address: isAnswer == true ? to.address : from.address, port: 0)
      keep(Entry(flow: entry.flow, echo: echo, origin: origin), all)
    }
    return isAnswer
  }

  private mutating func known(_ pair: Pair) -> Entry? {
    if let entry = entries[pair] { return entry }
    guard let entry = older[pair] else { return nil }
    keep(entry, pair)
    return entry
  }

  private mutating func keep(_ entry: Entry, _ pair: Pair) {
    if entries.count >= Self.most {
      swap(&entries, &older)
      entries.removeAll(keepingCapacity: true)
    }
    entries[pair] = entry
  }

  /// Whether a packet is an answer, as far as its header says.
  private static func isAnswer(_ packet: Packet) -> Bool? {
    if let icmp = packet.icmp { return icmp.isEchoReply(packet.proto) }
    guard let flags = packet.tcp?.flags else { return false }
    return flags.contains(.syn) ? flags.contains(.ack) : flags.contains(.rst)
  }

  /// nil for packets that are told alone: what is no echo of ICMP, and what is cut off.
  private static func pair(_ packet: Packet, asFragment: Bool = false) -> Pair? {
    let (from, to) = ends(of: packet)
    if let fragment = packet.fragment, asFragment || fragment.offset > 0 {
      return Pair(
        packet.proto, End(address: from.address, port: 0), End(address: to.address, port: 0),
        fragment: fragment.identification)
    }
    if let icmp = packet.icmp, !icmp.isEchoRequest(packet.proto), !icmp.isEchoReply(packet.proto) {
      return nil
    }
    if case .absent = packet.transport { return nil }
    return Pair(packet.proto, from, to)
  }
}

extension ObservationPoint {
  /// Hooks as labels name them.
  private static let hooks: [String: Hook] = Dictionary(
    uniqueKeysWithValues: Hook.allCases.map { ($0.rawValue.uppercased(), $0) })

  /// The label that a prefix of nftrace's rules for the kernel log has, "raw-PREROUTING: ", and the
  /// hook it ends with; nil for what is no such prefix.
  static func label(inPrefix prefix: String) -> (String, Hook)? {
    let octets = prefix.utf8
    guard octets.suffix(2).elementsEqual(": ".utf8) else { return nil }
    let label = prefix[..<octets.index(octets.endIndex, offsetBy: -2)]
    let dash = label.utf8.lastIndex(of: UInt8(ascii: "-"))
    guard dash != label.startIndex,
      let hook = hooks[String(dash.map { label[label.utf8.index(after: $0)...] } ?? label)]
    else { return nil }
    return (String(label), hook)
  }
}
