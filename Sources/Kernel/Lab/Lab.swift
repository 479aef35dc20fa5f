internal import Glibc
internal import Wire

/// A place to try things in: two named network namespaces of this process, joined by a veth pair.
/// The router forwards; it does not masquerade, so that without a NAT rule the answers do not find
/// their way back. Both are removed with this value. Needs CAP_SYS_ADMIN and CAP_NET_ADMIN.
package struct Lab: ~Copyable {
  /// Where things are tried.
  package let router: NetworkNamespace
  /// The other side.
  package let server: NetworkNamespace
  /// The router's name, for `ip netns exec`.
  package let routerName: String
  /// The server's name, for `ip netns exec`.
  package let serverName: String

  /// What the names of labs begin with.
  static let prefix = "nftrace-lab-"

  /// Throws if this process has not the right to build one.
  package static func requireRights() throws(KernelError) {
    guard Privileges.effective.contains(.system) else {
      throw KernelError(
        cannot: "create a network namespace", help: "it needs CAP_SYS_ADMIN: run as root (sudo)")
    }
  }

  /// Builds a lab, and removes what a failure left of it. The names begin with "nftrace-lab-PID".
  package static func create(_ topology: LabTopology = .walk) throws(KernelError) -> Lab {
    try create(topology) { (name) throws(KernelError) in
      try NetworkNamespace.create(named: name)
    }
  }

  /// Builds a lab whose names are in a journal before they are made: the journal's guardian removes
  /// them when this process dies.
  package static func create(
    _ topology: LabTopology = .walk, journal: borrowing GuardedJournal
  ) throws(KernelError) -> Lab {
    try create(topology) { (name) throws(KernelError) in
      try journal.createNamespace(named: name)
    }
  }

  private static func create(
    _ topology: LabTopology, make: (String) throws(KernelError) -> NetworkNamespace
  ) throws(KernelError) -> Lab {
    let base = freeName()
    let names = (router: "\(base)-router", server: "\(base)-server")
    let router = try make(names.router)
    let server = try createSecond(names.server, first: names.router, make: make)
    let lab = Lab(router: router, server: server, names: names)
    // From here on a failure removes them, because `lab` goes.
    try lab.furnish(topology)
    return lab
  }

  private init(
    router: consuming NetworkNamespace, server: consuming NetworkNamespace,
    names: (router: String, server: String)
  ) {
    self.router = router
    self.server = server
    routerName = names.router
    serverName = names.server
  }

  private static func createSecond(
    _ name: String, first: String, make: (String) throws(KernelError) -> NetworkNamespace
  ) throws(KernelError) -> NetworkNamespace {
    do {
      return try make(name)
    } catch {
      try? NetworkNamespace.remove(named: first)
      throw error
    }
  }

  /// What follows the process in a lab's name where that is one of another PID namespace than the
  /// machine's first: its number means nothing to others. PROC_PID_INIT_INO of the kernel is the first's.
  package static let elsewhere: String = {
    guard let inode = Files.destination(ofLink: "/proc/self/ns/pid")?.dropFirst(5).dropLast(),
      inode != "4026531836"
    else { return "" }
    return ".\(inode)"
  }()

  /// The first name of this process that is not taken.
  private static func freeName() -> String {
    let base = "\(prefix)\(getpid())\(elsewhere)"
    let taken = Set(NetworkNamespace.names)
    var name = base
    var number = 2
    while taken.contains("\(name)-router") || taken.contains("\(name)-server") {
      name = "\(base)-\(number)"
      number += 1
    }
    return name
  }

  deinit {
    try? NetworkNamespace.remove(named: routerName)
    try? NetworkNamespace.remove(named: serverName)
  }

  /// Removes both namespaces with all that is in them.
  package consuming func remove() throws(KernelError) {
    try NetworkNamespace.remove(named: routerName)
    try NetworkNamespace.remove(named: serverName)
  }

  // MARK: Furnishing

  private borrowing func furnish(_ topology: LabTopology) throws(KernelError) {
    let name = topology.interface
    for isRouter in [true, false] {
      try within(router: isRouter) { () throws(KernelError) in
        try Self.prepareSysctls(forwarding: isRouter)
      }
    }
    let peer = server.descriptor
    try router.within { () throws(KernelError) in
      var socket = try RouteSocket()
      // An interface whose peer has the same index looks to the kernel like one that stands on
      // nothing, and it may take a second to notice the carrier of such a one
      // (linkwatch_urgent_event). Left to itself it gives 2 to both.
      try socket.createVeth(name, index: 2, peer: name, peerNamespace: peer, peerIndex: 3)
    }
    try server.within { () throws(KernelError) in
      var socket = try RouteSocket()
      try socket.setLink(name, up: true)
      for prefix in Self.possible(topology.server) { try socket.add(prefix, to: name) }
      for address in topology.destinations where Self.isPossible(address) {
        try socket.add(Prefix(address), to: "lo")
      }
    }
    try router.within { () throws(KernelError) in
      var socket = try RouteSocket()
      try socket.setLink(name, up: true)
      for prefix in Self.possible(topology.router) { try socket.add(prefix, to: name) }
      let index = try socket.existingLink(name).index
      for family in [4, 6] {
        let gateway = Self.possible(topology.server).first { $0.address.family == family }
        guard let gateway else { continue }
        let all = Prefix(family == 4 ? .v4(0) : .v6(0), length: 0)!
        try socket.add(RouteMessage(to: all, via: gateway.address, interface: index))
      }
    }
    // The kernel opens a veth's queue when it has noticed the carrier; what is sent before is lost.
    for isRouter in [true, false] {
      try within(router: isRouter) { () throws(KernelError) in try Self.wait(forLink: name) }
    }
  }

  private borrowing func within(
    router isRouter: Bool, _ body: () throws(KernelError) -> Void
  ) throws(KernelError) {
    if isRouter { try router.within(body) } else { try server.within(body) }
  }

  /// A new namespace takes IPv4 settings over from the machine: those that matter are set, so that
  /// every lab is the same. IPv6 addresses are usable at once, and no router is asked for.
  private static func prepareSysctls(forwarding: Bool) throws(KernelError) {
    try Sysctl.forwarding4.write(forwarding ? "1" : "0")
    for name in ["all", "default"] {
      try Sysctl.interface(name, family: 4, "rp_filter")?.write("0")
    }
    guard Sysctl.forwarding6.exists else { return }
    try Sysctl.forwarding6.write(forwarding ? "1" : "0")
    for setting in ["accept_dad", "router_solicitations"] {
      try Sysctl.interface("default", family: 6, setting)?.write("0")
    }
  }

  /// Those of families this kernel has.
  private static func possible(_ prefixes: [Prefix]) -> [Prefix] {
    prefixes.filter { isPossible($0.address) }
  }

  private static func isPossible(_ address: IPAddress) -> Bool {
    address.family == 4 || Sysctl.forwarding6.exists
  }

  private static func wait(forLink name: String) throws(KernelError) {
    var socket = try RouteSocket()
    for _ in 0..<2000 {
      if try socket.existingLink(name).state == .up { return }
      usleep(1000)
    }
    throw KernelError(cannot: "build the lab: \(name) did not come up within 2 seconds")
  }

  // MARK: Leftovers

  /// Removes the labs of processes that are gone. Returns the names.
  @discardableResult
  package static func removeStale() throws(KernelError) -> [String] {
    var removed: [String] = []
    for name in NetworkNamespace.names {
      guard let process = process(inName: name), kill(process, 0) != 0, errno == ESRCH else {
        continue
      }
      try NetworkNamespace.remove(named: name)
      removed.append(name)
    }
    return removed
  }

  /// The process a lab's name is of: nil if it is not the name of one, or of one that is not to be seen
  /// from here.
  static func process(inName name: String) -> Int32? {
    guard name.hasPrefix(prefix) else { return nil }
    let parts = name.dropFirst(prefix.count).split(
      separator: "-", omittingEmptySubsequences: false)
    guard parts.count >= 2, ["router", "server"].contains(parts.last),
      parts[0].hasSuffix(elsewhere), let process = Int32(parts[0].dropLast(elsewhere.utf8.count)),
      process > 0
    else { return nil }
    return process
  }
}
