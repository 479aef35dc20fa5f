package import Wire

/// The probes that a ping sends.
package struct ProbePlan: Sendable, Equatable {
  /// The address they come from, of the version that `destination` has.
  package var source: IPAddress
  /// The address they go to.
  package var destination: IPAddress
  /// The name that was asked for, whose address `destination` is.
  package var name: String?
  /// What they are.
  package var proto: ProbeProtocol
  /// ICMP identifier of the first probe. Each has one of its own, so that each is a connection of
  /// its own and its NAT rules are really asked.
  package var identifier: UInt16
  /// How many there are.
  package var count: Int
  /// Seconds between probes.
  package var interval: Double
  /// Seconds to wait for an answer.
  package var timeout: Double
  /// TTL or hop limit they are sent with.
  package var ttl: UInt8
  /// Type of service or traffic class they are sent with.
  package var tos: UInt8
  /// Whether they forbid fragmentation.
  package var dontFragment: Bool
  /// Octets of payload behind the transport header.
  package var size: Int
  /// Eight octets that mark the payload of every probe, as a number in network order.
  package var nonce: UInt64
  /// The trace that they are part of; nil in sessions of before. The first half of its id is the `nonce`, where the
  /// payload has room for all of it.
  package var context: TraceContext?
  /// The interface they enter by: the name of the TUN device, or of the one they arrive on.
  package var device: String?
  /// The port of every probe's sender, where the protocol has ports; nil where each probe has one of its
  /// own.
  package var sourcePort: UInt16?
  /// The port they go to, where the protocol has ports.
  package var destinationPort: UInt16?
  /// The interface that this host's socket is bound to; nil where it is free to go by any.
  package var boundDevice: String?
  /// The mark that this host's socket gives them; nil where nobody said so.
  package var senderMark: UInt32?
  /// The number of the user whose this host's socket is; nil where nobody said so.
  package var senderUser: UInt32?
  /// Whether somebody said from which of this host's addresses they go.
  package var hasChosenSource = false
  /// The octets of the packet that is sent, where it is one that was captured. Sessions keep as many as tell it
  /// from others.
  package private(set) var like: [UInt8]?
  private static let keptOctets = 160
  /// The flags of a TCP probe.
  package var tcpFlags = TCPHeader.Flags.syn
  /// What is sent by a TCP connection once it stands; nil where the SYN is all there is to a probe. Each connection
  /// then takes two probes.
  package var data: [UInt8]?
  /// Octets of data that the sender of a SYN says it takes in a segment; nil where it does not say.
  package var maximumSegment: UInt16?
  /// Whether they look for the narrowest link of their way, as what Linux sends by IPv4: they may not be fragmented
  /// behind who sent them. nil where there is no choice.
  package var discoversMTU: Bool?
  /// In how many ways one probe each is sent, to be compared, of which this is one; nil where it is the only one.
  package var ways: Int?
  /// Octets at most of the fragments in which they come in; nil where they come in whole.
  package internal(set) var fragmentSize: Int?
  /// How they enter.
  package var entrance = EntranceKind.tun
  /// The port of one packet more, where all probes are sent from one port: its connection is new, when that of
  /// a probe that got no answer is not.
  package var witnessPort: UInt16?
  /// Whether no more than a default route leads to whom they seem to come from.
  package var isFromAfar = false
  /// Whether that is all that tells the interface that they come in by.
  package var isPlacedByDefault = false
  /// Whether nobody said whom they seem to come from, so that nftrace picked a client: that he is not there is no
  /// reason of a loss.
  package var hasPickedClient = false
  /// Whether somebody said to whose MAC address they go, so that nobody asks for it.
  package var hasChosenReceiver = false
  /// Whose MAC address the client asks for before it sends, an address of this host's; nil where it does not ask.
  package var asksFor: IPAddress?
  /// The address that it asks from; nil where it is not known by the MAC address that the probes come from.
  package var asksFrom: IPAddress?
  /// What carries the trace beside the payload.
  package var carriers: [ContextCarrier] = []
  /// The namespace of IOAM whose routers find room in them to write into; nil where there is none.
  package var ioam: UInt16?
  /// Whether they are discarded at the end of their way, before they leave.
  package var dryRun = false

  /// A plan of these fields.
  package init(
    source: IPAddress, destination: IPAddress, proto: ProbeProtocol, identifier: UInt16,
    count: Int, interval: Double, timeout: Double, ttl: UInt8, tos: UInt8, dontFragment: Bool,
    size: Int, nonce: UInt64, device: String?, sourcePort: UInt16? = nil,
    destinationPort: UInt16? = nil, entrance: EntranceKind = .tun, dryRun: Bool = false
  ) {
    self.source = source
    self.destination = destination
    self.proto = proto
    self.identifier = identifier
    self.count = count
    self.interval = interval
    self.timeout = timeout
    self.ttl = ttl
    self.tos = tos
    self.dontFragment = dontFragment
    self.size = size
    self.nonce = nonce
    self.device = device
    self.sourcePort = sourcePort
    self.destinationPort = destinationPort
    self.entrance = entrance
    self.dryRun = dryRun
  }

  /// The plan with what a probe can have of everything: a file may say anything.
  var bounded: ProbePlan {
    var plan = self
    plan.count = min(max(count, 1), Int(UInt32.max))
    plan.size = min(max(size, 0), Int(UInt16.max))
    return plan
  }

  /// The sequence number of the packet that is sent from `witnessPort`; nil where there is none.
  package var witness: Int? { witnessPort == nil ? nil : count + 1 }

  /// The sequence number of the packet that has the destination send back what routers have written into it; nil where
  /// they are not asked.
  package var survey: Int? { ioam == nil ? nil : (witness ?? count) + 1 }

  /// The last sequence number that there may be.
  var lastSequence: Int { survey ?? witness ?? count }

  /// Has this packet be the probe, as it is. Throws for what is no IP packet.
  package mutating func send(_ octets: [UInt8]) throws(WireError) {
    let packet = try Packet(octets)
    like = octets
    proto = ProbeProtocol(like: packet)
    (source, destination) = (packet.source, packet.destination)
    (sourcePort, destinationPort) = (packet.sourcePort, packet.destinationPort)
    (ttl, tos, dontFragment) = (packet.ttl, packet.tos, packet.dontFragment)
    size = packet.payload.count
    tcpFlags = packet.tcp?.flags ?? .syn
  }

  /// What was asked for, in words: an address, and its name if that was given.
  package var target: String {
    name.map { "\(Escape.name($0)) (\(destination))" } ?? "\(destination)"
  }

  /// 4 or 6.
  package var version: Int { destination.family }
}

