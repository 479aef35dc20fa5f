/// A frame by which a host asks who has an address: ARP (RFC 826), or a neighbour solicitation (RFC 4861 section
/// 7.2.2). As a rule the asker does not say that it has an address itself (an ARP probe of RFC 5227 section 2.1.1, a
/// solicitation from the unspecified address of RFC 4862 section 5.4.2): then nobody who hears it notes anything about
/// the asker.
package struct NeighbourQuestion: Sendable {
  /// Who is asked for.
  package let target: IPAddress
  /// The asker's link-layer address, to which an ARP answer goes.
  package let asker: HardwareAddress

  /// The asker's own address, if it says it.
  package let sender: IPAddress?

  /// Asks for this address.
  package init(for target: IPAddress, from asker: HardwareAddress, at sender: IPAddress? = nil) {
    self.target = target
    self.asker = asker
    self.sender = sender
  }

  /// Looks for who has this address. In IPv6 who asks without an address of his own is about to take it himself, and whoever
  /// is doing that as well would give it up for that (RFC 4862, section 5.4.3): it is asked from an address of the asker's on
  /// its link, `own`, or else from the one that a host with this link-layer address has there.
  package init(searching target: IPAddress, as asker: HardwareAddress, at own: IPAddress? = nil) {
    self.init(for: target, from: asker, at: target.family == 6 ? own ?? asker.linkLocal : nil)
  }

  private static let arp: [UInt8] = [0x08, 0x06]
  private static let ipv6: [UInt8] = [0x86, 0xdd]

  /// The whole Ethernet frame.
  package var frame: [UInt8] {
    switch target {
    case .v4:
      let everybody: [UInt8] = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff]
      // Ethernet, IPv4, six and four octets, a request: RFC 826.
      let request: [UInt8] = [0, 1, 8, 0, 6, 4, 0, 1]
      return everybody + asker.bytes + Self.arp + request + asker.bytes
        + (sender?.bytes ?? [0, 0, 0, 0])
        + [0, 0, 0, 0, 0, 0] + target.bytes
    case .v6:
      // The solicited-node address of the target: RFC 4291 section 2.7.1.
      let last = Array(target.bytes.suffix(3))
      let group: [UInt8] = [0xff, 2] + Array(repeating: 0, count: 9) + [1, 0xff] + last
      var message: [UInt8] = [135, 0, 0, 0, 0, 0, 0, 0] + target.bytes
      let source = sender?.bytes ?? [UInt8](repeating: 0, count: 16)
      // The source's link-layer address, an option that who has no address leaves out.
      if sender != nil { message += [1, 1] + asker.bytes }
      let sum = InternetChecksum.of(
        source + group + [0, 0, 0, UInt8(message.count), 0, 0, 0, 58] + message)
      message[2] = UInt8(sum >> 8)
      message[3] = UInt8(sum & 0xff)
      let header: [UInt8] = [0x60, 0, 0, 0, 0, UInt8(message.count), 58, 255]
      return [0x33, 0x33, 0xff] + last + asker.bytes + Self.ipv6 + header + source + group + message
    }
  }

  /// Who answers this question, if the frame is an answer to it.
  package func answer(in frame: [UInt8]) -> HardwareAddress? {
    guard frame.count >= 14 else { return nil }
    let (type, rest) = (Array(frame[12..<14]), Array(frame[14...]))
    switch target {
    case .v4:
      guard type == Self.arp, rest.count >= 28, rest[6] == 0, rest[7] == 2,
        Array(rest[14..<18]) == target.bytes
      else { return nil }
      return HardwareAddress(Array(rest[8..<14]))
    case .v6:
      // A neighbour advertisement with the target's link-layer address: RFC 4861 section 4.4.
      guard type == Self.ipv6, rest.count >= 72, rest[6] == 58, rest[40] == 136,
        Array(rest[48..<64]) == target.bytes, rest[64] == 2
      else { return nil }
      return HardwareAddress(Array(rest[66..<72]))
    }
  }
}
