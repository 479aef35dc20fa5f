internal import Wire

/// Trace ids of ARP and neighbour discovery packets on their way. They are traced, not logged: only that
/// a rule drops them is of interest.
struct DiscoveryTraces: Sendable {
  private var messages: [UInt32: DiscoveryMessage] = [:]
  /// Trace ids are used again: what was long ago does not count.
  private static let most = 4096

  /// Takes in what a trace tells of a packet, if it is such a one. The copies that a bridge makes for its ports have
  /// ids of their own, and the mark of the first.
  mutating func take(_ trace: TraceMessage) {
    guard trace.startsChain, trace.isDiscovery(trace.packet) else { return }
    if messages.count >= Self.most { messages.removeAll(keepingCapacity: true) }
    messages[trace.id] = DiscoveryMessage(trace)
  }

  /// What a rule or policy dropped, if that is what the trace tells.
  mutating func drop(_ trace: TraceMessage) -> DiscoveryDrop? {
    take(trace)
    guard trace.family == NFProto.arp || messages[trace.id] != nil, trace.verdict == .drop,
      let ref = RuleRef(handle: trace.handle, isPolicy: trace.kind == .policy)
    else { return nil }
    return DiscoveryDrop(
      step: RuleStep(
        family: trace.family, table: trace.table, chain: trace.chain, ref, verdict: .drop),
      message: messages[trace.id])
  }
}

/// A rule or policy that dropped ARP or neighbour discovery.
struct DiscoveryDrop: Sendable, Equatable {
  var step: RuleStep
  /// What it dropped, where that was told.
  var message: DiscoveryMessage?

  /// Whether that was about this neighbour, as far as is known.
  func isAbout(_ neighbour: IPAddress) -> Bool {
    guard let message else { return (step.family == NFProto.arp) == (neighbour.family == 4) }
    return message.isAbout(neighbour)
  }
}

extension DiscoveryDrop {
  /// Whether it is of what the client of these probes asks before it sends them, or of the answer.
  func isOf(clientOf plan: ProbePlan) -> Bool {
    guard let asked = plan.asksFor, let message else { return false }
    let askers = plan.asksFrom.map { [$0] } ?? IPAddress.unspecified(as: asked)
    guard message.isAbout(asked), let sender = message.sender else { return false }
    return message.isQuestion
      ? askers.contains(sender)
      : !askers.contains(sender) && askers.contains(where: message.isAbout)
  }
}

/// What a packet of ARP or neighbour discovery says, as far as a trace tells it.
struct DiscoveryMessage: Sendable, Equatable {
  private var version: Int
  /// Who sent it and to whom; of ARP, who asks and who is asked for, or the other way round.
  private var ends: [IPAddress] = []
  /// Whether it asks, and does not answer.
  private(set) var isQuestion = false
  /// The first octets of the address that an advertisement of IPv6 is about.
  private var advertised: [UInt8] = []

  init(_ trace: TraceMessage) {
    if let packet = trace.packet {
      version = 6
      ends = [packet.source, packet.destination]
      isQuestion = packet.icmp?.type == 135
      if packet.icmp?.type == 136 { advertised = Array(trace.transportHeader?.dropFirst(8) ?? []) }
    } else {
      version = 4
      // The sender's and the target's address of IPv4 over Ethernet: RFC 826.
      if let header = trace.networkHeader, header.count >= 28, header[4] == 6, header[5] == 4 {
        isQuestion = header[7] == 1
        ends = [14, 24].compactMap { IPAddress(bytes: header[$0..<$0 + 4]) }
      }
    }
  }

  /// Who sent it.
  var sender: IPAddress? { ends.first }

  /// Whether it asks for this neighbour, or comes from it.
  func isAbout(_ neighbour: IPAddress) -> Bool {
    guard version == neighbour.family else { return false }
    let isAdvertised = !advertised.isEmpty && neighbour.bytes.starts(with: advertised)
    return ends.isEmpty || ends.contains(neighbour) || isAdvertised
      || ends.contains(neighbour.solicitedNode)
  }
}

extension IPAddress {
  /// From where somebody asks who has no address, and to where he is answered.
  fileprivate static func unspecified(as other: IPAddress) -> [IPAddress] {
    ["0.0.0.0", "::", "ff02::1"].compactMap { IPAddress($0) }.filter { $0.family == other.family }
  }

  /// The group to which questions for an IPv6 address go: RFC 4291 section 2.7.1.
  fileprivate var solicitedNode: IPAddress {
    let group: [UInt8] = [0xff, 2] + Array(repeating: 0, count: 9) + [1, 0xff]
    return IPAddress(bytes: group + bytes.suffix(3)) ?? self
  }
}

/// A question or an answer of neighbour discovery, by which it is known again: it has no number.
struct DiscoveryPacket: Hashable {
  private var source: IPAddress
  private var destination: IPAddress
  private var type: UInt8

  /// nil for another packet.
  init?(_ packet: Packet) {
    guard packet.isNeighbourDiscovery, let type = packet.icmp?.type else { return nil }
    source = packet.source
    destination = packet.destination
    self.type = type
  }
}
