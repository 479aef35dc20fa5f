/// A socket as sock_diag(7) lists it: `struct inet_diag_msg` and `INET_DIAG_…` of <linux/inet_diag.h>.
package struct SocketMessage: Sendable {
  /// `TCP_…` of <net/tcp_states.h>: 1 established, 7 closed (what UDP has for a socket without a
  /// peer), 10 listening.
  package var state: UInt8
  /// The address it is bound to; unspecified is all. IPv4 in IPv6's notation is told as IPv4.
  package var address: IPAddress
  /// The port it is bound to.
  package var port: UInt16
  /// Of one that is connected, whom it is connected to.
  package var peer: (address: IPAddress, port: UInt16)?
  /// Index of the interface it is bound to; 0 is any.
  package var device: UInt32
  /// Of a listener, connections that wait to be accepted; of others octets that wait to be read.
  package var waiting: UInt32
  /// Of a listener, how many connections may wait.
  package var backlog: UInt32
  /// The number of the user who has it.
  package var user: UInt32
  /// Its inode, by which a process's descriptors name it.
  package var inode: UInt32
  /// Octets of memory that its receive buffer takes up; nil where that was not told.
  package var memory: UInt32?
  /// How many it may take up.
  package var memoryLimit: UInt32?
  /// Whether it takes IPv6 alone.
  package var isVersion6Only: Bool
  /// Whether it takes packets that are for others (`IP_TRANSPARENT`); nil where it was not told.
  package var isTransparent: Bool?

  /// `SOCK_DIAG_BY_FAMILY`, of requests and answers.
  package static let messageType: UInt16 = 20
  private static let headerLength = 72
  private enum Attribute {
    static let memory: UInt16 = 7
    static let version6Only: UInt16 = 11
    static let options: UInt16 = 22
  }

  /// What asks for the sockets of this protocol and IP version that may take what belongs to no connection yet:
  /// TCP's that listen, all of others. `port` is the one they are bound to, 0 all.
  package static func question(proto: IPProtocol, version: Int, port: UInt16) -> NetlinkMessage {
    // struct inet_diag_req_v2: family, protocol, extensions, padding, states, and a socket's identity.
    var payload: [UInt8] = [
      version == 4 ? AddressFamily.v4 : AddressFamily.v6, proto.rawValue,
      1 << (UInt8(Attribute.memory) - 1), 0,
    ]
    payload.append(littleEndian: UInt32(proto == .tcp ? 1 << 10 : 1 << 7 | 1 << 1))
    payload.append(bigEndian: port)
    payload += [UInt8](repeating: 0, count: 46)
    return NetlinkMessage(
      type: messageType, flags: NetlinkMessage.dumpRequest, payload: payload)
  }

  /// The socket in an answer.
  package init(parsing message: NetlinkMessage) throws(WireError) {
    try message.need(Self.messageType...Self.messageType, "socket")
    var reader = ByteReader(message.payload.span)
    let family = try reader.u8()
    state = try reader.u8()
    try reader.skip(2)
    port = try reader.u16()
    let peerPort = try reader.u16()
    let source = try reader.take(16)
    let peer = try reader.take(16)
    device = try reader.littleEndian()
    try reader.skip(12)
    waiting = try reader.littleEndian()
    backlog = try reader.littleEndian()
    user = try reader.littleEndian()
    inode = try reader.littleEndian()
    let length = family == AddressFamily.v4 ? 4 : 16
    guard let address = IPAddress(bytes: Array(source[..<length])),
      let peerAddress = IPAddress(bytes: Array(peer[..<length]))
    else { throw WireError("socket of family \(family)", at: 0) }
    self.address = address.withoutMapping
    self.peer = peerPort == 0 ? nil : (peerAddress.withoutMapping, peerPort)
    let attributes = try NetlinkAttribute.all(in: message.payload, from: Self.headerLength)
    isVersion6Only = attributes[type: Attribute.version6Only]?.value.first == 1
    // struct inet_diag_sockopt: the sixth bit is `transparent`.
    isTransparent = attributes[type: Attribute.options]?.value.first.map { $0 & 0x20 != 0 }
    (memory, memoryLimit) = (nil, nil)
    // INET_DIAG_SKMEMINFO: SK_MEMINFO_RMEM_ALLOC and SK_MEMINFO_RCVBUF come first.
    if let numbers = attributes[type: Attribute.memory]?.value, numbers.count >= 8 {
      var reader = ByteReader(numbers.span)
      memory = try reader.littleEndian()
      memoryLimit = try reader.littleEndian()
    }
  }
}
