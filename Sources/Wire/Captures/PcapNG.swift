// pcapng, written: https://datatracker.ietf.org/doc/html/draft-ietf-opsawg-pcapng
//
// Everything is written little-endian, with times in nanoseconds. All blocks have one frame
// (section 3.1), and most end with options (section 3.5):
//
//   0                   1                   2                   3
//   0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//  +---------------------------------------------------------------+
//  |                              type                             |
//  +---------------------------------------------------------------+
//  |          length of the block, these 12 octets included        |
//  +---------------------------------------------------------------+
//  |                   body, padded to four octets                 |
//  +---------------------------------------------------------------+
//  |                     the same length again                     |
//  +---------------------------------------------------------------+
//
//  +-------------------------------+-------------------------------+
//  |          option code          |      length of its value      |
//  +-------------------------------+-------------------------------+
//  |                  value, padded to four octets                 |
//  +---------------------------------------------------------------+

/// The numbers of the specification that reading and writing share.
enum PcapNG {
  static let sectionHeader: UInt32 = 0x0a0d_0d0a
  static let interfaceDescription: UInt32 = 1
  static let simplePacket: UInt32 = 3
  static let interfaceStatistics: UInt32 = 5
  static let enhancedPacket: UInt32 = 6

  static let byteOrderMagic: UInt32 = 0x1a2b_3c4d
  /// Octets of a block that are not its body.
  static let frameLength = 12
  /// The longest block that is read, in octets: Wireshark has the same limit.
  static let maximumBlockLength = 16 << 20

  /// The longest text one option is given, in octets; a multiple of 4 under the 65535 that fit.
  static let chunkLength = 65532
  /// Whether a comment of this length, in octets, goes on in the next comment option. The cut is
  /// made at the last character that fits, and a character has four octets at most.
  static func isContinued(_ length: Int) -> Bool { length > chunkLength - 4 }

  enum Option {
    static let end: UInt16 = 0
    static let comment: UInt16 = 1
    static let hardware: UInt16 = 2
    static let os: UInt16 = 3
    static let application: UInt16 = 4
    static let interfaceName: UInt16 = 2
    static let interfaceDescription: UInt16 = 3
    static let timeResolution: UInt16 = 9
    static let timeOffset: UInt16 = 14
    static let packetFlags: UInt16 = 2
    static let received: UInt16 = 4
    static let dropped: UInt16 = 5
  }
}

extension CaptureBlock {
  /// The block as pcapng, little-endian. An unknown block is nothing: what it held was not kept.
  ///
  /// A comment of any length is written, as several comment options where one cannot hold it: each
  /// is cut between two characters, has 65529 to 65532 octets and goes on in the next, which may
  /// be empty. Other texts are cut at 65532 octets. A block of more than 16 MiB is written too, but
  /// neither Wireshark nor `CaptureDecoder` reads it.
  package var bytes: [UInt8] {
    switch self {
    case .section(let section): section.bytes
    case .interface(let interface): interface.bytes
    case .packet(let packet): packet.bytes
    case .statistics(let statistics): statistics.bytes
    case .unknown: []
    }
  }
}

// Section Header Block, section 4.1. The section's length is left open (-1).
//
//  +---------------------------------------------------------------+
//  |                    byte-order magic 1a2b3c4d                  |
//  +-------------------------------+-------------------------------+
//  |        major version 1        |        minor version 0        |
//  +-------------------------------+-------------------------------+
//  |                 length of the section or -1                   |
//  |                                                               |
//  +---------------------------------------------------------------+
//  |                            options                            |
//  +---------------------------------------------------------------+
extension CaptureSection {
  fileprivate var bytes: [UInt8] {
    var writer = BlockWriter(PcapNG.sectionHeader)
    writer.bytes.append(littleEndian: PcapNG.byteOrderMagic)
    writer.bytes.append(littleEndian: 1 as UInt16)
    writer.bytes.append(littleEndian: 0 as UInt16)
    writer.bytes.append(littleEndian: UInt64.max)
    writer.option(PcapNG.Option.hardware, text: hardware)
    writer.option(PcapNG.Option.os, text: os)
    writer.option(PcapNG.Option.application, text: application)
    for comment in comments { writer.comment(comment) }
    return writer.finished()
  }
}

// Interface Description Block, section 4.2.
//
//  +-------------------------------+-------------------------------+
//  |           link type           |            reserved           |
//  +-------------------------------+-------------------------------+
//  |                 snap length in octets; 0: no limit            |
//  +---------------------------------------------------------------+
//  |                            options                            |
//  +---------------------------------------------------------------+
extension CaptureInterface {
  fileprivate var bytes: [UInt8] {
    var writer = BlockWriter(PcapNG.interfaceDescription)
    writer.bytes.append(littleEndian: linkType.rawValue)
    writer.bytes.append(littleEndian: 0 as UInt16)
    writer.bytes.append(littleEndian: snapLength)
    writer.option(PcapNG.Option.interfaceName, text: name)
    writer.option(PcapNG.Option.interfaceDescription, text: description)
    writer.option(PcapNG.Option.timeResolution, 9 as UInt8)
    writer.comment(comment)
    return writer.finished()
  }
}

