// The classic capture file: https://datatracker.ietf.org/doc/html/draft-ietf-opsawg-pcap
//
//  The file header, 24 octets                The header of a packet, 16 octets
//  +-------------------------------+         +-------------------------------+
//  |             magic             |         |      seconds since 1970       |
//  +---------------+---------------+         +-------------------------------+
//  |    major 2    |    minor 4    |         |  micro- or nanoseconds more   |
//  +---------------+---------------+         +-------------------------------+
//  |           reserved            |         |        octets captured        |
//  +-------------------------------+         +-------------------------------+
//  |           reserved            |         |       octets on the wire      |
//  +-------------------------------+         +-------------------------------+
//  |     snap length in octets     |         |     data, without padding     |
//  +---------------+---------------+         +-------------------------------+
//  |   FCS bits    |   link type   |
//  +---------------+---------------+
//
// The magic tells the byte order and whether times are in micro- or nanoseconds.

/// A classic capture file, for programs that do not read pcapng with several link types. It is
/// written little-endian with times in nanoseconds.
package enum PcapFile {
  static let microseconds: UInt32 = 0xa1b2_c3d4
  static let nanoseconds: UInt32 = 0xa1b2_3c4d
  static let headerLength = 24
  static let recordHeaderLength = 16

  /// What the file begins with. `snapLength` is in octets: libpcap wants one that is not 0.
  package static func header(linkType: LinkType, snapLength: UInt32 = 262_144) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.append(littleEndian: nanoseconds)
    bytes.append(littleEndian: 2 as UInt16)
    bytes.append(littleEndian: 4 as UInt16)
    bytes.append(littleEndian: 0 as UInt64)
    bytes.append(littleEndian: snapLength)
    bytes.append(littleEndian: UInt32(linkType.rawValue))
    return bytes
  }

  /// One packet. Its interface, direction and comment have no place in this format; a time after
  /// February 2106 is written as the last second that has one.
  package static func record(_ packet: CapturedPacket) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(recordHeaderLength + packet.data.count)
    bytes.append(littleEndian: UInt32(clamping: packet.time / 1_000_000_000))
    bytes.append(littleEndian: UInt32(packet.time % 1_000_000_000))
    bytes.append(littleEndian: UInt32(clamping: packet.data.count))
    bytes.append(littleEndian: UInt32(clamping: packet.originalLength))
    bytes += packet.data
    return bytes
  }
}
