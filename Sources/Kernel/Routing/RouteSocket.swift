internal import CNetfilter
internal import Glibc
package import Wire

/// A netlink socket to the kernel's routing tables, interfaces and neighbours: rtnetlink(7), over
/// libmnl. It belongs to the network namespace its thread was in when it was opened.
@safe package struct RouteSocket: ~Copyable {
  private let handle: OpaquePointer
  /// The kernel's receive buffer of 32 KiB is what makes it send dumps in large pieces.
  private var buffer: [UInt8] = .room(65536)
  private var sequence: UInt32 = 0

  /// Opens the socket. The corresponding C functions are `mnl_socket_open2` and `mnl_socket_bind`.
  package init() throws(KernelError) {
    let attempt = "open a routing socket"
    guard let handle = unsafe mnl_socket_open2(NETLINK_ROUTE, Int32(SOCK_CLOEXEC.rawValue)) else {
      throw KernelError(cannot: attempt, function: "mnl_socket_open2", errno: errno)
    }
    guard unsafe mnl_socket_bind(handle, 0, 0) == 0 else {
      let code = errno
      _ = unsafe mnl_socket_close(handle)
      throw KernelError(cannot: attempt, function: "mnl_socket_bind", errno: code)
    }
    // Both are niceties: the kernel's own words for an error, and errors without the request.
    var on: Int32 = 1
    for option in [NETLINK_EXT_ACK, NETLINK_CAP_ACK] {
      // Sound: the size is that of the variable pointed to.
      _ = unsafe mnl_socket_setsockopt(handle, option, &on, socklen_t(MemoryLayout<Int32>.size))
    }
    unsafe self.handle = handle
  }

  deinit { _ = unsafe mnl_socket_close(handle) }

  // MARK: Reading

  /// All messages of a dump, as they came: `type` is an `RTM_GET…`, `family` an address family as
  /// netlink numbers them (0 all, 2 IPv4, 10 IPv6). A dump that was interrupted by a change is made
  /// again. Only what `isWanted` is kept.
  package mutating func dump(
    _ type: UInt16, family: UInt8 = 0, where isWanted: (NetlinkMessage) -> Bool = { _ in true }
  ) throws(KernelError) -> [NetlinkMessage] {
    let attempt = "list \(Self.noun(of: type))"
    for _ in 0..<10 {
      try send(RouteMessageType.dump(type, family: family), attempt: attempt)
      var messages: [NetlinkMessage] = []
      var interrupted = false
      reading: while true {
        for message in try receive(attempt: attempt) where message.sequence == sequence {
          interrupted = interrupted || message.flags & UInt16(NLM_F_DUMP_INTR) != 0
          switch Int32(message.type) {
          case NLMSG_DONE:
            // It has the errno of a dump that failed midway.
            try Self.check(message, attempt: attempt)
            break reading
          case NLMSG_ERROR: try Self.check(message, attempt: attempt)
          default: if isWanted(message) { messages.append(message) }
          }
        }
      }
      if !interrupted { return messages }
    }
    throw KernelError(
      cannot: attempt, function: "recvfrom", errno: EINTR,
      help: "they change faster than they can be read; try again")
  }

  /// The interfaces of the namespace.
  package mutating func links() throws(KernelError) -> [LinkMessage] {
    try decode(try dump(RouteMessageType.getLink)) { (message) throws(WireError) in
      try LinkMessage(parsing: message)
    }
  }

  /// The interface of this name; nil if there is none.
  package mutating func link(_ name: String) throws(KernelError) -> LinkMessage? {
    let attempt = "look for the interface \(name)"
    let answer = try ask(LinkMessage.question(name: name), attempt: attempt)
    if Int32(answer.type) == NLMSG_ERROR {
      // ERANGE, EINVAL: longer than a name can be.
      if [ENODEV, ERANGE, EINVAL].contains(Self.errorCode(of: answer)) { return nil }
      try Self.check(answer, attempt: attempt)
    }
    let links = try decode([answer]) { (message) throws(WireError) in
      try LinkMessage(parsing: message)
    }
    return links[0]
  }

  /// The interface of this index; nil if there is none.
  package mutating func link(_ index: UInt32) throws(KernelError) -> LinkMessage? {
    let attempt = "look for interface \(index)"
    let answer = try ask(LinkMessage.question(index: index), attempt: attempt)
    if Int32(answer.type) == NLMSG_ERROR {
      if Self.errorCode(of: answer) == ENODEV { return nil }
      try Self.check(answer, attempt: attempt)
    }
    return try decode([answer]) { (message) throws(WireError) in
      try LinkMessage(parsing: message)
    }[0]
  }

  /// The IPv4 and IPv6 addresses of all interfaces.
  package mutating func addresses() throws(KernelError) -> [AddressMessage] {
    try decode(try ipDump(RouteMessageType.getAddress)) { (message) throws(WireError) in
      try AddressMessage(parsing: message)
    }
  }

  /// The IPv4 and IPv6 routes of all tables.
  package mutating func routes() throws(KernelError) -> [RouteMessage] {
    try decode(try ipDump(RouteMessageType.getRoute)) { (message) throws(WireError) in
      try RouteMessage(parsing: message)
    }
  }

  /// The IPv4 and IPv6 rules of policy routing, in the order they are asked.
  package mutating func rules() throws(KernelError) -> [RoutingRule] {
    try decode(try ipDump(RouteMessageType.getRule)) { (message) throws(WireError) in
      try RoutingRule(parsing: message)
    }
  }

  /// The queueing disciplines of all interfaces.
  package mutating func qdiscs() throws(KernelError) -> [QdiscMessage] {
    try decode(try dump(RouteMessageType.getQdisc)) { (message) throws(WireError) in
      try QdiscMessage(parsing: message)
    }
  }

  /// The IPv4 and IPv6 neighbours of all interfaces.
  package mutating func neighbours() throws(KernelError) -> [NeighbourMessage] {
    try decode(try ipDump(RouteMessageType.getNeighbour)) { (message) throws(WireError) in
      try NeighbourMessage(parsing: message)
    }
  }

  /// Both families, each asked for by its number: asked for all of them, the kernel adds those of
  /// bridges, MPLS and multicast routing.
  private mutating func ipDump(_ type: UInt16) throws(KernelError) -> [NetlinkMessage] {
    let four = try dump(type, family: UInt8(AF_INET))
    // A kernel without IPv6 answers with everything it has, or refuses.
    let six: [NetlinkMessage]
    do {
      six = try dump(type, family: UInt8(AF_INET6))
    } catch  where error.isRefusal {
      six = []
    }
    return four + six.filter { $0.payload.first == UInt8(AF_INET6) }
  }

  private func decode<T>(
    _ messages: [NetlinkMessage], _ parse: (NetlinkMessage) throws(WireError) -> T
  ) throws(KernelError) -> [T] {
    var values: [T] = []
    for message in messages {
      do {
        values.append(try parse(message))
      } catch {
        throw KernelError(cannot: "read the kernel's answer", help: error.description)
      }
    }
    return values
  }

  /// What the kernel says to a route lookup. That there is no route is an answer too.
  package enum LookupAnswer: Sendable, Equatable {
    /// The way the packet would go.
    case route(RouteMessage)
    /// The packet would go nowhere; an errno, as KERNEL.md F explains them: ENETUNREACH no route,
    /// EACCES prohibited, EHOSTUNREACH unreachable or not forwarding, EINVAL blackhole or a source
    /// that must not come in there, ENODEV no such interface.
    case refused(errno: Int32)
  }

  /// Asks which way a packet would go. The corresponding request is `RTM_GETROUTE`.
  package mutating func lookup(_ question: RouteLookup) throws(KernelError) -> LookupAnswer {
    try lookupRaw(question).answer
  }

  /// The same, with the message the kernel answered, for the record.
  package mutating func lookupRaw(
    _ question: RouteLookup
  ) throws(KernelError) -> (answer: LookupAnswer, message: NetlinkMessage) {
    let attempt = "look up the route to \(question.destination)"
    let message = try ask(question.message, attempt: attempt)
    if Int32(message.type) == NLMSG_ERROR {
      return (.refused(errno: Self.errorCode(of: message)), message)
    }
    let routes = try decode([message]) { (message) throws(WireError) in
      try RouteMessage(parsing: message)
    }
    return (.route(routes[0]), message)
  }

  /// Sends a question that has one answer, an NLMSG_ERROR perhaps.
  private mutating func ask(
    _ question: NetlinkMessage, attempt: String
  ) throws(KernelError) -> NetlinkMessage {
    var request = question
    request.flags = UInt16(NLM_F_REQUEST)
    try send(request, attempt: attempt)
    while true {
      for message in try receive(attempt: attempt) where message.sequence == sequence {
        return message
      }
    }
  }

  // MARK: Changing

  /// Sends a request and waits until the kernel has carried it out. Throws what it answered;
  /// `attempt` is what was being attempted, as it reads after "cannot".
  package mutating func request(
    _ message: NetlinkMessage, flags: RequestFlags = [], attempt: String
  ) throws(KernelError) {
    var message = message
    message.flags = UInt16(NLM_F_REQUEST | NLM_F_ACK) | flags.rawValue
    try send(message, attempt: attempt)
    while true {
      for answer in try receive(attempt: attempt)
      where answer.sequence == sequence && Int32(answer.type) == NLMSG_ERROR {
        return try Self.check(answer, attempt: attempt)
      }
    }
  }

  /// What a request for something new does about something old (`NLM_F_…` of netlink(7)).
  package struct RequestFlags: OptionSet, Sendable {
    /// The bits as netlink has them.
    package var rawValue: UInt16
    /// The set with these bits.
    package init(rawValue: UInt16) { self.rawValue = rawValue }

    /// `NLM_F_REPLACE`: takes the place of what is there.
    package static let replace = RequestFlags(rawValue: 0x100)
    /// `NLM_F_EXCL`: fails with EEXIST if it is there.
    package static let exclusive = RequestFlags(rawValue: 0x200)
    /// `NLM_F_CREATE`: makes it if it is not there.
    package static let create = RequestFlags(rawValue: 0x400)
    /// Makes something new, or fails.
    package static let new: RequestFlags = [.create, .exclusive]
  }

  // MARK: The wire

  private mutating func send(
    _ message: NetlinkMessage, attempt: String
  ) throws(KernelError) {
    sequence &+= 1
    var message = message
    message.sequence = sequence
    let bytes = message.bytes
    // Sound: the pointer and the size are those of one array, which the call only reads.
    let sent = unsafe bytes.withUnsafeBytes {
      unsafe mnl_socket_sendto(handle, $0.baseAddress!, $0.count)
    }
    guard sent >= 0 else {
      throw KernelError(cannot: attempt, function: "sendto", errno: errno)
    }
  }

  private mutating func receive(attempt: String) throws(KernelError) -> [NetlinkMessage] {
    while true {
      let handle = unsafe self.handle
      // Sound: the pointer and the size are those of one buffer.
      let count = unsafe buffer.withUnsafeMutableBytes {
        unsafe mnl_socket_recvfrom(handle, $0.baseAddress!, $0.count)
      }
      if count < 0 {
        let code = errno
        if code == EINTR { continue }
        throw KernelError(cannot: attempt, function: "recvfrom", errno: code)
      }
      do {
        return try NetlinkMessage.all(in: Array(buffer[..<count]))
      } catch {
        throw KernelError(cannot: attempt, help: "the kernel's answer: \(error)")
      }
    }
  }

  /// The errno in an NLMSG_ERROR; 0 is the kernel's "done".
  private static func errorCode(of message: NetlinkMessage) -> Int32 {
    var reader = ByteReader(message.payload.span)
    let value: Int32 = (try? reader.littleEndian()) ?? 0
    return value == .min ? EIO : abs(value)
  }

  private static func check(_ message: NetlinkMessage, attempt: String) throws(KernelError) {
    let code = errorCode(of: message)
    guard code != 0 else { return }
    throw KernelError(
      kind(of: code), cannot: attempt, function: KernelError.rtnetlink, errno: code,
      help: code == EPERM ? "it needs CAP_NET_ADMIN: run as root" : explanation(in: message))
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

  private static func noun(of type: UInt16) -> String {
    switch type {
    case RouteMessageType.getLink: "the interfaces"
    case RouteMessageType.getAddress: "the addresses"
    case RouteMessageType.getRoute: "the routes"
    case RouteMessageType.getRule: "the routing rules"
    case RouteMessageType.getNeighbour: "the neighbours"
    case RouteMessageType.getQdisc: "the queueing disciplines"
    default: "what rtnetlink message \(type) asks for"
    }
  }
}
