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
    var octets: [UInt8] = []
    append(to: &octets)
    return octets
  }

  /// Appends the same octets.
  package func append(to octets: inout [UInt8]) {
    switch self {
    case .section(let section): section.append(to: &octets)
    case .interface(let interface): interface.append(to: &octets)
    case .packet(let packet): packet.append(to: &octets)
    case .statistics(let statistics): statistics.append(to: &octets)
    case .unknown: break
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
  fileprivate func append(to octets: inout [UInt8]) {
    let block = octets.beginBlock(PcapNG.sectionHeader)
    octets.append(littleEndian: PcapNG.byteOrderMagic)
    octets.append(littleEndian: 1 as UInt16)
    octets.append(littleEndian: 0 as UInt16)
    octets.append(littleEndian: UInt64.max)
    let options = octets.count
    octets.append(option: PcapNG.Option.hardware, text: hardware)
    octets.append(option: PcapNG.Option.os, text: os)
    octets.append(option: PcapNG.Option.application, text: application)
    for comment in comments { octets.append(comment: comment) }
    octets.endBlock(block, options: options)
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
  fileprivate func append(to octets: inout [UInt8]) {
    let block = octets.beginBlock(PcapNG.interfaceDescription)
    octets.append(littleEndian: linkType.rawValue)
    octets.append(littleEndian: 0 as UInt16)
    octets.append(littleEndian: snapLength)
    let options = octets.count
    octets.append(option: PcapNG.Option.interfaceName, text: name)
    octets.append(option: PcapNG.Option.interfaceDescription, text: description)
    octets.append(option: PcapNG.Option.timeResolution, number: 9 as UInt8)
    octets.append(comment: comment)
    octets.endBlock(block, options: options)
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
  /// Appends a packet of so many octets of data, which `data` appends: nothing is copied but into `octets`.
  package static func append(
    to octets: inout [UInt8], interface: Int, time: UInt64, count: Int,
    direction: CaptureDirection? = nil, comment: String? = nil, originalLength: Int? = nil,
    data: (inout [UInt8]) -> Void
  ) {
    let block = octets.beginBlock(PcapNG.enhancedPacket)
    octets.append(littleEndian: UInt32(clamping: interface))
    octets.append(pcapNGTime: time)
    octets.append(littleEndian: UInt32(clamping: count))
    octets.append(littleEndian: UInt32(clamping: originalLength ?? count))
    data(&octets)
    octets.padBlock(block)
    let options = octets.count
    if let direction {
      octets.append(option: PcapNG.Option.packetFlags, number: direction.rawValue)
    }
    octets.append(comment: comment)
    octets.endBlock(block, options: options)
  }

  fileprivate func append(to octets: inout [UInt8]) {
    Self.append(
      to: &octets, interface: interface, time: time, count: data.count, direction: direction,
      comment: comment, originalLength: originalLength
    ) { $0 += data }
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
  fileprivate func append(to octets: inout [UInt8]) {
    let block = octets.beginBlock(PcapNG.interfaceStatistics)
    octets.append(littleEndian: UInt32(clamping: interface))
    octets.append(pcapNGTime: time)
    let options = octets.count
    if let received { octets.append(option: PcapNG.Option.received, number: received) }
    if let dropped { octets.append(option: PcapNG.Option.dropped, number: dropped) }
    octets.append(comment: comment)
    octets.endBlock(block, options: options)
  }
}

// A block that is written at the end of octets. It is padded by its own beginning, and its length is known, and filled
// in, at its end.
extension Array where Element == UInt8 {
  /// Begins a block; returns where it stands.
  fileprivate mutating func beginBlock(_ type: UInt32) -> Int {
    let start = count
    append(littleEndian: type)
    append(littleEndian: 0 as UInt32)
    return start
  }

  fileprivate mutating func padBlock(_ start: Int) {
    while (count - start) % 4 != 0 { append(0) }
  }

  /// Ends the block that stands at `start`, and whose options, if there are any, stand at `options`.
  fileprivate mutating func endBlock(_ start: Int, options: Int) {
    if count > options { append(littleEndian: 0 as UInt32) }
    let length = UInt32(clamping: count - start + 4)
    for octet in 0..<4 {
      self[start + 4 + octet] = UInt8(truncatingIfNeeded: length >> (8 * octet))
    }
    append(littleEndian: length)
  }

  private mutating func append(option code: UInt16, _ value: some Collection<UInt8>) {
    append(littleEndian: code)
    append(littleEndian: UInt16(value.count))
    self += value
    for _ in 0..<(4 - value.count % 4) % 4 { append(0) }
  }

  fileprivate mutating func append<T: FixedWidthInteger>(option code: UInt16, number: T) {
    var octets: [UInt8] = []
    octets.append(littleEndian: number)
    append(option: code, octets)
  }

  fileprivate mutating func append(option code: UInt16, text: String?) {
    guard let text else { return }
    append(option: code, Array(text.utf8)[...].characters(upTo: PcapNG.chunkLength))
  }

  fileprivate mutating func append(comment text: String?) {
    guard let text else { return }
    var rest = Array(text.utf8)[...]
    while true {
      let chunk = rest.characters(upTo: PcapNG.chunkLength)
      append(option: PcapNG.Option.comment, chunk)
      rest = rest[chunk.endIndex...]
      if !PcapNG.isContinued(chunk.count) { return }
    }
  }

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
