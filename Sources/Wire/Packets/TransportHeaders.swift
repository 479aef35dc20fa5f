/// The first eight octets of ICMP (RFC 792) and ICMPv6 (RFC 4443): type, code, checksum and four
/// octets whose meaning depends on the type.
public struct ICMPHeader: Sendable, Equatable {
  /// What the message is: IANA "ICMP Type Numbers" and "ICMPv6 type Numbers".
  public var type: UInt8
  /// Which kind of that type; 0 where there is one only.
  public var code: UInt8
  /// As received; computed anew when a packet is written.
  public var checksum: UInt16
  /// Identifier and sequence number of an echo, MTU of "packet too big", gateway of a redirect.
  public var rest: UInt32

  /// A header of these fields.
  public init(type: UInt8, code: UInt8 = 0, checksum: UInt16 = 0, rest: UInt32 = 0) {
    self.type = type
    self.code = code
    self.checksum = checksum
    self.rest = rest
  }

  @_lifetime(reader: copy reader)
  init(parsing reader: inout ByteReader) throws(WireError) {
    guard reader.remaining >= 8 else { throw WireError("ICMP header cut off", at: reader.offset) }
    type = try reader.u8()
    code = try reader.u8()
    checksum = try reader.u16()
    rest = try reader.u32()
  }

  /// Echo identifier.
  public var identifier: UInt16 { UInt16(rest >> 16) }
  /// Echo sequence number.
  public var sequence: UInt16 { UInt16(truncatingIfNeeded: rest) }
  /// Next-hop MTU in octets, of "fragmentation needed" (RFC 1191) or "packet too big".
  public func mtu(_ proto: IPProtocol) -> Int? {
    if proto == .icmp, type == 3, code == 4 { return Int(rest & 0xffff) }
    if proto == .icmpv6, type == 2 { return Int(rest) }
    return nil
  }

  /// Whether this is an echo request of the given version.
  public func isEchoRequest(_ proto: IPProtocol) -> Bool {
    proto == .icmp ? type == 8 : type == 128
  }

  /// Whether this is an echo reply of the given version.
  public func isEchoReply(_ proto: IPProtocol) -> Bool { proto == .icmp ? type == 0 : type == 129 }

  /// Whether this reports an error, and so quotes a packet.
  public func isError(_ proto: IPProtocol) -> Bool {
    proto == .icmp ? [3, 4, 5, 11, 12].contains(type) : type < 128
  }

  /// What an error is called in RFC 792, RFC 1812 and RFC 4443: "port unreachable"; nil for other
  /// messages.
  public func errorName(_ proto: IPProtocol) -> String? {
    switch (proto, type) {
    case (.icmp, 3): Self.unreachable4[code] ?? "unreachable, code \(code)"
    case (.icmp, 5): "redirect"
    case (.icmp, 11), (.icmpv6, 3): "time exceeded"
    case (.icmp, 12): "parameter problem"
    case (.icmpv6, 1): Self.unreachable6[code] ?? "unreachable, code \(code)"
    case (.icmpv6, 2): "packet too big"
    case (.icmpv6, 4): code == 1 ? "unrecognized next header" : "parameter problem"
    default: nil
    }
  }

  /// What any other message but an echo is called, of those a host meets every day: RFC 792, RFC 2710,
  /// RFC 3810, RFC 4861; nil for the rest.
  public func informationName(_ proto: IPProtocol) -> String? {
    switch (proto, type) {
    case (.icmp, 9), (.icmpv6, 134): "router advertisement"
    case (.icmp, 10), (.icmpv6, 133): "router solicitation"
    case (.icmp, 13): "timestamp request"
    case (.icmp, 14): "timestamp reply"
    case (.icmpv6, 130): "multicast listener query"
    case (.icmpv6, 131), (.icmpv6, 143): "multicast listener report"
    case (.icmpv6, 132): "multicast listener done"
    case (.icmpv6, 135): "neighbour solicitation"
    case (.icmpv6, 136): "neighbour advertisement"
    case (.icmpv6, 137): "redirect"
    default: nil
    }
  }

