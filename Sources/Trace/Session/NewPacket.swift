internal import Wire

/// Tells the message of a packet's first hook from those of its others, without reading either.
enum NewPacket {
  /// Octets of a message that have to be there.
  static let looked = 36
  /// Octets that are looked at, where there are as many: as far as the number of an ICMPv6 message behind all attributes
  /// that the kernel puts before the packet, and an extension header.
  static let lookedMost = 256

  /// Whether an NFLOG message, as the kernel sends it behind its netlink header, is the first of a packet: where it
  /// arrives, before conntrack and all chains, or where this host made it. What comes back by the loopback device is
  /// none that begins, nor do those count by which neighbours and routers find each other, and of which `show` does not tell.
  ///
  /// The kernel puts the hook before the prefix, and the interface behind that: __build_packet_message() in
  /// net/netfilter/nfnetlink_log.c.
  static func isBegun(by message: ArraySlice<UInt8>) -> Bool {
    guard message.count >= looked else { return false }
    let at = message.startIndex
    // The packet's header (NFULA_PACKET_HDR, 1), then the prefix (NFULA_PREFIX, 10).
    guard message[at + 4] == 8, message[at + 6] == 1, message[at + 14] == 10 else { return false }
    let length = Int(message[at + 12]) - 5
    guard message[at + 13] == 0, length == 6 || length == 10 else { return false }
    let prefix = message[(at + 16)..<(at + 16 + length)]
    if prefix.elementsEqual("OUTPUT".utf8) { return !isDiscovery(message) }
    guard prefix.elementsEqual("PREROUTING".utf8) else { return false }
    // The interface it came in by (NFULA_IFINDEX_INDEV, 4): the loopback device is the first of any namespace.
    let isLoopback =
      message[at + 30] == 4 && message[(at + 32)..<(at + 36)].elementsEqual([0, 0, 0, 1])
    return !isLoopback && !isDiscovery(message)
  }

  /// Whether it is about a packet of neighbour discovery (RFC 4861) or multicast listener discovery (RFC 2710, RFC 3810).
  private static func isDiscovery(_ message: ArraySlice<UInt8>) -> Bool {
    // nfgen_family, AF_INET6. The packet is the last attribute (NFULA_PAYLOAD, 9).
    guard message[message.startIndex] == 10 else { return false }
    var at = message.startIndex + 4
    while at + 4 <= message.endIndex {
      let length = Int(message[at]) | Int(message[at + 1]) << 8
      if message[at + 2] == 9 { return isDiscovery(packet: message[(at + 4)...]) }
      guard length >= 4 else { return false }
      at += (length + 3) & ~3
    }
    return false
  }

  private static func isDiscovery(packet: ArraySlice<UInt8>) -> Bool {
    let start = packet.startIndex
    guard packet.count > 48 else { return false }
    var (next, header) = (packet[start + 6], start + 40)
    if next == 0 { (next, header) = (packet[header], header + (Int(packet[header + 1]) + 1) * 8) }
    guard next == 58, header < packet.endIndex else { return false }
    return (130...136).contains(packet[header]) || packet[header] == 143
  }
}

extension Record {
  /// Whether it is the message of a packet's first hook.
  package var beginsPacket: Bool {
    if case .log(let message) = content { NewPacket.isBegun(by: message[...]) } else { false }
  }
}
