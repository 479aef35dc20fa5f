package import Wire

/// What carries the trace of a probe beside its payload: for what reads it there, on machines that see no payload.
package enum ContextCarrier: String, Sendable, CaseIterable {
  /// The data of a SYN, `traceparent` as it is written. Who does not know TCP Fast Open acknowledges the SYN alone.
  case tcpData = "tcp-data"
  /// An option of a SYN, of the kind that is kept for experiments (RFC 4727 section 6.1): the trace id.
  case tcpOption = "tcp-option"
  /// IPv4's option 136, as Cilium's Hubble reads it: the first half of the trace id.
  case hubble
  /// The same option, as Beyla has written it: the trace id.
  case beyla
  /// IPv6's flow label: the first 20 bits of the trace id.
  case flowLabel = "flow-label"

  /// The IP version whose packets have it; nil where both do.
  package var version: Int? {
    switch self {
    case .tcpData, .tcpOption: nil
    case .hubble, .beyla: 4
    case .flowLabel: 6
    }
  }

  /// Whether it is part of TCP.
  package var isOfTCP: Bool { self == .tcpData || self == .tcpOption }
}

extension TraceContext {
  /// The type of the IPv4 option: RFC 791 has it for the stream id of SATNET, and nobody uses it any more (RFC 6814).
  fileprivate static let streamOption: UInt8 = 136

  /// The trace id, most significant octet first.
  var traceOctets: [UInt8] {
    var octets: [UInt8] = []
    octets.append(bigEndian: traceID)
    return octets
  }

  /// IPv6's flow label of the trace; never 0, which is none.
  package var flowLabel: UInt32 {
    let label = UInt32(truncatingIfNeeded: traceID >> 108)
    return label == 0 ? 1 : label
  }

  /// Options of IPv4, a multiple of four octets.
  func options(of carrier: ContextCarrier) -> [UInt8] {
    switch carrier {
    case .hubble: [Self.streamOption, 10] + traceOctets.prefix(8) + [0, 0]
    case .beyla: [Self.streamOption, 20] + traceOctets + [0, 0]
    case .tcpData, .tcpOption, .flowLabel: []
    }
  }
}

/// The trace that a packet of anybody's says it is part of.
package enum TraceMention {
  /// Its id, or of IPv4's option as much of it as that has, in hexadecimal digits; nil where the packet names none. A flow
  /// label alone says nothing, as all packets have one.
  package static func traceID(in packet: Packet) -> String? {
    if let id = option(in: packet) { return id }
    if let id = packet.tcp?.traceOption { return TraceContext.text(id) }
    return context(in: packet)?.traceIDText
  }

  /// The whole context, which a payload alone has room for: that of an echo or a SYN, or the name that a DNS question asks
  /// for.
  package static func context(in packet: Packet) -> TraceContext? {
    let payload = packet.payload
    if let context = TraceContext(inFront: payload[...]) { return context }
    guard packet.proto == .udp, payload.count > DNSQuestion.nameOffset else { return nil }
    return TraceContext(inFront: payload[DNSQuestion.nameOffset...])
  }

  /// IPv4's option 136.
  private static func option(in packet: Packet) -> String? {
    guard packet.source.family == 4 else { return nil }
    var rest = packet.options[...]
    while let kind = rest.first, kind != 0 {
      if kind == 1 {
        rest = rest.dropFirst()
        continue
      }
      guard rest.count >= 2 else { return nil }
      let length = Int(rest[rest.startIndex + 1])
      guard length >= 2, length <= rest.count else { return nil }
      // Two octets more are no more than padding, as Beyla has it; Cilium has half an id, or less.
      if kind == TraceContext.streamOption, length >= 10 {
        return rest.dropFirst(2).prefix(length >= 18 ? 16 : 8).map { TraceContext.text($0) }
          .joined()
      }
      rest = rest.dropFirst(length)
    }
    return nil
  }
}

extension TraceContext {
  /// The context that these octets begin with.
  init?(inFront octets: ArraySlice<UInt8>) {
    guard octets.count >= Self.length, octets.starts(with: "00-".utf8),
      let text = String(validating: octets.prefix(Self.length), as: UTF8.self)
    else { return nil }
    self.init(traceParent: text)
  }
}
