internal import CNetfilter
internal import Glibc
internal import Wire

/// Who listens in a network namespace: what arrives there is delivered to somebody.
struct CopiedSockets: Sendable {
  private var listeners: [Listener] = []

  /// A socket that takes what belongs to no connection yet.
  private struct Listener: Hashable {
    var proto: UInt8
    var address: IPAddress
    var port: UInt16
    var isVersion6Only: Bool
    var isV6: Bool
    /// Whether it takes what is for other addresses (`IP_TRANSPARENT`): TPROXY hands it that.
    var isTransparent: Bool
  }

  /// More than so many are nobody's of interest.
  private static let most = 1024

  /// Reads them, in the network namespace of the calling thread.
  static func read() -> CopiedSockets {
    var copied = CopiedSockets()
    guard
      var conversation = try? NetlinkConversation(with: .sockets, attempt: "list the sockets")
    else { return copied }
    var found: Set<Listener> = []
    for proto in [IPProtocol.tcp, .udp] {
      for version in [4, 6] {
        let messages =
          (try? conversation.dump(
            SocketMessage.question(proto: proto, version: version, port: 0),
            attempt: "list the sockets")) ?? []
        for message in messages {
          guard let socket = try? SocketMessage(parsing: message), socket.port != 0,
            socket.peer == nil
          else { continue }
          found.insert(
            Listener(
              proto: proto.rawValue, address: socket.address, port: socket.port,
              isVersion6Only: socket.isVersion6Only,
              isV6: message.payload.first == UInt8(AF_INET6),
              isTransparent: Self.isTransparent(message)))
        }
      }
    }
    copied.listeners = Array(found.prefix(most))
    return copied
  }

  /// What `INET_DIAG_SOCKOPT` says behind the `struct inet_diag_msg`, since Linux 5.10.
  private static func isTransparent(_ message: NetlinkMessage) -> Bool {
    guard message.payload.count >= 72,
      let attributes = try? NetlinkAttribute.all(in: message.payload, from: 72),
      let options = attributes[type: 22]?.value.first
    else { return false }
    return options & 0x20 != 0
  }

  /// Opens such sockets in the network namespace of the calling thread. Returns those that take datagrams, and those
  /// that take connections.
  func open() -> (datagrams: [Int32], connections: [Int32]) {
    var opened: (datagrams: [Int32], connections: [Int32]) = ([], [])
    // Who makes a copy has perhaps not kept CAP_NET_BIND_SERVICE.
    let setting = Sysctl(path: "net/ipv4/ip_unprivileged_port_start")
    let before = try? setting?.read()
    try? setting?.write("0")
    defer { if let before { try? setting?.write(before) } }
    for listener in listeners {
      let isTCP = listener.proto == IPProtocol.tcp.rawValue
      let type = isTCP ? SOCK_STREAM.rawValue : SOCK_DGRAM.rawValue
      let number = socket(
        listener.isV6 ? AF_INET6 : AF_INET,
        Int32(type) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
      guard number >= 0 else { continue }
      var on: Int32 = 1
      var only: Int32 = listener.isVersion6Only ? 1 : 0
      // Sound: the sizes are those of the variables, which the calls only read.
      _ = unsafe setsockopt(number, SOL_SOCKET, SO_REUSEADDR, &on, 4)
      if listener.isV6 { _ = unsafe setsockopt(number, Int32(IPPROTO_IPV6), IPV6_V6ONLY, &only, 4) }
      if listener.isTransparent {
        // IP_TRANSPARENT, and IPV6_TRANSPARENT.
        _ = unsafe setsockopt(number, Int32(IPPROTO_IP), 19, &on, 4)
        if listener.isV6 { _ = unsafe setsockopt(number, Int32(IPPROTO_IPV6), 75, &on, 4) }
      }
      let address =
        listener.isV6 && listener.address.isUnspecified ? IPAddress("::")! : listener.address
      // Sound: the address is there during the call, which only reads it.
      let failed = unsafe LocalSender.withAddress(address, port: listener.port) {
        unsafe Glibc.bind(number, $0, $1)
      }
      guard failed == 0, !isTCP || listen(number, 64) == 0 else {
        close(number)
        continue
      }
      if isTCP { opened.connections.append(number) } else { opened.datagrams.append(number) }
    }
    return opened
  }
}
