/// The probes that a ping sends.
package struct ProbePlan: Sendable, Codable, Equatable {
  /// The address they come from.
  package var source: String
  /// The address they go to.
  package var destination: String
  /// "icmp", "tcp" or "udp".
  package var proto: String
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
  /// Where the probe enters: the name of the TUN device.
  package var device: String?
  /// The port of every TCP or UDP probe's sender; nil where each probe has one of its own.
  package var sourcePort: UInt16?
  /// The port TCP and UDP probes go to.
  package var destinationPort: UInt16?
  /// How they enter: "local" from this host, "in" as if received on `device`; nil through a TUN device.
  package var entrance: String?
  /// Whether they are discarded at the end of their way, before they leave; nil for no.
  package var dryRun: Bool?

  /// A plan of these fields.
  package init(
    source: String, destination: String, proto: String, identifier: UInt16, count: Int,
    interval: Double, timeout: Double, ttl: UInt8, tos: UInt8, dontFragment: Bool, size: Int,
    nonce: UInt64, device: String?, sourcePort: UInt16? = nil, destinationPort: UInt16? = nil,
    entrance: String? = nil, dryRun: Bool? = nil
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
}