  private static let unreachable4: [UInt8: String] = [
    0: "network unreachable", 1: "host unreachable", 2: "protocol unreachable",
    3: "port unreachable", 4: "fragmentation needed", 9: "network prohibited",
    10: "host prohibited", 13: "administratively prohibited",
  ]
  private static let unreachable6: [UInt8: String] = [
    0: "no route", 1: "administratively prohibited", 2: "beyond scope of source",
    3: "address unreachable", 4: "port unreachable", 5: "source address failed policy",
    6: "route rejected",
  ]

  /// Whether it says that nobody is at the port: RFC 1122 section 3.2.2.1, RFC 4443 section 3.1.
  public func isPortUnreachable(_ proto: IPProtocol) -> Bool {
    proto == .icmp ? (type, code) == (3, 3) : (type, code) == (1, 4)
  }

  /// Whether it says that nobody takes the protocol: ICMP's protocol unreachable, or ICMPv6's
  /// unrecognized next header (RFC 4443 section 3.4).
  public func isProtocolUnreachable(_ proto: IPProtocol) -> Bool {
    proto == .icmp ? (type, code) == (3, 2) : (type, code) == (4, 1)
  }
}

/// A TCP header without its options: RFC 9293 section 3.1.
public struct TCPHeader: Sendable, Equatable {
  /// The sender's port.
  public var sourcePort: UInt16
  /// The receiver's port.
  public var destinationPort: UInt16
  /// Number of the first octet of data, or of the SYN.
  public var sequence: UInt32
  /// The next sequence number expected, where `flags` has ACK.
  public var acknowledgment: UInt32
  /// The control bits.
  public var flags: Flags
  /// Octets the sender is ready to receive, unscaled.
  public var window: UInt16

  /// The control bits.
  public struct Flags: OptionSet, Sendable, Hashable, CustomStringConvertible {
    /// The octet as it is on the wire; URG, ECE and CWR are kept in it.
    public let rawValue: UInt8
    /// The flags of the octet.
    public init(rawValue: UInt8) { self.rawValue = rawValue }
    /// No more data from the sender.
    public static let fin = Flags(rawValue: 1)
    /// Synchronise sequence numbers: a connection begins.
    public static let syn = Flags(rawValue: 2)
    /// Reset the connection.
    public static let rst = Flags(rawValue: 4)
    /// Push: hand the data to the application.
    public static let psh = Flags(rawValue: 8)
    /// `acknowledgment` counts.
    public static let ack = Flags(rawValue: 16)

    /// SYN, SYN-ACK, RST…, as people say them.
    public var description: String {
      let names: [(Flags, String)] = [
        (.syn, "SYN"), (.fin, "FIN"), (.rst, "RST"), (.psh, "PSH"), (.ack, "ACK"),
      ]
      let set = names.filter { contains($0.0) }.map(\.1)
      return set.isEmpty ? "none" : set.joined(separator: "-")
    }
  }

  /// A header of these fields.
  public init(
    sourcePort: UInt16, destinationPort: UInt16, sequence: UInt32, acknowledgment: UInt32 = 0,
    flags: Flags, window: UInt16 = 64240
  ) {
    self.sourcePort = sourcePort
    self.destinationPort = destinationPort
    self.sequence = sequence
    self.acknowledgment = acknowledgment
    self.flags = flags
    self.window = window
  }

  @_lifetime(reader: copy reader)
  init(parsing reader: inout ByteReader) throws(WireError) {
    guard reader.remaining >= 20 else { throw WireError("TCP header cut off", at: reader.offset) }
    sourcePort = try reader.u16()
    destinationPort = try reader.u16()
    sequence = try reader.u32()
    acknowledgment = try reader.u32()
    let dataOffset = Int(try reader.u8() >> 4) * 4
    flags = Flags(rawValue: try reader.u8())
    window = try reader.u16()
    try reader.skip(4)
    try reader.skip(min(max(0, dataOffset - 20), reader.remaining))
  }
}

