internal import CNetfilter
internal import Glibc
internal import Wire

/// A network namespace that is like another one, to try things in: the kernel decides there as it does in the original,
/// nothing of which is touched, and nothing that is sent leaves. Whoever is asked there answers. It goes with
/// this value, and with the process. Needs CAP_SYS_ADMIN and CAP_NET_ADMIN.
package struct NamespaceCopy: ~Copyable {
  /// The copy.
  package let namespace: NetworkNamespace
  /// What is not as it is in the original.
  package let differences: [CopyDifference]
  private let farSide: FarSide

  /// A copy of the network namespace of the calling thread, as it is now. To be called while there is one thread.
  package init() throws(KernelError) {
    var interfaces = try CopiedInterfaces.read()
    var routing = try CopiedRouting.read()
    var ruleset = try CopiedRuleset.read()
    var legacy = CopiedLegacyTables.read()
    var settings = CopiedSettings.read()
    let sockets = CopiedSockets.read()
    let hasPolicies = Self.hasPolicies

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
    var opened: (datagrams: [Int32], connections: [Int32]) = ([], [])
    try copy.within { () throws(KernelError) in
      settings.make()
      try interfaces.raise()
      try interfaces.addAddresses()
      try interfaces.addNeighbours()
      try routing.make()
      try ruleset.make()
      legacy.make()
      opened = sockets.open()
    }
    farSide = try FarSide(
      world: wire.release(), datagrams: opened.datagrams, connections: opened.connections)
    namespace = copy
    differences =
      interfaces.differences + routing.differences + ruleset.differences + legacy.differences
      + settings.differences + (hasPolicies ? [.security] : [])
  }

  /// Whether there are policies of IPsec here.
  private static var hasPolicies: Bool {
    var security = try? NetlinkConversation(with: .security, attempt: "list the policies of IPsec")
    let policies = try? security?.dump(
      SecurityPolicyMessage.question, attempt: "list the policies of IPsec")
    return policies?.isEmpty == false
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
