internal import CNetfilter
internal import Glibc
package import Wire

/// A TCP connection of this host's own, which begins with a sequence number that is asked for: so its segments are
/// told from those of others. The kernel makes the handshake, and sends again what nobody acknowledges.
///
/// What answers a segment that no socket has sent, the kernel refuses with a reset.
package final class LocalStream: Sendable {
  /// The port it comes from.
  package let port: UInt16
  private let file: FileDescriptor
  private let destination: IPAddress
  private let destinationPort: UInt16

  // <linux/tcp.h>: TCP_REPAIR, TCP_REPAIR_QUEUE, TCP_QUEUE_SEQ; TCP_SEND_QUEUE.
  private static let (repair, queue, number, sending) = (Int32(19), Int32(20), Int32(21), Int32(2))
  private static let level = Int32(IPProtocol.tcp.rawValue)

  /// Milliseconds that data waits for the handshake at most.
  private static let patience: Int32 = 1000

  /// Takes the port for the connection that the SYN `packet` begins. Throws where somebody has it.
  init(
    _ packet: Packet, _ header: TCPHeader, on source: IPAddress?, _ fields: LocalSender.Fields
  ) throws(KernelError) {
    let attempt = "open a connection from port \(header.sourcePort)"
    let family = fields.version == 4 ? AF_INET : AF_INET6
    let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
    let descriptor = fields.socket(family, kind, 0)
    guard descriptor >= 0 else {
      throw KernelError(cannot: attempt, function: "socket", errno: Glibc.errno)
    }
    file = FileDescriptor(owning: descriptor)
    port = header.sourcePort
    destination = packet.destination
    destinationPort = header.destinationPort
    fields.apply(to: descriptor)
    /// Sound: the size is that of the variable pointed to, which the call only reads.
    func set(_ option: Int32, _ value: Int32) -> Bool {
      var value = value
      return unsafe setsockopt(
        descriptor, Self.level, option, &value, socklen_t(MemoryLayout<Int32>.size)) == 0
    }
    // What is set while a connection is repaired stays when it is made anew.
    guard set(Self.repair, 1), set(Self.queue, Self.sending),
      set(Self.number, Int32(bitPattern: header.sequence)), set(Self.repair, 0)
    else {
      let code = Glibc.errno
      throw KernelError(
        cannot: attempt, function: "setsockopt(TCP_REPAIR)", errno: code,
        help: RefusalAdvice.help(for: code, "CAP_NET_ADMIN", "connections of a given number"))
    }
    let address = source ?? (fields.version == 4 ? .v4(0) : .v6(0))
    // Sound: the address is there during the call, and bind() only reads it.
    let failed = unsafe LocalSender.withAddress(address, port: port) {
      unsafe Glibc.bind(descriptor, $0, $1)
    }
    guard failed == 0 else {
      throw KernelError(cannot: attempt, function: "bind", errno: failed)
    }
  }

  /// Begins the handshake; returns an errno, 0 if that went well.
  func connect() -> Int32 {
    // Sound: the address is there during the call, and connect() only reads it.
    let failed = unsafe LocalSender.withAddress(destination, port: destinationPort) {
      unsafe Glibc.connect(file.number, $0, $1)
    }
    return failed == EINPROGRESS ? 0 : failed
  }

  /// Sends data once the handshake is over; returns an errno, 0 if that went well.
  func send(_ data: [UInt8]) -> Int32 {
    var wait = pollfd(fd: file.number, events: Int16(POLLOUT), revents: 0)
    // Sound: one value, which the call reads and writes.
    unsafe poll(&wait, 1, Self.patience)
    // Sound: the pointer and the count are those of one array, which the call only reads.
    let count = unsafe data.withUnsafeBytes {
      unsafe Glibc.send(file.number, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
    }
    return count < 0 ? Glibc.errno : 0
  }

  /// Ends the connection with a reset, and takes back what was not sent.
  func reset() -> Int32 {
    var linger = linger(l_onoff: 1, l_linger: 0)
    // Sound: the size is that of the variable pointed to, which the call only reads.
    unsafe setsockopt(
      file.number, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<linger>.size))
    // AF_UNSPEC takes a connection apart, and lets go of its port.
    var nobody = sockaddr()
    nobody.sa_family = sa_family_t(AF_UNSPEC)
    // Sound: the size is that of the variable pointed to, which the call only reads.
    unsafe Glibc.connect(file.number, &nobody, socklen_t(MemoryLayout<sockaddr>.size))
    return 0
  }
}

extension LocalSender {
  /// The connection that this SYN begins.
  package func stream(_ packet: Packet, _ header: TCPHeader) throws(KernelError) -> LocalStream {
    try LocalStream(packet, header, on: source, fields)
  }
}
