internal import CNetfilter
internal import Glibc
package import Trace
internal import Wire

/// A network namespace that is like another one, to try things in: the kernel decides there as it does in the original,
/// nothing of which is touched, and nothing that is sent leaves. Whoever is asked there answers. It goes with
/// this value, and with the process. Needs CAP_SYS_ADMIN and CAP_NET_ADMIN.
package struct NamespaceCopy: ~Copyable {
  /// The copy.
  package let namespace: NetworkNamespace
  /// What is not as it is in the original.
  package private(set) var differences: [CopyDifference]
  /// Interfaces that are Ethernet there, in the place of others without link-layer addresses.
  package var standIns: [String] { interfaces.standIns }
  private let farSide: FarSide
  private let interfaces: CopiedInterfaces
  /// Hears and says what goes over the wires between the copy and the world.
  private let wire: FileDescriptor

  /// A copy of the network namespace of the calling thread, as it is now; without the rules, if they are to be others.
  /// Without the rights of root it is made `inUserNamespace`, and the process stays in that. Who was `sought` there before
  /// is where it was found. To be called while there is one thread.
  package init(
    withRules: Bool = true, inUserNamespace: Bool = false,
    _ sought: SoughtNeighbours = SoughtNeighbours()
  ) throws(KernelError) {
    let interfaces = try CopiedInterfaces.read()
    var routing = try CopiedRouting.read()
    var sets = CopiedAddressSets.read()
    var ruleset = try withRules ? CopiedRuleset.read() : nil
    var legacy = withRules ? CopiedLegacyTables.read() : nil
    var settings = CopiedSettings.read(alike: interfaces.alike)
    let sockets = CopiedSockets.read()
    var policies = CopiedPolicies.read()
    if inUserNamespace { try UserNamespace.enter() }
    var opened: (datagrams: [Int32], connections: [Int32]) = ([], [])
    try self.init(interfaces, interfaces.stations(sought)) { () throws(KernelError) in
      settings.make()
    } furnish: { interfaces throws(KernelError) in
      try interfaces.addAddresses()
      try interfaces.addNeighbours()
      try routing.make()
      // Rules look them up; which of them others do is not known.
      sets.make(all: !withRules)
      try ruleset?.make()
      legacy?.make()
      policies.make()
      opened = sockets.open()
      return opened
    }
    differences +=
      routing.differences + sets.differences
      + (ruleset?.differences ?? []).filter { $0 != .kinds || !interfaces.standIns.isEmpty }
      // Limits are what both may have.
      + (legacy?.differences ?? []).filter { ruleset?.differences.contains($0) != true }
      + settings.differences + policies.differences
  }

  /// A network namespace like no other, of this topology: a router. Throws with the line of what the kernel did not
  /// take. To be called while there is one thread.
  package init(_ topology: Topology, inUserNamespace: Bool = false) throws(KernelError) {
    if inUserNamespace { try UserNamespace.enter() }
    let interfaces = CopiedInterfaces(topology)
    try self.init(interfaces, interfaces.stations(SoughtNeighbours())) { () throws(KernelError) in
      try topology.makeSettings()
    } furnish: { _ throws(KernelError) in
      try topology.makeAddresses()
      return ([], [])
    }
  }

  /// Makes the interfaces, and the world behind them. `prepare` runs before they are up, `furnish` after that: it
  /// returns the sockets that are open there.
  private init(
    _ described: CopiedInterfaces, _ stations: KnownStations,
    prepare: () throws(KernelError) -> Void,
    furnish: (CopiedInterfaces) throws(KernelError) -> (datagrams: [Int32], connections: [Int32])
  ) throws(KernelError) {
    var interfaces = described
    let copy = try NetworkNamespace.create()
    let world = try NetworkNamespace.create()
    try world.within { () throws(KernelError) in
      // It is a wire, and nobody's host.
      for scope in ["all", "default"] {
        try? Sysctl.interface(scope, family: 6, "disable_ipv6")?.write("1")
      }
    }
    let descriptor = world.descriptor
    try copy.within { () throws(KernelError) in
      try CopiedSettings.prepare()
      try interfaces.make(otherEnds: descriptor)
    }
    let wire = try world.within { () throws(KernelError) in
      try interfaces.raiseOtherEnds()
      return try Self.wire()
    }
    let there = interfaces
    let opened = try copy.within { () throws(KernelError) in
      try prepare()
      CopiedSettings.hurryNeighbours()
      try there.raise()
      return try furnish(there)
    }
    farSide = try FarSide(
      world: try Self.duplicate(wire), stations: stations, datagrams: opened.datagrams,
      connections: opened.connections)
    namespace = copy
    self.wire = wire
    self.interfaces = interfaces
    differences = interfaces.differences
  }

  /// Lets packets arrive on an interface of the copy, from the world behind it; nil where the world is not behind it.
  /// The calling thread is in the copy.
  package borrowing func injector(on name: String) throws(KernelError) -> FrameInjector? {
    guard let otherEnd = interfaces.otherEnd(of: name) else { return nil }
    return try FrameInjector(
      interface: name, wire: FileDescriptor(owning: Self.duplicate(wire)), otherEnd: otherEnd)
  }

  /// Runs a command of a shell in a copy, in which the calling thread is. Returns its exit code, and what it printed. What it has
  /// set up carries packets then.
  package static func run(_ command: String) throws(KernelError) -> (code: Int32, output: String) {
    let end = try ChildProcess.shell(command)
    try CopiedInterfaces.awaitCarriers()
    return end
  }

  /// Has a copy, in which the calling thread is, refuse one question after the other without a limit to how often.
  package static func answerAll() { CopiedSettings.answerAll() }

  /// Forgets what earlier probes have left in a copy, in which the calling thread is: what a connection was translated to is
  /// not what a rule says now, and who did not say where he is may do so now.
  package static func forget() throws(KernelError) {
    try Connections.flush()
    var routes = try RouteSocket()
    for neighbour in try routes.neighbours()
    where !neighbour.state.isDisjoint(with: [.incomplete, .failed]) {
      try? routes.request(neighbour.deletion, attempt: "forget a neighbour")
    }
  }

  private static func duplicate(_ file: borrowing FileDescriptor) throws(KernelError) -> Int32 {
    let number = nftrace_duplicate(file.number)
    guard number >= 0 else {
      throw KernelError(
        cannot: "copy the network namespace", function: "fcntl", errno: Glibc.errno)
    }
    return number
  }

  /// A socket that hears all that the copy sends to the world.
  private static func wire() throws(KernelError) -> FileDescriptor {
    let number = nftrace_world_socket()
    guard number >= 0 else {
      let code = Glibc.errno
      throw KernelError(
        cannot: "copy the network namespace", function: "socket", errno: code,
        help: RefusalAdvice.help(for: code, "CAP_NET_RAW", "packet sockets"))
    }
    return FileDescriptor(owning: number)
  }
}
