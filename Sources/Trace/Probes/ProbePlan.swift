package import Wire

/// The probes that a ping sends.
package struct ProbePlan: Sendable, Equatable {
  /// The address they come from, of the version that `destination` has.
  package var source: IPAddress
  /// The address they go to.
  package var destination: IPAddress
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
  /// The interface they enter by: the name of the TUN device, or of the one they arrive on.
  package var device: String?
  /// The port of every probe's sender, where the protocol has ports; nil where each probe has one of its
  /// own.
  package var sourcePort: UInt16?
  /// The port they go to, where the protocol has ports.
  package var destinationPort: UInt16?
  /// How they enter.
  package var entrance = EntranceKind.tun
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

  /// 4 or 6.
  package var version: Int { destination.family }
}

// MARK: - In a session file

extension ProbePlan: Codable {
  private enum Key: String, CodingKey {
    case source, destination, proto, identifier, count, interval, timeout, ttl, tos, dontFragment
    case size, nonce, device, sourcePort, destinationPort, entrance, dryRun
  }

  /// The plan in a session's header; throws what is wrong with it, as Codable does.
  package init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: Key.self)
    /// What a text of the file stands for.
    func read<Value>(_ key: Key, _ meaning: (String) -> Value?) throws -> Value {
      let text = try values.decode(String.self, forKey: key)
      guard let value = meaning(text) else {
        throw DecodingError.dataCorruptedError(
          forKey: key, in: values, debugDescription: "'\(text)' is not known")
      }
      return value
    }
    self.init(
      source: try read(.source) { IPAddress($0) },
      destination: try read(.destination) { IPAddress($0) },
      proto: try read(.proto) { ProbeProtocol($0) },
      identifier: try values.decode(UInt16.self, forKey: .identifier),
      count: try values.decode(Int.self, forKey: .count),
      interval: try values.decode(Double.self, forKey: .interval),
      timeout: try values.decode(Double.self, forKey: .timeout),
      ttl: try values.decode(UInt8.self, forKey: .ttl),
      tos: try values.decode(UInt8.self, forKey: .tos),
      dontFragment: try values.decode(Bool.self, forKey: .dontFragment),
      size: try values.decode(Int.self, forKey: .size),
      nonce: try values.decode(UInt64.self, forKey: .nonce),
      device: try values.decodeIfPresent(String.self, forKey: .device),
      sourcePort: try values.decodeIfPresent(UInt16.self, forKey: .sourcePort),
      destinationPort: try values.decodeIfPresent(UInt16.self, forKey: .destinationPort),
      entrance: try values.contains(.entrance)
        ? read(.entrance) { EntranceKind(rawValue: $0) } : .tun,
      dryRun: try values.decodeIfPresent(Bool.self, forKey: .dryRun) ?? false)
    guard source.family == destination.family else {
      throw DecodingError.dataCorruptedError(
        forKey: .destination, in: values, debugDescription: "not of the version of the source")
    }
  }

  /// Writes what `init(from:)` reads.
  package func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: Key.self)
    try values.encode("\(source)", forKey: .source)
    try values.encode("\(destination)", forKey: .destination)
    try values.encode("\(proto)", forKey: .proto)
    try values.encode(identifier, forKey: .identifier)
    try values.encode(count, forKey: .count)
    try values.encode(interval, forKey: .interval)
    try values.encode(timeout, forKey: .timeout)
    try values.encode(ttl, forKey: .ttl)
    try values.encode(tos, forKey: .tos)
    try values.encode(dontFragment, forKey: .dontFragment)
    try values.encode(size, forKey: .size)
    try values.encode(nonce, forKey: .nonce)
    try values.encodeIfPresent(device, forKey: .device)
    try values.encodeIfPresent(sourcePort, forKey: .sourcePort)
    try values.encodeIfPresent(destinationPort, forKey: .destinationPort)
    // Versions that knew no other left these out.
    if entrance != .tun { try values.encode(entrance.rawValue, forKey: .entrance) }
    if dryRun { try values.encode(true, forKey: .dryRun) }
  }
}
