/// The first eight octets of ICMP (RFC 792) and ICMPv6 (RFC 4443): type, code, checksum and four
/// octets whose meaning depends on the type.
package struct ICMPHeader: Sendable, Equatable {
  /// What the message is: IANA "ICMP Type Numbers" and "ICMPv6 type Numbers".
  package var type: UInt8
  /// Which kind of that type; 0 where there is one only.
  package var code: UInt8
  /// As received; computed anew when a packet is written.
  package var checksum: UInt16
  /// Identifier and sequence number of an echo, MTU of "packet too big", gateway of a redirect.
  package var rest: UInt32

  /// A header of these fields.
  package init(type: UInt8, code: UInt8 = 0, checksum: UInt16 = 0, rest: UInt32 = 0) {
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
  package var identifier: UInt16 { UInt16(rest >> 16) }
  /// Echo sequence number.
  package var sequence: UInt16 { UInt16(truncatingIfNeeded: rest) }
  /// Next-hop MTU in octets, of "fragmentation needed" (RFC 1191) or "packet too big".
  package func mtu(_ proto: IPProtocol) -> Int? {
    if proto == .icmp, type == 3, code == 4 { return Int(rest & 0xffff) }
    if proto == .icmpv6, type == 2 { return Int(rest) }
    return nil
  }

  /// Whether this is an echo request of the given version.
  package func isEchoRequest(_ proto: IPProtocol) -> Bool {
    proto == .icmp ? type == 8 : type == 128
  }

  /// Whether this is an echo reply of the given version.
  package func isEchoReply(_ proto: IPProtocol) -> Bool { proto == .icmp ? type == 0 : type == 129 }

  /// Whether this reports an error, and so quotes a packet.
  package func isError(_ proto: IPProtocol) -> Bool {
    proto == .icmp ? [3, 4, 5, 11, 12].contains(type) : type < 128
  }

  /// Whether this tells of a shorter way (RFC 792, RFC 4861): it quotes a packet, and refuses nothing.
  package func isRedirect(_ proto: IPProtocol) -> Bool {
    proto == .icmp ? type == 5 : proto == .icmpv6 && type == 137
  }

  /// What an error is called in RFC 792, RFC 1812 and RFC 4443: "port unreachable"; nil for other
  /// messages.
  package func errorName(_ proto: IPProtocol) -> String? {
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
  package func informationName(_ proto: IPProtocol) -> String? {
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
  package func isPortUnreachable(_ proto: IPProtocol) -> Bool {
    proto == .icmp ? (type, code) == (3, 3) : (type, code) == (1, 4)
  }

  /// Whether it says that nobody takes the protocol: ICMP's protocol unreachable, or ICMPv6's
  /// unrecognized next header (RFC 4443 section 3.4).
  package func isProtocolUnreachable(_ proto: IPProtocol) -> Bool {
    proto == .icmp ? (type, code) == (3, 2) : (type, code) == (4, 1)
  }
}
