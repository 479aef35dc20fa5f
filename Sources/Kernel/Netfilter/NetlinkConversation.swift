internal import CNetfilter
internal import Glibc
internal import Wire

/// Requests to the kernel over a netlink socket, and what it answers (netlink(7), RFC 3549). One at a
/// time: an answer is known by the number of its request, and what else comes meanwhile is left out.
///
/// It never waits for ever: an answer that does not come, and one that cannot be read, are errors.
struct NetlinkConversation: ~Copyable {
  /// Whom it talks to: what is to be said of an error.
  enum Peer: Sendable {
    /// rtnetlink(7).
    case route
    /// nfnetlink: nf_tables, NFLOG and conntrack.
    case netfilter
    /// sock_diag(7).
    case sockets
    /// IPsec: ip-xfrm(8).
    case security
    /// Families with a number of their own: genetlink.
    case generic

    fileprivate var protocolNumber: Int32 {
      switch self {
      case .route: NETLINK_ROUTE
      case .netfilter: NETLINK_NETFILTER
      case .sockets: NETLINK_SOCK_DIAG
      case .security: NETLINK_XFRM
      case .generic: NETLINK_GENERIC
      }
    }
  }

  /// For poll(2).
  let descriptor: Int32
  private let peer: Peer
  /// The socket, unless somebody else closes it.
  private let socket: FileDescriptor?
  private var buffer: [UInt8]
  private var sequence: UInt32 = 0

  /// The kernel's buffer of 32 KiB is what makes it send lists in large pieces.
  private static let room = 65536
  /// Milliseconds without a word, after which no answer is waited for any more. The kernel answers before
  /// it lets go of the request: this is for what it had no memory for.
  private static let patience: Int32 = 10_000
  /// How often a list that changed while it was read is read again.
  private static let attempts = 20

