internal import Glibc
package import Trace
package import Wire

/// Finds out which other network namespace of this machine has an address, on an interface that belongs to one of the calling
/// thread's namespace: others may have the same address, and nothing to do with it.
package enum AddressOwners {
  /// Namespaces that are looked into, at most.
  private static let most = 512

  /// The interfaces that have it. `device` is the interface of the calling thread's namespace behind which it was looked for. Takes the
  /// right to enter the others (CAP_SYS_ADMIN); those that cannot be entered are passed over.
  package static func find(_ address: IPAddress, behind device: String) -> [AddressOwner] {
    guard let home = try? NetworkNamespace.current(), var routes = try? RouteSocket(),
      let asking = try? routes.link(device)
    else { return [] }
    var owners: [AddressOwner] = []
    for found in NamespaceSurvey().found.prefix(most) where found.identity != home.identity {
      guard let space = try? found.open(),
        let (link, number) = try? space.within({ () throws(KernelError) in
          var there = try RouteSocket()
          return try holder(of: address, seenFrom: home, &there)
        }),
        let relation = try? relation(
          of: link, isLinkedHere: number != nil && number == link.linkNamespace, to: asking,
          in: space,
          &routes)
      else { continue }
      owners.append(
        AddressOwner(
          address, behind: device, namespace: found.call, device: link.name, kind: link.kind,
          isUp: link.flags.contains(.up), relation: relation))
    }
    return owners
  }

  /// The interface of a namespace that has the address, and by which number that namespace knows the one of who asks.
  private static func holder(
    of address: IPAddress, seenFrom home: borrowing NetworkNamespace, _ there: inout RouteSocket
  ) throws(KernelError) -> (LinkMessage, Int32?)? {
    let index = try there.addresses().first { $0.local.address == address }?.interface
    guard let index, let link = try there.link(index) else { return nil }
    return (link, try there.number(of: home))
  }

  /// How an interface of another namespace belongs to the one of who asks; nil where it does not.
  private static func relation(
    of link: LinkMessage, isLinkedHere: Bool, to asking: LinkMessage,
    in space: borrowing NetworkNamespace, _ routes: inout RouteSocket
  ) throws(KernelError) -> AddressOwner.Relation? {
    if isLinkedHere, let index = link.link {
      if index == asking.index { return link.kind == "veth" ? .connected : .above }
      let end = try routes.link(index)
      if let end, end.master == asking.index { return .connected }
    }
    if asking.link == link.index, let number = asking.linkNamespace,
      try routes.number(of: space) == number
    {
      return .below
    }
    return nil
  }
}
