internal import Wire

/// What of a packet neither routing nor NAT changes: two observations with the same identity are
/// most likely the same packet. Addresses, ports, ICMP identifiers, TTL and checksums play no part.
struct PacketIdentity: Hashable {
  private var proto: UInt8
  private var identification: UInt16
  private var fragmentOffset: Int
  private var numbers: UInt64
  private var payload: UInt64

  /// `also` is a number that the packet keeps as well.
  init(_ packet: Packet, also: UInt64 = 0) {
    proto = packet.proto.rawValue
    identification = packet.identification ?? 0
    fragmentOffset = packet.fragment?.offset ?? 0
    let (first, second) = packet.transport.numbers
    numbers = first
    payload = also ^ second
    if let quoted = packet.quoted {
      // NAT rewrites the quotation's addresses too.
      numbers = first & ~0xffff | UInt64(quoted.identification ?? 0)
      return
    }
    // An answer's fragments may have the same octets at the same place. In IPv4 each has its number.
    if packet.isLaterFragment, packet.identification == nil {
      numbers = UInt64(packet.fragment?.identification ?? 0)
    }
    payload = Self.hash(packet.payload.prefix(48), seed: payload)
  }

  /// All fields in three words: this is asked for each packet at each point.
  func hash(into hasher: inout Hasher) {
    hasher.combine(numbers)
    hasher.combine(payload)
    hasher.combine(
      UInt64(identification) | UInt64(proto) << 16
        | UInt64(truncatingIfNeeded: fragmentOffset) << 24)
  }

  /// A number that those of one identity have in common.
  var number: Int {
    Int(truncatingIfNeeded: payload ^ numbers &* 0x9e37_79b9_7f4a_7c15 >> 7) ^ Int(identification)
  }

  /// What an echo request and its reply have in common; nil for other packets.
  init?(echo packet: Packet) {
    guard let echo = packet.echo else { return nil }
    proto = packet.proto.rawValue
    identification = echo.sequence
    fragmentOffset = 0
    numbers = 0
    payload = Self.hash(packet.payload.prefix(48), seed: 0)
  }

  private static func hash(_ bytes: ArraySlice<UInt8>, seed: UInt64) -> UInt64 {
    var sum = Fingerprint(seed: seed)
    sum.add(bytes)
    return sum.value
  }
}

extension Packet {
  /// The ICMP header of an echo request or reply; nil for other packets.
  var echo: ICMPHeader? {
    icmp.flatMap { $0.isEchoRequest(proto) || $0.isEchoReply(proto) ? $0 : nil }
  }

  /// Whether it goes the same way between the same addresses and ports.
  func hasEnds(of other: Packet) -> Bool {
    source == other.source && destination == other.destination && sourcePort == other.sourcePort
      && destinationPort == other.destinationPort
  }

  /// Whether an ICMP error that quotes `quoted` is about this packet. Some quote no more than the
  /// ports.
  func isSame(as quoted: Packet) -> Bool {
    source == quoted.source && destination == quoted.destination && proto == quoted.proto
      && identification == quoted.identification && sourcePort == quoted.sourcePort
      && destinationPort == quoted.destinationPort
  }
}
