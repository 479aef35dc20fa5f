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
public enum PcapFile {
  static let microseconds: UInt32 = 0xa1b2_c3d4
  static let nanoseconds: UInt32 = 0xa1b2_3c4d
  static let headerLength = 24
  static let recordHeaderLength = 16

  /// What the file begins with. `snapLength` is in octets: libpcap wants one that is not 0.
  public static func header(linkType: LinkType, snapLength: UInt32 = 262_144) -> [UInt8] {
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
  public static func record(_ packet: CapturedPacket) -> [UInt8] {
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

/// What must be remembered of a classic capture file from packet to packet.
struct PcapReader: Sendable {
  private var order = ByteOrder.little
  private var unitsPerSecond: UInt64 = 1_000_000

  /// Whether a file may begin with `magic`, read in network byte order.
  static func isMagic(_ magic: UInt32) -> Bool {
    [PcapFile.microseconds, PcapFile.nanoseconds].contains {
      $0 == magic || $0.byteSwapped == magic
    }
  }

  /// The file header as the interface it describes.
  @_lifetime(reader: copy reader)
  mutating func header(_ reader: inout ByteReader) throws(WireError) -> CaptureInterface {
    let magic = try reader.u32()
    let isBig = magic == PcapFile.microseconds || magic == PcapFile.nanoseconds
    order = isBig ? .big : .little
    let isNano = (isBig ? magic : magic.byteSwapped) == PcapFile.nanoseconds
    unitsPerSecond = isNano ? 1_000_000_000 : 1_000_000
    let at = reader.offset
    let major: UInt16 = try reader.integer(order)
    let minor: UInt16 = try reader.integer(order)
    guard major == 2 else {
      throw WireError("pcap version \(major).\(minor) is not known", at: at)
    }
    try reader.skip(8)
    let snapLength: UInt32 = try reader.integer(order)
    let linkType: UInt32 = try reader.integer(order)
    return CaptureInterface(
      linkType: LinkType(rawValue: UInt16(truncatingIfNeeded: linkType)), snapLength: snapLength,
      unitsPerSecond: unitsPerSecond)
  }

  /// Octets of the packet that `reader` is at; nil if too few are there to tell.
  @_lifetime(reader: copy reader)
  func frame(_ reader: inout ByteReader) throws(WireError) -> Int? {
    guard reader.remaining >= PcapFile.recordHeaderLength else { return nil }
    try reader.skip(8)
    let captured: UInt32 = try reader.integer(order)
    let length = PcapFile.recordHeaderLength + Int(captured)
    guard length <= PcapNG.maximumBlockLength else {
      throw WireError("a packet of \(captured) octets is longer than 16 MiB", at: reader.offset - 4)
    }
    return length
  }

  /// The packet of which `reader` holds all octets and no more.
  @_lifetime(reader: copy reader)
  func packet(_ reader: inout ByteReader) throws(WireError) -> CapturedPacket {
    let seconds: UInt32 = try reader.integer(order)
    let units: UInt32 = try reader.integer(order)
    let nanoseconds = UInt64(units) * (1_000_000_000 / unitsPerSecond)
    try reader.skip(4)
    let original: UInt32 = try reader.integer(order)
    return CapturedPacket(
      interface: 0, time: UInt64(seconds) * 1_000_000_000 + nanoseconds, data: reader.rest(),
      originalLength: Int(original))
  }
}
