internal import CNetfilter
internal import Glibc
internal import Trace
package import Wire

/// A netlink socket to the kernel's routing tables, interfaces and neighbours: rtnetlink(7). It belongs to the network namespace its thread was in when it was opened.
package struct RouteSocket: ~Copyable {
  private var conversation: NetlinkConversation

  /// Opens the socket.
  package init() throws(KernelError) {
    conversation = try NetlinkConversation(with: .route, attempt: "open a routing socket")
  }

  // MARK: Reading

  /// All messages of a list, as they came: `type` is an `RTM_GET…`, `family` an address family as
  /// netlink numbers them (0 all, 2 IPv4, 10 IPv6). A list that was interrupted by a change is asked for
  /// again. Only what `isWanted` is kept.
  package mutating func dump(
    _ type: UInt16, family: UInt8 = 0, where isWanted: (NetlinkMessage) -> Bool = { _ in true }
  ) throws(KernelError) -> [NetlinkMessage] {
    var request = RouteMessageType.dump(type, family: family)
    if type == RouteMessageType.getLink, family == 0 {
      // IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS: half of what the kernel says of an interface, and nobody asks for it.
      request.payload += [NetlinkAttribute(29, host: UInt32(8))].bytes
    }
    return try conversation.dump(
      request, attempt: "list \(Self.noun(of: type))", where: isWanted)
  }

  /// What the kernel lists, each list behind the request for it: what is not in it is gone.
  mutating func records(
    of type: UInt16, families: [UInt8], where isWanted: (NetlinkMessage) -> Bool = { _ in true }
  ) -> [Record] {
    var records: [Record] = []
    for family in families {
      guard let messages = try? dump(type, family: family, where: isWanted) else { continue }
      let now = Clock.realtime
      records.append(Record(time: now, .netlink(RouteMessageType.dump(type, family: family))))
      records += messages.map { Record(time: now, .netlink($0)) }
    }
    return records
  }

  /// The same, of a request that is made already.
  mutating func dump(_ request: NetlinkMessage, of what: String) throws(KernelError)
    -> [NetlinkMessage]
  {
    try conversation.dump(request, attempt: "list \(what)")
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
    let answer = try conversation.ask(LinkMessage.question(name: name), attempt: attempt)
    // ERANGE, EINVAL: longer than a name can be.
    if [ENODEV, ERANGE, EINVAL].contains(answer.errorCode) { return nil }
    try conversation.check(answer, attempt: attempt)
    let links = try decode([answer]) { (message) throws(WireError) in
      try LinkMessage(parsing: message)
    }
    return links[0]
  }

  /// What is said of a name that no interface has, with the nearest one that something else than the loopback has; nil where one
  /// has it.
  package mutating func absence(of name: String) throws(KernelError) -> String? {
    if try link(name) != nil { return nil }
    let names = try links().filter { !$0.flags.contains(.loopback) }.map(\.name)
    let nearest = NearestWord.to(name, among: names).map { "; did you mean \($0)?" }
    return "there is no interface \(Escape.name(name)) here\(nearest ?? ": see 'ip link'")"
  }

  /// The interface of this index; nil if there is none.
  package mutating func link(_ index: UInt32) throws(KernelError) -> LinkMessage? {
    let attempt = "look for interface \(index)"
    let answer = try conversation.ask(LinkMessage.question(index: index), attempt: attempt)
    if answer.errorCode == ENODEV { return nil }
    try conversation.check(answer, attempt: attempt)
    return try decode([answer]) { (message) throws(WireError) in
      try LinkMessage(parsing: message)
    }[0]
  }

  /// By which number interfaces of this namespace name another one in which their counterpart is; nil where none does.
  package mutating func number(
    of namespace: borrowing NetworkNamespace
  ) throws(KernelError) -> Int32? {
    let attempt = "ask for the number of a network namespace"
    let answer = try conversation.ask(
      RouteMessageType.question(ofNamespace: namespace.descriptor), attempt: attempt)
    try conversation.check(answer, attempt: attempt)
    return RouteMessageType.namespaceNumber(in: answer)
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

  /// The forwarding tables of all bridges.
  package mutating func forwarding() throws(KernelError) -> [ForwardingEntry] {
    try decode(try dump(RouteMessageType.getNeighbour, family: UInt8(AF_BRIDGE))) {
      (message) throws(WireError) in try ForwardingEntry(parsing: message)
    }.compactMap(\.self)
  }

  /// The addresses that this host answers neighbours' questions for.
  package mutating func proxyNeighbours() throws(KernelError) -> [NeighbourMessage] {
    let messages = try dump(NeighbourMessage.proxyQuestion, of: "the proxied neighbours")
    return messages.compactMap { try? NeighbourMessage(parsing: $0) }
  }

  /// The tc filters of an interface at one place: `FilterMessage.ingress` or `egress`.
  package mutating func filters(
    of interface: UInt32, parent: UInt32
  ) throws(KernelError) -> [FilterMessage] {
    let messages = try conversation.dump(
      FilterMessage.question(of: interface, parent: parent), attempt: "list the filters")
    return messages.compactMap { try? FilterMessage(parsing: $0) }
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
    /// The packet would go nowhere; an errno: ENETUNREACH no route,
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
    let message = try conversation.ask(question.message, attempt: attempt)
    if message.type == NetlinkMessage.errorType {
      return (.refused(errno: message.errorCode), message)
    }
    let routes = try decode([message]) { (message) throws(WireError) in
      try RouteMessage(parsing: message)
    }
    return (.route(routes[0]), message)
  }

  // MARK: Changing

  /// Sends a request and waits until the kernel has carried it out. Throws what it answered;
  /// `attempt` is what was being attempted, as it reads after "cannot".
  package mutating func request(
    _ message: NetlinkMessage, flags: RequestFlags = [], attempt: String
  ) throws(KernelError) {
    try conversation.acknowledge(message, flags: flags.rawValue, attempt: attempt)
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
    /// `NLM_F_APPEND`: stands behind what is there.
    package static let append = RequestFlags(rawValue: 0x800)
    /// Makes something new, or fails.
    package static let new: RequestFlags = [.create, .exclusive]
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
