/// An IPv4 (RFC 791) or IPv6 (RFC 8200) packet: the header fields that tracing looks at, and the
/// transport header if it is there.
package struct Packet: Sendable, Equatable {
  /// The sender, of the same family as `destination`.
  package var source: IPAddress
  /// The receiver.
  package var destination: IPAddress
  /// The transport protocol; in IPv6 what follows the extension headers.
  package var proto: IPProtocol
  /// Time to live, or hop limit.
  package var ttl: UInt8
  /// The whole octet: DSCP and ECN; in IPv6 the traffic class.
  package var tos: UInt8
  /// IPv4 identification; nil in IPv6, where only fragments have one.
  package var identification: UInt16?
  /// Don't fragment; always true in IPv6.
  package var dontFragment: Bool
  /// Set in fragments only.
  package var fragment: Fragment?
  /// IPv6's flow label, 20 bits; 0 is none.
  package var flowLabel: UInt32 = 0
  /// The options of IPv4, as many octets as there are; of IPv6 the extension headers, where the first of them is a
  /// hop-by-hop header.
  package var options: [UInt8] = []
  /// Octets of the whole packet as its header says, IP header included.
  package var length: Int
  /// What follows the IP header.
  package var transport: Transport
  /// Octets after the transport header, as far as they were captured.
  package var payload: [UInt8]

  /// Whether it is a fragment without the packet's own transport header, which the first one has.
  package var isLaterFragment: Bool { fragment.map { $0.offset > 0 } ?? false }

  /// A fragment's place in the whole.
  package struct Fragment: Sendable, Equatable {
    /// What all fragments of a packet share.
    package var identification: UInt32
    /// Octets from the start of the packet's payload.
    package var offset: Int
    /// Whether fragments follow.
    package var more: Bool

    /// A fragment at this place; `bytes` rounds `offset` down to a multiple of eight.
    package init(identification: UInt32, offset: Int, more: Bool) {
      self.identification = identification
      self.offset = offset
      self.more = more
    }
  }

  /// A packet of these fields; `length` plays no part in `bytes`.
  package init(
    source: IPAddress, destination: IPAddress, proto: IPProtocol, ttl: UInt8 = 64, tos: UInt8 = 0,
    identification: UInt16? = nil, dontFragment: Bool = false, fragment: Fragment? = nil,
    length: Int = 0, transport: Transport, payload: [UInt8] = []
  ) {
    self.source = source
    self.destination = destination
    self.proto = proto
    self.ttl = ttl
    self.tos = tos
    self.identification = identification
    self.dontFragment = dontFragment
    self.fragment = fragment
    self.length = length
    self.transport = transport
    self.payload = payload
  }

  /// The packet in `bytes`, which begin with its IP header and may have been cut off behind it.
  /// Throws when the fixed part of that header (20 or 40 octets) is not there whole.
  package init(_ bytes: [UInt8]) throws(WireError) {
    try self.init(bytes, from: 0)
  }

  /// The packet that begins at an octet of `bytes`. Throws as `init(_:)` does.
  package init(_ bytes: [UInt8], from start: Int) throws(WireError) {
    try self.init(bytes, in: start..<max(start, bytes.count))
  }

  /// The packet in a part of `bytes`. Throws as `init(_:)` does.
  package init(_ bytes: [UInt8], in part: Range<Int>) throws(WireError) {
    var whole = ByteReader(bytes.span)
    try whole.skip(part.lowerBound)
    var reader = try whole.slice(part.count)
    let first = try reader.u8()
    switch first >> 4 {
    case 4: self = try Self.parseV4(&reader, of: bytes, first: first)
    case 6: self = try Self.parseV6(&reader, of: bytes, first: first)
    default: throw WireError("IP version \(first >> 4)", at: reader.offset - 1)
    }
  }

  //   0                   1                   2                   3
  //  |Version|  IHL  |      TOS      |          Total Length         |
  //  |         Identification        |Flags|     Fragment Offset     |
  //  |      TTL      |    Protocol   |        Header Checksum        |
  //  |                         Source Address                        |
  //  |                      Destination Address                      |
  @_lifetime(reader: copy reader)
  private static func parseV4(
    _ reader: inout ByteReader, of bytes: [UInt8], first: UInt8
  ) throws(WireError) -> Packet {
    let headerLength = Int(first & 15) * 4
    guard headerLength >= 20 else {
      throw WireError("IPv4 header length \(headerLength)", at: reader.offset - 1)
    }
    let tos = try reader.u8()
    let length = Int(try reader.u16())
    let identification = try reader.u16()
    let flags = try reader.u16()
    let ttl = try reader.u8()
    let proto = IPProtocol(rawValue: try reader.u8())
    try reader.skip(2)
    let source = IPAddress.v4(try reader.u32())
    let destination = IPAddress.v4(try reader.u32())
    let options =
      headerLength > 20 ? try reader.take(min(headerLength - 20, reader.remaining)) : []
    let offset = Int(flags & 0x1fff) * 8
    let more = flags & 0x2000 != 0
    let fragment =
      offset > 0 || more
      ? Fragment(identification: UInt32(identification), offset: offset, more: more) : nil
    var packet = Packet(
      source: source, destination: destination, proto: proto, ttl: ttl, tos: tos,
      identification: identification, dontFragment: flags & 0x4000 != 0, fragment: fragment,
      length: length, transport: .absent)
    packet.options = options
    // A packet that segmentation offload makes longer than 65535 octets has length 0.
    packet.parseTransport(
      &reader, of: bytes, octets: length == 0 ? reader.remaining : length - headerLength)
    return packet
  }

  //  |Version| Traffic Class |              Flow Label               |
  //  |        Payload Length         |  Next Header  |   Hop Limit   |
  //  |                 Source Address, Destination Address           |
  @_lifetime(reader: copy reader)
  private static func parseV6(
    _ reader: inout ByteReader, of bytes: [UInt8], first: UInt8
  ) throws(WireError) -> Packet {
    let second = try reader.u8()
    let label = try reader.u16()
    let payloadLength = Int(try reader.u16())
    var next = try reader.u8()
    let ttl = try reader.u8()
    let source = IPAddress.v6(try reader.u128())
    let destination = IPAddress.v6(try reader.u128())
    var packet = Packet(
      source: source, destination: destination, proto: IPProtocol(rawValue: next), ttl: ttl,
      tos: first << 4 | second >> 4, dontFragment: true, length: 40 + payloadLength,
      transport: .absent)
    packet.flowLabel = UInt32(second & 15) << 16 | UInt32(label)
    if next == 0 { packet.options = Self.extensions(reader) }
    var octets = payloadLength
    // RFC 8200 section 4: hop-by-hop, routing, destination options, fragment.
    while [0, 43, 60, 44].contains(next), reader.remaining >= 8 {
      let following = try reader.u8()
      let size: Int
      if next == 44 {
        try reader.skip(1)
        let flags = try reader.u16()
        packet.fragment = Fragment(
          identification: try reader.u32(), offset: Int(flags & 0xfff8), more: flags & 1 != 0)
        size = 8
      } else {
        size = (Int(try reader.u8()) + 1) * 8
        try reader.skip(min(size - 2, reader.remaining))
      }
      next = following
      octets -= size
      if let fragment = packet.fragment, fragment.offset > 0 { break }
    }
    packet.proto = IPProtocol(rawValue: next)
    // An extension header that was cut off: what would follow it is not known.
    if packet.fragment.map({ $0.offset == 0 }) ?? true, [0, 43, 60, 44].contains(next) {
      packet.payload = reader.rest(of: bytes)
      return packet
    }
    packet.parseTransport(&reader, of: bytes, octets: octets)
    return packet
  }

  /// The extension headers that `reader` stands before, of which the first is a hop-by-hop header: those that have their
  /// length in them.
  private static func extensions(_ reader: ByteReader) -> [UInt8] {
    var reader = reader
    var octets: [UInt8] = []
    var next: UInt8 = 0
    while [0, 43, 60].contains(next), reader.remaining >= 8, let start = try? reader.take(8) {
      octets += start
      octets += (try? reader.take(min(Int(start[1]) * 8, reader.remaining))) ?? []
      next = start[0]
    }
    return octets
  }

  @_lifetime(reader: copy reader)
  private mutating func parseTransport(
    _ reader: inout ByteReader, of bytes: [UInt8], octets: Int
  ) {
    let available = max(0, min(octets, reader.remaining))
    guard var part = try? reader.slice(available) else { return }
    if let fragment, fragment.offset > 0 {
      payload = part.rest(of: bytes)
      return
    }
    transport = Transport(parsing: &part, proto: proto)
    payload = part.rest(of: bytes)
  }
}

extension Packet {
  /// The sender's port, where the protocol has ports.
  package var sourcePort: UInt16? { transport.ports?.source }

  /// The receiver's port, where the protocol has ports.
  package var destinationPort: UInt16? { transport.ports?.destination }

  /// The ICMP header, if it is ICMP of either version.
  package var icmp: ICMPHeader? {
    if case .icmp(let header) = transport { header } else { nil }
  }

  /// The TCP header.
  package var tcp: TCPHeader? {
    if case .tcp(let header) = transport { header } else { nil }
  }

  /// The packet an ICMP error quotes: RFC 792, RFC 4443 section 3. nil when this is no error.
  package var quoted: Packet? {
    guard let icmp, icmp.isError(proto) else { return nil }
    return try? Packet(payload)
  }
}