/// A UDP header: RFC 768.
public struct UDPHeader: Sendable, Equatable {
  /// The sender's port; 0 where no answer is wanted.
  public var sourcePort: UInt16
  /// The receiver's port.
  public var destinationPort: UInt16

  /// A header of these fields.
  public init(sourcePort: UInt16, destinationPort: UInt16) {
    self.sourcePort = sourcePort
    self.destinationPort = destinationPort
  }

  @_lifetime(reader: copy reader)
  init(parsing reader: inout ByteReader) throws(WireError) {
    guard reader.remaining >= 8 else { throw WireError("UDP header cut off", at: reader.offset) }
    sourcePort = try reader.u16()
    destinationPort = try reader.u16()
    try reader.skip(4)
  }
}

// MARK: - Value to bytes

extension Packet {
  /// The packet on the wire: lengths and checksums computed, no options, no extension headers.
  /// `length` and received checksums play no part.
  public var bytes: [UInt8] {
    let segment = transportBytes
    var result: [UInt8] = []
    switch (source, destination) {
    case (.v4, .v4):
      result += [0x45, tos]
      result.append(bigEndian: UInt16(truncatingIfNeeded: 20 + segment.count))
      result.append(bigEndian: identification ?? 0)
      var flags: UInt16 = dontFragment ? 0x4000 : 0
      if let fragment {
        flags |= UInt16(truncatingIfNeeded: fragment.offset / 8) | (fragment.more ? 0x2000 : 0)
      }
      result.append(bigEndian: flags)
      result += [ttl, proto.rawValue, 0, 0]
      result += source.bytes + destination.bytes
      let checksum = InternetChecksum.of(result)
      result[10] = UInt8(checksum >> 8)
      result[11] = UInt8(truncatingIfNeeded: checksum)
    default:
      result += [0x60 | tos >> 4, tos << 4, 0, 0]
      result.append(bigEndian: UInt16(truncatingIfNeeded: segment.count))
      result += [proto.rawValue, ttl]
      result += source.bytes + destination.bytes
    }
    return result + segment
  }

  /// Transport header and payload, the transport's checksum filled in.
  private var transportBytes: [UInt8] {
    var segment: [UInt8] = []
    let checksumAt: Int
    switch transport {
    case .icmp(let header):
      segment += [header.type, header.code, 0, 0]
      segment.append(bigEndian: header.rest)
      checksumAt = 2
    case .tcp(let header):
      segment.append(bigEndian: header.sourcePort)
      segment.append(bigEndian: header.destinationPort)
      segment.append(bigEndian: header.sequence)
      segment.append(bigEndian: header.acknowledgment)
      segment += [0x50, header.flags.rawValue]
      segment.append(bigEndian: header.window)
      segment += [0, 0, 0, 0]
      checksumAt = 16
    case .udp(let header):
      segment.append(bigEndian: header.sourcePort)
      segment.append(bigEndian: header.destinationPort)
      segment.append(bigEndian: UInt16(truncatingIfNeeded: 8 + payload.count))
      segment += [0, 0]
      checksumAt = 6
    case .other, .absent:
      return payload
    }
    segment += payload
    var checksum = InternetChecksum()
    if proto != .icmp { checksum.add(pseudoHeader(length: segment.count)) }
    checksum.add(segment)
    // RFC 768: a computed zero is sent as all ones.
    let value = checksum.value == 0 && proto == .udp ? 0xffff : checksum.value
    segment[checksumAt] = UInt8(value >> 8)
    segment[checksumAt + 1] = UInt8(truncatingIfNeeded: value)
    return segment
  }

  /// RFC 9293 section 3.1 and RFC 8200 section 8.1.
  private func pseudoHeader(length: Int) -> [UInt8] {
    var bytes = source.bytes + destination.bytes
    bytes.append(bigEndian: UInt32(length))
    bytes.append(bigEndian: UInt32(proto.rawValue))
    return bytes
  }
}
