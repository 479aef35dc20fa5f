import Testing
import Wire

/// What sock_diag and IPsec's netlink list, as Linux 6.18 sent it.
@Suite struct HostMessagesTests {
  private static func octets(_ hex: String) -> [UInt8] {
    let digits = Array(hex.utf8)
    return stride(from: 0, to: digits.count, by: 2).map {
      UInt8(String(decoding: digits[$0..<$0 + 2], as: UTF8.self), radix: 16)!
    }
  }

  /// A TCP listener of IPv6 at 127.0.0.1, with room for five.
  private static let socket = octets(
    "0a0a00001fbb000000000000000000000000ffff7f00000100000000000000000000000000000000000000"
      + "0055d90000000000000000000000000000050000000000000039778f000500080000000000"
      + "05000b000000000008000f00000000000c00150001000000000000000600160012000000"
      + "28000700000000000000020000000000004000000000000000000000000000000000000000000000")

  /// Of 10.1.0.0/24 to 10.2.0.0/24, TCP port 80, out, with a tunnel.
  private static let policy = octets(
    "0a0200000000000000000000000000000a0100000000000000000000000000000050ffff0000000002001818"
      + "060000000000000000000000ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
      + "000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
      + "000000000ba67096b0000000000000000000000000700000001000000010000000000000044000500"
      + "0a03000200000000000000000000000000000000320000000200"
      + "00000a0300010000000000000000000000000000000001000000ffffffffffffffffffffffff")

  @Test func socket() throws {
    let socket = try SocketMessage(
      parsing: NetlinkMessage(type: SocketMessage.messageType, payload: Self.socket))
    #expect(socket.state == 10)
    #expect(socket.address == IPAddress("127.0.0.1"))
    #expect(socket.port == 8123)
    #expect((socket.waiting, socket.backlog) == (0, 5))
    #expect((socket.memory, socket.memoryLimit) == (0, 0x20000))
    #expect(!socket.isVersion6Only)
    #expect(socket.isTransparent == false)
    #expect(socket.peer == nil)
  }

  /// The peer's port is behind the own one, its address behind the own one.
  @Test func connectedSocket() throws {
    var octets = Self.socket
    octets[6...7] = [0x14, 0xe9]
    octets.replaceSubrange(24..<40, with: IPAddress("::ffff:10.0.0.9")!.bytes)
    let peer = try SocketMessage(
      parsing: NetlinkMessage(type: SocketMessage.messageType, payload: octets)
    ).peer
    #expect(peer?.address == IPAddress("10.0.0.9"))
    #expect(peer?.port == 5353)
  }

  @Test func policy() throws {
    let policy = try SecurityPolicyMessage(
      parsing: NetlinkMessage(type: 0x13, payload: Self.policy))
    #expect(policy.source == Prefix("10.1.0.0/24"))
    #expect(policy.destination == Prefix("10.2.0.0/24"))
    #expect((policy.proto, policy.destinationPort, policy.sourcePort) == (6, 80, nil))
    #expect((policy.direction, policy.priority, policy.isBlock) == (1, 7, false))
    #expect(
      policy.wanted == [
        .init(source: IPAddress("10.3.0.1")!, destination: IPAddress("10.3.0.2")!)
      ])
  }

  /// Cut off anywhere, they are refused or read as far as they go.
  @Test func cutOff() {
    for count in 0..<72 {
      #expect(throws: WireError.self) {
        try SocketMessage(
          parsing: NetlinkMessage(
            type: SocketMessage.messageType, payload: Array(Self.socket[..<count])))
      }
    }
    for count in 0..<162 {
      #expect(throws: WireError.self) {
        try SecurityPolicyMessage(
          parsing: NetlinkMessage(type: 0x13, payload: Array(Self.policy[..<count])))
      }
    }
  }
}
