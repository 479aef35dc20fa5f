extension Packet {
  /// The octets of an IP packet with the right checksum of TCP or UDP: of what was captured where it was sent, the
  /// interface was still to make it. Other packets stay as they are.
  package static func withChecksum(_ octets: [UInt8]) -> [UInt8] {
    guard let first = octets.first, let packet = try? Packet(octets), packet.fragment == nil else {
      return octets
    }
    let header = first >> 4 == 4 ? Int(first & 15) * 4 : 40
    let place = packet.proto == .tcp ? 16 : 6
    let next = first >> 4 == 4 ? packet.proto.rawValue : octets[6]
    guard packet.proto == .tcp || packet.proto == .udp, next == packet.proto.rawValue,
      octets.count >= header + place + 2
    else { return octets }
    var octets = octets
    (octets[header + place], octets[header + place + 1]) = (0, 0)
    let count = octets.count - header
    var checksum = InternetChecksum()
    checksum.add(packet.source.bytes + packet.destination.bytes)
    checksum.add([
      0, 0, UInt8(truncatingIfNeeded: count >> 8), UInt8(truncatingIfNeeded: count), 0, 0, 0,
      packet.proto.rawValue,
    ])
    checksum.add(Array(octets[header...]))
    let value = checksum.value == 0 && packet.proto == .udp ? 0xffff : checksum.value
    octets[header + place] = UInt8(value >> 8)
    octets[header + place + 1] = UInt8(truncatingIfNeeded: value)
    return octets
  }
}
