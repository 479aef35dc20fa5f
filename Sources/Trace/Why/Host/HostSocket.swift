package import Wire

/// A socket of this host that may take packets of anybody.
package struct HostSocket: Sendable, Equatable {
  /// Its IP protocol.
  package var proto: IPProtocol
  /// The address it is bound to; unspecified is all of its IP version.
  package var address: IPAddress
  /// The port it is bound to.
  package var port: UInt16
  /// Whom it is connected to, and takes from alone; nil is anybody.
  package var peer: IPAddress?
  /// That peer's port.
  package var peerPort: UInt16?
  /// Index of the interface it is bound to; nil is any.
  package var device: UInt32?
  /// Whether it takes IPv6 alone, bound to all of its addresses.
  package var isVersion6Only: Bool
  /// Whether it takes packets for others; nil where that is not known.
  package var isTransparent: Bool?
  /// Of TCP, connections that wait to be accepted; of others, octets of memory in the receive buffer.
  package var queued: UInt32
  /// How much of that there may be.
  package var limit: UInt32
  /// The name of the program that has it, as ps(1) shows it.
  package var program: String?
  /// That program's control group, from the root of their tree.
  package var group: String?
  /// The number of the user who has it; nil in recordings of before.
  package var user: UInt32?

  /// A socket as the kernel lists it, and the program that has it.
  package init(
    _ message: SocketMessage, proto: IPProtocol, program: String?, group: String? = nil
  ) {
    self.proto = proto
    address = message.address
    port = message.port
    peer = message.peer?.address
    peerPort = message.peer?.port
    device = message.device == 0 ? nil : message.device
    isVersion6Only = message.isVersion6Only
    isTransparent = message.isTransparent
    queued = proto == .tcp ? message.waiting : message.memory ?? message.waiting
    limit = proto == .tcp ? message.backlog : message.memoryLimit ?? .max
    self.program = program
    self.group = group
    user = message.user
  }

  private init() {
    proto = .tcp
    address = .v4(0)
    port = 0
    isVersion6Only = false
    queued = 0
    limit = 0
  }
}

extension HostSocket: JSONObject {
  static var blank: HostSocket { HostSocket() }

  mutating func members(_ json: inout JSONMembers) {
    var number = proto.rawValue
    json.member("address", &address)
    json.member("device", &device)
    json.member("group", &group)
    json.member("isTransparent", &isTransparent)
    json.member("isVersion6Only", &isVersion6Only)
    json.member("limit", &limit)
    json.member("peer", &peer)
    json.member("peerPort", &peerPort)
    json.member("port", &port)
    json.member("program", &program)
    json.member("proto", &number)
    json.member("queued", &queued)
    json.member("user", &user)
    proto = IPProtocol(rawValue: number)
  }
}

extension HostSocket {
  /// Whether a packet of this IP version can come to it.
  func takes(version: Int) -> Bool {
    if address.family == version { return true }
    return version == 4 && address.isUnspecified && !isVersion6Only
  }

  /// Whether it takes this packet, which came in by this interface, if its port is the packet's.
  func takes(_ packet: Packet, by device: UInt32?) -> Bool {
    takes(version: packet.destination.family)
      && (address.isUnspecified || address == packet.destination)
      && (self.device == nil || self.device == device) && takesFrom(packet)
  }

  /// Whether it is connected to nobody else than the packet's sender.
  func takesFrom(_ packet: Packet) -> Bool {
    peer == nil || peer == packet.source && peerPort == packet.sourcePort
  }

  /// Whether no more fits in: the kernel lets one more connection wait than was asked for.
  var isFull: Bool { proto == .tcp ? queued > limit : queued >= limit }

  /// "shopd", or what there is to be said of a program that is not known.
  package var programName: String { program.map(Escape.name) ?? "a program" }

  /// "0.0.0.0:80", "[::]:80".
  package var place: String { RuleNames.end(address, port) }

  /// The same of its peer.
  package var peerPlace: String? { peer.map { RuleNames.end($0, peerPort) } }
}
