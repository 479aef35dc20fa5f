/// Where things are in a packet that lies in a buffer: found without copying any of it, for packets
/// that are looked at by the hundred thousand. `Packet` says what they mean.
package struct PacketLayout: Sendable, Equatable {
  /// 4 or 6.
  package let version: Int
  /// Octets of the packet.
  package let count: Int
  /// The transport protocol's number; in IPv6 what follows the extension headers.
  package private(set) var proto: UInt8
  /// Where the transport header begins, or would; all octets up to there are in the buffer.
  package private(set) var transport: Int
  /// Which part of a packet this is.
  package private(set) var part = Part.whole
  /// What all fragments of a packet share; 0 in a whole one.
  package private(set) var fragmentID: UInt32 = 0
  /// Whether the destination in the IP header is the next stop of a source route, and not what the
  /// transport's checksum was made for (RFC 8200 section 8.1, RFC 791 on LSRR).
  package private(set) var isSourceRouted = false
  /// Whether a signature covers the addresses (AH, RFC 4302).
  package private(set) var isSigned = false

  /// Part of a packet.
  package enum Part: Sendable, Equatable {
    case whole, firstFragment, laterFragment
  }

  /// The layout of the packet in the first `count` octets of `bytes`; nil if its IP header is not
  /// one, or if the packet is longer than that.
  package init?(_ bytes: [UInt8], count: Int) {
    guard count >= 20, count <= bytes.count else { return nil }
    let first = bytes[0]
    if first >> 4 == 4 {
      let header = Int(first & 15) * 4
      let length = Int(bytes.number(at: 2) as UInt16)
      guard header >= 20, header <= length, length <= count else { return nil }
      version = 4
      self.count = length
      proto = bytes[9]
      transport = header
      let flags: UInt16 = bytes.number(at: 6)
      if flags & 0x3fff != 0 {
        part = flags & 0x1fff == 0 ? .firstFragment : .laterFragment
        fragmentID = UInt32(bytes.number(at: 4) as UInt16)
      }
      if header > 20 { isSourceRouted = Self.hasRoute(bytes, header) }
      isSigned = proto == 51
    } else if first >> 4 == 6 {
      let length = 40 + Int(count >= 40 ? bytes.number(at: 4) as UInt16 : .max)
      guard length <= count else { return nil }
      version = 6
      self.count = length
      proto = bytes[6]
      transport = 40
      skipExtensions(bytes)
      isSigned = proto == 51
    } else {
      return nil
    }
  }

  /// Whether there is a loose or strict source route among IPv4's options that has stops left.
  private static func hasRoute(_ bytes: [UInt8], _ end: Int) -> Bool {
    var at = 20
    while at < end {
      switch bytes[at] {
      case 0: return false
      case 1: at += 1
      default:
        guard at + 1 < end, bytes[at + 1] >= 2 else { return false }
        let length = Int(bytes[at + 1])
        if bytes[at] == 131 || bytes[at] == 137 {
          return at + 2 < end && Int(bytes[at + 2]) <= length
        }
        at += length
      }
    }
    return false
  }

  /// RFC 8200 section 4: hop-by-hop, routing, destination options, fragment.
  private mutating func skipExtensions(_ bytes: [UInt8]) {
    while [0, 43, 60, 44].contains(proto), transport + 8 <= count {
      let next = bytes[transport]
      if proto == 44 {
        let place: UInt16 = bytes.number(at: transport + 2)
        fragmentID = bytes.number(at: transport + 4)
        transport += 8
        proto = next
        // A fragment that is all there is (RFC 6946) is as good as a whole packet.
        if place & 0xfff9 == 0 { continue }
        part = place & 0xfff8 == 0 ? .firstFragment : .laterFragment
        if part == .laterFragment { return }
      } else {
        let size = (Int(bytes[transport + 1]) + 1) * 8
        if proto == 43, bytes[transport + 3] > 0 { isSourceRouted = true }
        guard transport + size <= count else { return }
        transport += size
        proto = next
      }
    }
  }

  /// Where the source address begins; the destination follows it.
  package var addresses: Int { version == 4 ? 12 : 8 }
  /// Octets of an address.
  package var addressLength: Int { version == 4 ? 4 : 16 }
  /// Where TTL or hop limit is.
  package var ttl: Int { version == 4 ? 8 : 7 }

  /// Whether the ports of TCP or UDP can be read.
  package var hasPorts: Bool {
    (proto == 6 || proto == 17) && part != .laterFragment && transport + 4 <= count
  }

  /// Where the transport's checksum is; nil where there is none that covers addresses or ports, or
  /// it is in another fragment.
  package var checksum: Int? {
    guard part != .laterFragment else { return nil }
    let offset: Int
    switch proto {
    case 6: offset = 16
    case 17, 136, 33: offset = 6
    case 58 where version == 6: offset = 2
    default: return nil
    }
    return transport + offset + 2 <= count ? transport + offset : nil
  }

  /// Whether the packet asks for an echo (RFC 792, RFC 4443 section 4.1) and can be answered.
  package func isEchoRequest(_ bytes: [UInt8]) -> Bool {
    guard part != .laterFragment, transport + 8 <= count, !isSourceRouted else { return false }
    return version == 4
      ? proto == 1 && bytes[transport] == 8 && bytes[transport + 1] == 0
      : proto == 58 && bytes[transport] == 128 && bytes[transport + 1] == 0 && bytes[24] != 0xff
  }
}

extension [UInt8] {
  /// The integer in network byte order that begins at `offset`, which must be there whole.
  @inlinable func number<T: FixedWidthInteger>(at offset: Int) -> T {
    var value: T = 0
    for index in offset..<offset + T.bitWidth / 8 {
      value = value << 8 | T(truncatingIfNeeded: self[index])
    }
    return value
  }
}