// Enhanced Packet Block, section 4.3.
//
//  +---------------------------------------------------------------+
//  |                           interface                           |
//  +---------------------------------------------------------------+
//  |              time since 1970, upper 32 of 64 bits             |
//  +---------------------------------------------------------------+
//  |              time since 1970, lower 32 of 64 bits             |
//  +---------------------------------------------------------------+
//  |                         octets captured                       |
//  +---------------------------------------------------------------+
//  |                        octets on the wire                     |
//  +---------------------------------------------------------------+
//  |                   data, padded to four octets                 |
//  +---------------------------------------------------------------+
//  |                            options                            |
//  +---------------------------------------------------------------+
extension CapturedPacket {
  fileprivate var bytes: [UInt8] {
    var writer = BlockWriter(PcapNG.enhancedPacket, capacity: data.count + 64)
    writer.bytes.append(littleEndian: UInt32(clamping: interface))
    writer.bytes.append(pcapNGTime: time)
    writer.bytes.append(littleEndian: UInt32(clamping: data.count))
    writer.bytes.append(littleEndian: UInt32(clamping: originalLength))
    writer.bytes += data
    writer.bytes.pad(to: 4)
    if let direction { writer.option(PcapNG.Option.packetFlags, direction.rawValue) }
    writer.comment(comment)
    return writer.finished()
  }
}

// Interface Statistics Block, section 4.6.
//
//  +---------------------------------------------------------------+
//  |                           interface                           |
//  +---------------------------------------------------------------+
//  |              time since 1970, upper 32 of 64 bits             |
//  +---------------------------------------------------------------+
//  |              time since 1970, lower 32 of 64 bits             |
//  +---------------------------------------------------------------+
//  |                            options                            |
//  +---------------------------------------------------------------+
extension CaptureStatistics {
  fileprivate var bytes: [UInt8] {
    var writer = BlockWriter(PcapNG.interfaceStatistics)
    writer.bytes.append(littleEndian: UInt32(clamping: interface))
    writer.bytes.append(pcapNGTime: time)
    if let received { writer.option(PcapNG.Option.received, received) }
    if let dropped { writer.option(PcapNG.Option.dropped, dropped) }
    writer.comment(comment)
    return writer.finished()
  }
}

/// One block being written. Its length is known, and filled in, at the end.
private struct BlockWriter {
  var bytes: [UInt8] = []
  private var hasOptions = false

  init(_ type: UInt32, capacity: Int = 64) {
    bytes.reserveCapacity(capacity)
    bytes.append(littleEndian: type)
    bytes.append(littleEndian: 0 as UInt32)
  }

  private mutating func option(_ code: UInt16, _ value: some Collection<UInt8>) {
    bytes.append(littleEndian: code)
    bytes.append(littleEndian: UInt16(value.count))
    bytes += value
    bytes.pad(to: 4)
    hasOptions = true
  }

  mutating func option<T: FixedWidthInteger>(_ code: UInt16, _ value: T) {
    var octets: [UInt8] = []
    octets.append(littleEndian: value)
    option(code, octets)
  }

  mutating func option(_ code: UInt16, text: String?) {
    guard let text else { return }
    option(code, Array(text.utf8)[...].characters(upTo: PcapNG.chunkLength))
  }

  mutating func comment(_ text: String?) {
    guard let text else { return }
    var rest = Array(text.utf8)[...]
    while true {
      let chunk = rest.characters(upTo: PcapNG.chunkLength)
      option(PcapNG.Option.comment, chunk)
      rest = rest[chunk.endIndex...]
      if !PcapNG.isContinued(chunk.count) { return }
    }
  }

  consuming func finished() -> [UInt8] {
    if hasOptions { bytes.append(littleEndian: 0 as UInt32) }
    var length: [UInt8] = []
    length.append(littleEndian: UInt32(clamping: bytes.count + 4))
    bytes.replaceSubrange(4..<8, with: length)
    bytes += length
    return bytes
  }
}

extension Array where Element == UInt8 {
  /// Appends a time: the upper half goes first, whatever the byte order.
  fileprivate mutating func append(pcapNGTime time: UInt64) {
    append(littleEndian: UInt32(time >> 32))
    append(littleEndian: UInt32(truncatingIfNeeded: time))
  }
}

extension ArraySlice where Element == UInt8 {
  /// The most whole UTF-8 characters from the start that `limit` octets hold.
  fileprivate func characters(upTo limit: Int) -> ArraySlice<UInt8> {
    guard count > limit else { return self }
    var end = startIndex + limit
    while end > startIndex, self[end] & 0xc0 == 0x80 { end -= 1 }
    return self[startIndex..<end]
  }
}
