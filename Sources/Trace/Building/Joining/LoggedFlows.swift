internal import Wire

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
  mutating func take(_ packet: Packet, of exchange: inout ExchangeKey?) -> Bool? {
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
