internal import Glibc
internal import Wire

// What is behind interfaces, as the original knows it.
extension CopiedInterfaces {
  /// Who was seen or found behind which port of a bridge, by the numbers of the other ends.
  func stations(_ sought: SoughtNeighbours) -> KnownStations {
    var stations = KnownStations()
    for link in links.map(\.message) {
      if let bridge = link.master { stations.add(port: link.index &+ Self.otherEnd, of: bridge) }
    }
    for message in neighbours where message.payload.count >= 12 {
      guard let attributes = try? NetlinkAttribute.all(in: message.payload, from: 12),
        // NDA_LLADDR, and of IP's NDA_DST.
        let hardware = attributes[type: 2]?.value, hardware.count == 6
      else { continue }
      if message.payload[0] == UInt8(AF_BRIDGE) {
        // NUD_PERMANENT without NTF_MASTER: a port's own.
        guard message.payload[8] & 0x80 == 0 else { continue }
        let port = message.payload[4..<8].reversed().reduce(0) { $0 << 8 | UInt32($1) }
        stations.add(hardware, behind: port &+ Self.otherEnd)
      } else if let address = attributes[type: 1].flatMap({ IPAddress(bytes: $0.value) }) {
        stations.add(address, at: hardware)
      }
    }
    for station in sought.found {
      stations.add(station.hardware, behind: station.port &+ Self.otherEnd)
      stations.add(station.address, at: station.hardware)
    }
    for (address, bridge) in sought.absent { stations.add(absent: address, of: bridge) }
    for address in sought.unreturned { stations.add(unreturned: address) }
    stations.refusal = sought.refusal
    if let silent = links.first(where: { $0.message.name == sought.silent }) {
      stations.add(silent: silent.message.index &+ Self.otherEnd)
    }
    for link in links {
      if let hardware = link.message.address { stations.add(own: hardware.bytes) }
    }
    for (prefix, interface) in subnets where !prefix.address.isLinkLocal {
      guard let (link, vlan) = wire(of: interface) else { continue }
      stations.add(own: prefix, on: link, vlan: vlan)
    }
    return stations
  }

  /// Where frames of an interface come out: a bridge, or the number of the other end, and their tag. Nil of what has no
  /// neighbours that ask for each other.
  private func wire(of interface: UInt32) -> (interface: UInt32, vlan: UInt16?)? {
    guard let link = links.first(where: { $0.message.index == interface }),
      link.message.isEthernet, !link.message.flags.contains(.noARP)
    else { return nil }
    switch link.message.kind {
    case "bridge": return (interface, nil)
    case "vlan":
      // IFLA_VLAN_ID. One on another one has two tags.
      guard let number: UInt16 = Self.data(link)[type: 1]?.host(),
        let below = link.message.link.flatMap({ wire(of: $0) }), below.vlan == nil
      else { return nil }
      return (below.interface, number)
    default:
      return reachesOut(link) ? (link.message.master ?? interface &+ Self.otherEnd, nil) : nil
    }
  }

  /// The interfaces whose settings are the same, by what the kernel lists of these: arrays that have them all.
  var alike: [[String]] {
    var groups: [[UInt8]: [String]] = [:]
    for link in links {
      let families = (try? link.attributes[type: 26]?.nested()) ?? []
      // IFLA_AF_SPEC: IFLA_INET_CONF of AF_INET, and IFLA_INET6_CONF of AF_INET6.
      let settings = [(UInt16(AF_INET), UInt16(1)), (UInt16(AF_INET6), 2)].map { family, type in
        ((try? families[type: family]?.nested()) ?? [])[type: type]?.value ?? []
      }
      // An interface of which nothing is listed is like no other.
      let key = settings.contains([]) ? Array(link.message.name.utf8) : settings[0] + settings[1]
      groups[key, default: []].append(link.message.name)
    }
    return Array(groups.values)
  }
}