extension ProbePlan: JSONObject {
  static var blank: ProbePlan {
    ProbePlan(
      source: .v4(0), destination: .v4(0), proto: .icmp, identifier: 0, count: 0, interval: 0,
      timeout: 0, ttl: 0, tos: 0, dontFragment: false, size: 0, nonce: 0, device: nil)
  }

  mutating func members(_ json: inout JSONMembers) {
    // Versions that knew no other way wrote neither of these.
    var named = entrance == .tun ? nil : entrance
    var isDryRun = dryRun ? true : nil
    json.member("asksFor", &asksFor)
    json.member("asksFrom", &asksFrom)
    json.member("boundDevice", &boundDevice)
    var isOfSource = hasChosenSource ? true : nil
    json.member("chosenSource", &isOfSource)
    hasChosenSource = isOfSource ?? false
    var carried: [String]? = carriers.isEmpty ? nil : carriers.map(\.rawValue)
    json.member("carriers", &carried)
    carriers = (carried ?? []).compactMap { ContextCarrier(rawValue: $0) }
    json.member("context", &context)
    json.member("count", &count)
    json.member("data", &data)
    json.member("destination", &destination)
    json.member("destinationPort", &destinationPort)
    json.member("device", &device)
    json.member("discoversMTU", &discoversMTU)
    json.member("dontFragment", &dontFragment)
    json.member("dryRun", &isDryRun)
    json.member("entrance", &named)
    json.member("fragmentSize", &fragmentSize)
    var isForeign = isFromAfar ? true : nil
    json.member("fromAfar", &isForeign)
    isFromAfar = isForeign ?? false
    var isChosen = hasChosenReceiver ? true : nil
    json.member("chosenReceiver", &isChosen)
    hasChosenReceiver = isChosen ?? false
    json.member("identifier", &identifier)
    json.member("interval", &interval)
    json.member("ioam", &ioam)
    json.member("maximumSegment", &maximumSegment)
    var kept = like.map { Array($0.prefix(Self.keptOctets)) }
    json.member("like", &kept)
    like = like ?? kept
    json.member("name", &name)
    json.member("nonce", &nonce)
    var isPlaced = isPlacedByDefault ? true : nil
    json.member("placedByDefault", &isPlaced)
    isPlacedByDefault = isPlaced ?? false
    var isPicked = hasPickedClient ? true : nil
    json.member("pickedClient", &isPicked)
    hasPickedClient = isPicked ?? false
    json.member("proto", &proto)
    json.member("senderMark", &senderMark)
    json.member("senderUser", &senderUser)
    json.member("size", &size)
    json.member("source", &source)
    json.member("sourcePort", &sourcePort)
    var flags = tcpFlags == .syn ? nil : Int(tcpFlags.rawValue)
    json.member("tcpFlags", &flags)
    tcpFlags = flags.map { TCPHeader.Flags(rawValue: UInt8(clamping: $0)) } ?? .syn
    json.member("timeout", &timeout)
    json.member("tos", &tos)
    json.member("ttl", &ttl)
    json.member("ways", &ways)
    json.member("witnessPort", &witnessPort)
    if let octets = like, let packet = try? Packet(octets) { proto = ProbeProtocol(like: packet) }
    entrance = named ?? .tun
    dryRun = isDryRun ?? false
  }
}