  /// Opens a socket, in the network namespace of the calling thread, that is a member of these groups (a
  /// bit each). The corresponding C functions are `socket` and `bind`.
  init(with peer: Peer, groups: UInt32 = 0, attempt: String) throws(KernelError) {
    let number = Glibc.socket(
      AF_NETLINK, Int32(SOCK_RAW.rawValue | SOCK_CLOEXEC.rawValue),
      peer.protocolNumber)
    guard number >= 0 else {
      throw KernelError(
        cannot: attempt, function: "socket", errno: errno,
        help: peer == .netfilter ? "The kernel needs CONFIG_NETFILTER_NETLINK." : nil)
    }
    let socket = FileDescriptor(owning: number)
    var address = sockaddr_nl()
    address.nl_family = sa_family_t(AF_NETLINK)
    address.nl_groups = groups
    // Sound: the size is that of the variable pointed to, which is an address as bind(2) takes it.
    let failed = unsafe withUnsafePointer(to: &address) {
      unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe bind(number, $0, socklen_t(MemoryLayout<sockaddr_nl>.size))
      }
    }
    guard failed == 0 else { throw KernelError(cannot: attempt, function: "bind", errno: errno) }
    // Both are niceties: the kernel's own words for an error, and errors without the request.
    var on: Int32 = 1
    for option in [NETLINK_EXT_ACK, NETLINK_CAP_ACK] {
      // Sound: the size is that of the variable pointed to.
      _ = unsafe setsockopt(
        number, SOL_NETLINK, option, &on, socklen_t(MemoryLayout<Int32>.size))
    }
    descriptor = number
    self.peer = peer
    self.socket = consume socket
    buffer = .room(Self.room)
  }

  /// Talks over a socket that somebody else has opened and closes, with room for messages of so many
  /// octets.
  init(over descriptor: Int32, with peer: Peer, room: Int = room) {
    self.descriptor = descriptor
    self.peer = peer
    socket = nil
    buffer = .room(room)
  }

  // MARK: Requests

  /// Asks for a list. A list that was changed meanwhile (`NLM_F_DUMP_INTR`) is asked for again. Only what
  /// `isWanted` is kept.
  mutating func dump(
    _ request: NetlinkMessage, attempt: String,
    where isWanted: (NetlinkMessage) -> Bool = { _ in true }
  ) throws(KernelError) -> [NetlinkMessage] {
    for _ in 0..<Self.attempts {
      if let list = try list(request, attempt, isWanted) { return list }
    }
    throw KernelError(
      cannot: attempt, function: "recv", errno: EINTR,
      help: "they change faster than they can be read; try again")
  }

  /// The list; nil if it changed meanwhile.
  private mutating func list(
    _ request: NetlinkMessage, _ attempt: String, _ isWanted: (NetlinkMessage) -> Bool
  ) throws(KernelError) -> [NetlinkMessage]? {
    try send(request, flags: UInt16(NLM_F_REQUEST | NLM_F_DUMP), attempt: attempt)
    var messages: [NetlinkMessage] = []
    var isInterrupted = false
    while true {
      for message in try receiveAnswers(attempt) {
        isInterrupted = isInterrupted || message.flags & UInt16(NLM_F_DUMP_INTR) != 0
        switch Int32(message.type) {
        case NLMSG_DONE:
          // It has the errno of a list that failed midway.
          try check(message, attempt: attempt)
          return isInterrupted ? nil : messages
        case NLMSG_ERROR: try check(message, attempt: attempt)
        default: if isWanted(message) { messages.append(message) }
        }
      }
    }
  }

  /// Asks for a list, and reads so many of its messages, or as many as there are. Nothing else can be asked of this socket
  /// afterwards.
  mutating func first(
    _ count: Int, of request: NetlinkMessage, attempt: String
  ) throws(KernelError) -> [NetlinkMessage] {
    try send(request, flags: UInt16(NLM_F_REQUEST | NLM_F_DUMP), attempt: attempt)
    var messages: [NetlinkMessage] = []
    while messages.count < count {
      for message in try receiveAnswers(attempt) {
        if [NLMSG_DONE, NLMSG_ERROR].contains(Int32(message.type)) {
          try check(message, attempt: attempt)
          return messages
        }
        messages.append(message)
      }
    }
    return Array(messages.prefix(count))
  }

  /// Asks what has one answer, an NLMSG_ERROR perhaps.
  mutating func ask(
    _ question: NetlinkMessage, attempt: String
  ) throws(KernelError) -> NetlinkMessage {
    try send(question, flags: UInt16(NLM_F_REQUEST), attempt: attempt)
    while true {
      if let answer = try receiveAnswers(attempt).first { return answer }
    }
  }

  /// Asks for something to be done, and waits until it is. Throws what the kernel answered.
  mutating func acknowledge(
    _ request: NetlinkMessage, flags: UInt16 = 0, attempt: String
  ) throws(KernelError) {
    try send(request, flags: UInt16(NLM_F_REQUEST | NLM_F_ACK) | flags, attempt: attempt)
    while true {
      for answer in try receiveAnswers(attempt) where Int32(answer.type) == NLMSG_ERROR {
        return try check(answer, attempt: attempt)
      }
    }
  }

  // MARK: Errors

  /// Throws the error in an NLMSG_ERROR or NLMSG_DONE, if it has one.
  func check(_ message: NetlinkMessage, attempt: String) throws(KernelError) {
    let code = message.errorCode
    if code != 0 { throw refusal(message, code, attempt: attempt) }
  }

  /// That the kernel refused what was asked of it.
  func refusal(_ message: NetlinkMessage, _ code: Int32, attempt: String) -> KernelError {
    let words = Self.explanation(in: message)
    return switch peer {
    case .route, .sockets, .security, .generic:
      KernelError(
        Self.kind(of: code), cannot: attempt, function: KernelError.rtnetlink, errno: code,
        help: code == EPERM ? "it needs CAP_NET_ADMIN: run as root" : words)
    case .netfilter:
      KernelError(
        cannot: attempt, function: "nf_tables", errno: code,
        help: RefusalAdvice.help(for: code, "CAP_NET_ADMIN", "nf_tables (modprobe nf_tables)")
          ?? words)
    }
  }

  /// Names that are taken or missing are the user's affair, all else is the kernel's.
  private static func kind(of code: Int32) -> KernelError.Kind {
    [EEXIST, ENODEV, EINVAL, ERANGE, EADDRNOTAVAIL].contains(code) ? .usage : .unavailable
  }

  /// The kernel's own words (NLMSGERR_ATTR_MSG of an extended acknowledgement), if it had any.
  private static func explanation(in message: NetlinkMessage) -> String? {
    // Behind errno and the header of the request, because NETLINK_CAP_ACK leaves its body out.
    guard message.flags & UInt16(NLM_F_ACK_TLVS) != 0,
      let attributes = try? NetlinkAttribute.all(in: message.payload, from: 20),
      let text = attributes[type: 1]?.string, !text.isEmpty
    else { return nil }
    return "the kernel says: \(text)"
  }

  // MARK: The wire

  private mutating func send(
    _ request: NetlinkMessage, flags: UInt16, attempt: String
  ) throws(KernelError) {
    sequence &+= 1
    var request = request
    request.flags = flags
    request.sequence = sequence
    try send(request.bytes, attempt: attempt)
  }

  /// Sends octets as they are: one message or several.
  func send(_ bytes: [UInt8], attempt: String) throws(KernelError) {
    do throws(Errno) {
      try syscall {
        // Sound: the pointer and the size are those of one array, which the call only reads.
        unsafe bytes.withUnsafeBytes {
          unsafe Glibc.send(descriptor, $0.baseAddress!, $0.count, 0)
        }
      }
    } catch {
      throw KernelError(cannot: attempt, function: "send", errno: error.code)
    }
  }

  /// The messages of the next datagram that answer the request that was sent last.
  private mutating func receiveAnswers(_ attempt: String) throws(KernelError) -> [NetlinkMessage] {
    try receive(attempt: attempt, wait: true).filter { $0.sequence == sequence }
  }

  /// The messages of the next datagram; none where there is nothing at the moment: with `wait` it comes back
  /// when there is.
  /// Throws EBADMSG for what cannot be read, ETIMEDOUT where nothing comes, ENOBUFS where the kernel had
  /// no room for what came before.
  mutating func receive(
    attempt: String, wait: Bool
  ) throws(KernelError) -> [NetlinkMessage] {
    let count: Int
    do throws(Errno) {
      count = try receive()
    } catch {
      guard error.code == EAGAIN else {
        throw KernelError(cannot: attempt, function: "recv", errno: error.code)
      }
      if wait { try awaitMore(attempt) }
      return []
    }
    guard count <= buffer.count else {
      throw KernelError(cannot: attempt, function: "recv", errno: EBADMSG)
    }
    do {
      return try NetlinkMessage.all(in: buffer.span.extracting(0..<count))
    } catch {
      throw KernelError(
        cannot: attempt, function: "recv", errno: EBADMSG, help: "the kernel's answer: \(error)")
    }
  }

  /// Datagrams that are received at a time, where many wait.
  static let batch = 16

  /// The messages of each of the datagrams that are there, `batch` of them at most. What cannot be read is left out.
  /// Throws ENOBUFS where the kernel had no room for what came before.
  mutating func receiveSeveral(attempt: String) throws(KernelError) -> [[NetlinkMessage]] {
    let room = buffer.count / Self.batch
    var lengths = [UInt32](repeating: 0, count: Self.batch)
    let count: Int
    do throws(Errno) {
      count = try syscall {
        // Sound: the pieces are as many and as long as the one buffer has room for, and the lengths as many.
        Int(
          unsafe buffer.withUnsafeMutableBytes {
            unsafe nftrace_receive_several(
              descriptor, $0.baseAddress!, UInt32(Self.batch), room, &lengths)
          })
      }
    } catch {
      if error.code == EAGAIN { return [] }
      throw KernelError(cannot: attempt, function: "recvmmsg", errno: error.code)
    }
    return (0..<count).map { index in
      let (start, length) = (index * room, Int(lengths[index]))
      guard length <= room else { return [] }
      return (try? NetlinkMessage.all(in: buffer.span.extracting(start..<(start + length)))) ?? []
    }
  }

  private func awaitMore(_ attempt: String) throws(KernelError) {
    var polled = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    // Sound: the pointer is that of the one entry that is said.
    let ready = try? syscall { unsafe poll(&polled, 1, Self.patience) }
    if ready == 0 {
      throw KernelError(
        cannot: attempt, function: "recv", errno: ETIMEDOUT, help: "the kernel does not answer")
    }
  }

  /// Octets of the next datagram, all of which there is room for unless that is more.
  private mutating func receive() throws(Errno) -> Int {
    let flags = Int32(MSG_DONTWAIT) | Int32(MSG_TRUNC)
    return try syscall {
      // Sound: the pointer and the size are those of one buffer.
      unsafe buffer.withUnsafeMutableBytes {
        unsafe recv(descriptor, $0.baseAddress!, $0.count, flags)
      }
    }
  }
}
