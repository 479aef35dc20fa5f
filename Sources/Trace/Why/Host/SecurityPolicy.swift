package import Wire

/// A policy of IPsec, and whether there is what it wants.
package struct SecurityPolicy: Sendable, Equatable {
  /// Sources of packets that it is for.
  package var source: Prefix
  /// Their destinations.
  package var destination: Prefix
  /// Their IP protocol; nil is all.
  package var proto: UInt8?
  /// Their source port; nil is all.
  package var sourcePort: UInt16?
  /// Their destination port; nil is all.
  package var destinationPort: UInt16?
  /// Index of the interface; 0 is all.
  package var device: UInt32
  /// The lowest of those that fit counts.
  package var priority: UInt32
  /// What it looks at.
  package var direction: Direction
  /// Whether it lets nothing pass.
  package var isBlock: Bool
  /// Whether it wants packets protected.
  package var wantsProtection: Bool
  /// The other end that packets are to be protected to, where the policy names one.
  package var peer: IPAddress?
  /// Whether there is a security association to that end.
  package var hasAssociation: Bool

  /// Which packets a policy looks at; the raw value is the word of `ip xfrm`.
  package enum Direction: String, Sendable, JSONCoded {
    /// What is for this host.
    case incoming = "in"
    /// What leaves, forwarded or this host's own.
    case outgoing = "out"
    /// What came to be forwarded.
    case forwarded = "fwd"
  }

  /// A policy as the kernel lists it; nil for one of a socket's own. `associations` are all there are.
  package init?(
    _ message: SecurityPolicyMessage, associations: [SecurityPolicyMessage.Ends]
  ) {
    let directions: [Direction] = [.incoming, .outgoing, .forwarded]
    guard message.direction < 3 else { return nil }
    source = message.source
    destination = message.destination
    proto = message.proto
    sourcePort = message.sourcePort
    destinationPort = message.destinationPort
    device = message.device
    priority = message.priority
    direction = directions[Int(message.direction)]
    isBlock = message.isBlock
    wantsProtection = !message.wanted.isEmpty
    peer = message.wanted.map(\.destination).first { !$0.isUnspecified }
    hasAssociation = message.wanted.contains { wanted in
      associations.contains {
        wanted.destination.isUnspecified || $0.destination == wanted.destination
      }
    }
  }

  private init() {
    source = Prefix(.v4(0))
    destination = Prefix(.v4(0))
    device = 0
    priority = 0
    direction = .outgoing
    isBlock = false
    wantsProtection = false
    hasAssociation = false
  }

  /// Whether it is for this packet, in this direction.
  func fits(_ packet: Packet, _ direction: Direction, by device: UInt32?) -> Bool {
    self.direction == direction && source.contains(packet.source)
      && destination.contains(packet.destination)
      && (proto == nil || proto == packet.proto.rawValue)
      && (sourcePort == nil || sourcePort == packet.sourcePort)
      && (destinationPort == nil || destinationPort == packet.destinationPort)
      && (self.device == 0 || device == nil || self.device == device)
  }
}

extension SecurityPolicy: JSONObject {
  static var blank: SecurityPolicy { SecurityPolicy() }

  mutating func members(_ json: inout JSONMembers) {
    json.member("destination", &destination)
    json.member("destinationPort", &destinationPort)
    json.member("device", &device)
    json.member("direction", &direction)
    json.member("hasAssociation", &hasAssociation)
    json.member("isBlock", &isBlock)
    json.member("peer", &peer)
    json.member("priority", &priority)
    json.member("proto", &proto)
    json.member("source", &source)
    json.member("sourcePort", &sourcePort)
    json.member("wantsProtection", &wantsProtection)
  }
}
