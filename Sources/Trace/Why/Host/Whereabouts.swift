package import Wire

/// What other network namespaces of this machine know of an address that is looked for behind an interface here, and of which
/// nobody answers.
package struct Whereabouts: Sendable, Equatable, JSONObject {
  /// The address.
  package var address: IPAddress
  /// The interface here behind which it is looked for.
  package var behind: String
  /// Interfaces that have it, and belong to the one here.
  package var owners: [AddressOwner] = []
  /// The other end of the one here; nil where that is in no other namespace.
  package var end: FarEnd?

  /// One of which nothing more is known.
  package init(_ address: IPAddress, behind: String) {
    self.address = address
    self.behind = behind
  }

  static var blank: Whereabouts { Whereabouts(.v4(0), behind: "") }

  mutating func members(_ json: inout JSONMembers) {
    json.member("address", &address)
    json.member("behind", &behind)
    json.member("end", &end)
    json.member("owners", &owners)
  }

  /// As JSON, on a line.
  package var json: String { asJSON.line }

  /// What was written so; nil for anything else.
  package init?(json: String) { self.init(text: json) }
}

extension LostPacket {
  /// What is known of the far side of the interface by which the next hop was asked for in vain. A cause that looks at it needs
  /// `.neighbours`, `.plainRoute` and `.host(.whereabouts)`.
  var whereabouts: Whereabouts? {
    guard let (hop, _, device) = silentHop else { return nil }
    return snapshot.host.whereabouts?.last { $0.address == hop && $0.behind == device }
  }

  /// The other end of that interface, and what says that it was asked.
  var farEnd: (asked: Whereabouts, end: FarEnd, evidence: [Evidence])? {
    guard let (hop, neighbour, device) = silentHop, let asked = whereabouts, let end = asked.end
    else {
      return nil
    }
    return (asked, end, [.neighbour(hop, device: device, neighbour.state)] + reasonEvidence)
  }

  /// The next hop, where it was asked for in vain, and by which interface.
  var silentHop: (hop: IPAddress, neighbour: NeighbourMessage, device: String)? {
    guard stage == .output, let route = onwardRoute, let hop = nextHop,
      let neighbour = snapshot.addresses.neighbour(hop, on: route.outputInterface),
      !neighbour.state.isDisjoint(with: [.incomplete, .failed])
    else { return nil }
    return (hop, neighbour, snapshot.name(neighbour.interface) ?? "?")
  }
}
