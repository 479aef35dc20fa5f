/// What somebody far away said to a packet instead of an answer: a reset, or an ICMP error about it.
package struct FarRefusal: Sendable, Hashable {
  /// Who said so.
  package var source: IPAddress
  private var kind: Kind

  private enum Kind: Hashable {
    case reset
    /// An ICMP error: RFC 792, RFC 4443.
    case error(type: UInt8, code: UInt8, rest: UInt32)
  }

  /// That of a packet, if it is one.
  package init?(_ packet: Packet) {
    source = packet.source
    switch packet.transport {
    case .tcp(let header) where header.flags.contains(.rst): kind = .reset
    case .icmp(let header) where packet.quoted != nil:
      kind = .error(type: header.type, code: header.code, rest: header.rest)
    default: return nil
    }
  }

  /// What `word` says; nil where that says none.
  package init?(word: String) {
    let parts = word.split(separator: ",", omittingEmptySubsequences: false)
    guard let address = parts.first.flatMap({ IPAddress(String($0)) }) else { return nil }
    source = address
    if parts.dropFirst() == ["reset"] {
      kind = .reset
    } else if parts.count == 4, let type = UInt8(parts[1]), let code = UInt8(parts[2]),
      let rest = UInt32(parts[3])
    {
      kind = .error(type: type, code: code, rest: rest)
    } else {
      return nil
    }
  }

  /// In a word of a command line: "192.0.2.1,3,4,1300", "192.0.2.1,reset".
  package var word: String {
    switch kind {
    case .reset: "\(source),reset"
    case .error(let type, let code, let rest): "\(source),\(type),\(code),\(rest)"
    }
  }

  /// The same about another packet, of these octets; nil where it does not fit: no packet is too long that the link takes, and
  /// TCP alone is reset.
  package func refusing(_ packet: Packet, _ octets: [UInt8]) -> Packet? {
    var answer = packet
    answer.ttl = 64
    answer.fragment = nil
    answer.destination = packet.source
    answer.payload = []
    switch kind {
    case .reset:
      guard case .tcp(let header) = packet.transport else { return nil }
      answer.source = packet.destination
      var reset = TCPHeader(
        sourcePort: header.destinationPort, destinationPort: header.sourcePort, sequence: 0,
        flags: [.rst, .ack])
      reset.acknowledgment = header.sequence &+ (header.flags.contains(.syn) ? 1 : 0)
      answer.transport = .tcp(reset)
    case .error(let type, let code, let rest):
      guard source.family == packet.source.family else { return nil }
      if let most = mostOctets, packet.length <= most { return nil }
      answer.source = source
      answer.proto = source.family == 4 ? .icmp : .icmpv6
      answer.transport = .icmp(ICMPHeader(type: type, code: code, rest: rest))
      answer.payload = Array(octets.prefix(min(packet.length, Self.mostQuoted)))
    }
    return answer
  }

  /// What is too long for a link says how long it may be: "fragmentation needed", "packet too big".
  private var mostOctets: Int? {
    switch kind {
    case .error(3, 4, let rest) where source.family == 4: Int(rest & 0xffff)
    case .error(2, _, let rest) where source.family == 6: Int(rest)
    default: nil
    }
  }

  /// RFC 1812 section 4.3.2.3 has an error take 576 octets at most, with its headers.
  private static let mostQuoted = 548
}
