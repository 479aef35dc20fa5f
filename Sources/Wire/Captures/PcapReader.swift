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
  func packet(
    _ reader: inout ByteReader, of bytes: [UInt8]
  ) throws(WireError) -> CapturedPacket {
    let seconds: UInt32 = try reader.integer(order)
    let units: UInt32 = try reader.integer(order)
    let nanoseconds = UInt64(units) * (1_000_000_000 / unitsPerSecond)
    try reader.skip(4)
    let original: UInt32 = try reader.integer(order)
    return CapturedPacket(
      interface: 0, time: UInt64(seconds) * 1_000_000_000 + nanoseconds,
      data: reader.rest(of: bytes),
      originalLength: Int(original))
  }
}
