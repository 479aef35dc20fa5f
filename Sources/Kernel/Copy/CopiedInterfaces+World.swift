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
    return stations
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
