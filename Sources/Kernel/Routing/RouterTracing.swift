internal import CNetfilter
internal import Glibc
internal import Wire

/// Whether this host, as a router, writes into packets that ask for it: in-situ OAM of IPv6, the kernel's
/// Documentation/networking/ioam6-sysctl.rst. As the network namespace of the calling thread has it.
package struct RouterTracing: Sendable, Equatable {
  /// The number it says it has; nil where nobody gave it one.
  package var node: UInt32?
  /// The interfaces by which such packets may come, with the numbers that these have, and nil where they have none.
  package var interfaces: [Interface]
  /// The namespaces of IOAM that it knows; nil where that cannot be asked.
  package var namespaces: [UInt16]?

  /// An interface, and its number.
  package struct Interface: Sendable, Equatable {
    /// What it is called.
    package var name: String
    /// Its `ioam6_id`.
    package var id: UInt16?
    /// An interface of these fields.
    package init(name: String, id: UInt16?) {
      self.name = name
      self.id = id
    }
  }

  /// Settings of these values.
  package init(node: UInt32?, interfaces: [Interface], namespaces: [UInt16]?) {
    self.node = node
    self.interfaces = interfaces
    self.namespaces = namespaces
  }

  /// Whether it writes anything, as far as is known.
  package var isOn: Bool { !interfaces.isEmpty && namespaces?.isEmpty == false }

  /// As it is here; nil where the kernel cannot do it.
  package static func here() -> RouterTracing? {
    guard Sysctl(path: "net/ipv6/ioam6_id")?.exists == true, var routes = try? RouteSocket(),
      let links = try? routes.links()
    else { return nil }
    let interfaces = links.compactMap { link -> Interface? in
      guard number(Sysctl.interface(link.name, family: 6, "ioam6_enabled")) == 1 else { return nil }
      let id = number(Sysctl.interface(link.name, family: 6, "ioam6_id"))
      return Interface(
        name: link.name, id: id.flatMap { $0 == UInt16.max ? nil : UInt16(clamping: $0) })
    }
    let node = number(Sysctl(path: "net/ipv6/ioam6_id"))
    return RouterTracing(
      node: node.flatMap { $0 == 0xff_ffff ? nil : UInt32(clamping: $0) }, interfaces: interfaces,
      namespaces: try? namespaces())
  }

  private static func number(_ setting: Sysctl?) -> Int? {
    (try? setting?.read()).flatMap { Int($0) }
  }

  // MARK: Generic netlink, <linux/genetlink.h> and <linux/ioam6_genl.h>

  private static let controller: UInt16 = 0x10
  private enum Command {
    static let getFamily: UInt8 = 3
    static let listNamespaces: UInt8 = 3
  }
  private enum Attribute {
    static let familyID: UInt16 = 1
    static let familyName: UInt16 = 2
    static let namespace: UInt16 = 1
  }
  /// Octets of the header: the command, its version, and nothing.
  private static let header = 4

  /// The namespaces of IOAM. Throws where it may not be asked (it takes CAP_NET_ADMIN).
  private static func namespaces() throws(KernelError) -> [UInt16] {
    let attempt = "list the namespaces of IOAM"
    var kernel = try NetlinkConversation(with: .generic, attempt: attempt)
    let name = NetlinkAttribute(Attribute.familyName, string: "IOAM6")
    let family = try kernel.ask(
      NetlinkMessage(
        type: controller, payload: [Command.getFamily, 1, 0, 0] + [name].bytes), attempt: attempt)
    try kernel.check(family, attempt: attempt)
    guard
      let attributes = try? NetlinkAttribute.all(in: family.payload, from: header),
      let octets = attributes[type: Attribute.familyID]?.value, octets.count == 2
    else { return [] }
    let id = UInt16(octets[0]) | UInt16(octets[1]) << 8
    let list = try kernel.dump(
      NetlinkMessage(type: id, payload: [Command.listNamespaces, 1, 0, 0]), attempt: attempt)
    return list.compactMap { message in
      guard let attributes = try? NetlinkAttribute.all(in: message.payload, from: header),
        let octets = attributes[type: Attribute.namespace]?.value, octets.count == 2
      else { return nil }
      return UInt16(octets[0]) | UInt16(octets[1]) << 8
    }.sorted()
  }
}
