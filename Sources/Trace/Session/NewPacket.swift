internal import Wire

/// Tells the message of a packet's first hook from those of its others, without reading either.
enum NewPacket {
  /// Octets of a message that are looked at.
  static let looked = 36

  /// Whether an NFLOG message, as the kernel sends it behind its netlink header, is the first of a packet: where it
  /// arrives, before conntrack and all chains, or where this host made it. What comes back by the loopback device is
  /// none that begins.
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
    if prefix.elementsEqual("OUTPUT".utf8) { return true }
    guard prefix.elementsEqual("PREROUTING".utf8) else { return false }
    // The interface it came in by (NFULA_IFINDEX_INDEV, 4): the loopback device is the first of any namespace.
    let isLoopback =
      message[at + 30] == 4 && message[(at + 32)..<(at + 36)].elementsEqual([0, 0, 0, 1])
    return !isLoopback
  }
}

extension Record {
  /// Whether it is the message of a packet's first hook.
  package var beginsPacket: Bool {
    if case .log(let message) = content { NewPacket.isBegun(by: message[...]) } else { false }
  }
}
