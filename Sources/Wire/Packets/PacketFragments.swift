/// A packet cut into fragments, as its sender does: RFC 791 section 3.2, RFC 8200 section 4.5.
package enum PacketFragments {
  /// The fragments of a packet, each of so many octets at most: the packet itself if it fits, or is too short to be one.
  /// `identification` is theirs in IPv6; in IPv4 the packet has one.
  package static func of(
    _ packet: [UInt8], atMost most: Int, identification: UInt32
  ) -> [[UInt8]] {
    let isIPv4 = (packet.first ?? 0) >> 4 == 4
    // A hop-by-hop header is in all fragments.
    let hasHops = !isIPv4 && packet.count >= 48 && packet[6] == 0
    let header =
      isIPv4 ? Int(packet[0] & 15) * 4 : 40 + (hasHops ? (Int(packet[41]) + 1) * 8 : 0)
    let nextHeader = hasHops ? 40 : 6
    let extra = isIPv4 ? 0 : 8
    let room = (most - header - extra) / 8 * 8
    guard packet.count > most, packet.count > header, room > 0 else { return [packet] }
    return stride(from: header, to: packet.count, by: room).map { start in
      let end = min(start + room, packet.count)
      let place = start - header
      let isLast = end == packet.count
      var fragment = Array(packet[..<header])
      if isIPv4 {
        let field = UInt16(truncatingIfNeeded: place / 8) | (isLast ? 0 : 0x2000)
        set(&fragment, at: 2, UInt16(truncatingIfNeeded: header + end - start))
        set(&fragment, at: 6, field)
        set(&fragment, at: 10, 0)
        set(&fragment, at: 10, InternetChecksum.of(fragment))
      } else {
        let next = fragment[nextHeader]
        set(&fragment, at: 4, UInt16(truncatingIfNeeded: header - 40 + extra + end - start))
        fragment[nextHeader] = 44
        fragment += [next, 0]
        fragment.append(bigEndian: UInt16(truncatingIfNeeded: place) | (isLast ? 0 : 1))
        fragment.append(bigEndian: identification)
      }
      return fragment + packet[start..<end]
    }
  }

  private static func set(_ octets: inout [UInt8], at place: Int, _ value: UInt16) {
    octets[place] = UInt8(value >> 8)
    octets[place + 1] = UInt8(truncatingIfNeeded: value)
  }
}
