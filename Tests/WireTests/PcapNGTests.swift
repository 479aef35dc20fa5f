import Testing
import Wire

/// pcapng in either byte order, written as the specification draws it and not by the encoder.
struct BlockBuilder {
  let isBig: Bool

  func int<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
    var bytes: [UInt8] = []
    if isBig { bytes.append(bigEndian: value) } else { bytes.append(littleEndian: value) }
    return bytes
  }

  func option(_ code: UInt16, _ value: [UInt8]) -> [UInt8] {
    var bytes = int(code) + int(UInt16(value.count)) + value
    bytes.pad(to: 4)
    return bytes
  }

  func block(_ type: UInt32, _ body: [UInt8]) -> [UInt8] {
    let length = int(UInt32(body.count + 12))
    return int(type) + length + body + length
  }

  func section(_ options: [UInt8] = [], major: UInt16 = 1) -> [UInt8] {
    block(
      0x0a0d_0d0a, int(0x1a2b_3c4d as UInt32) + int(major) + int(0 as UInt16) + int(-1) + options)
  }

  func interface(
    _ linkType: UInt16, snapLength: UInt32 = 0, _ options: [UInt8] = []
  ) -> [UInt8] {
    block(1, int(linkType) + int(0 as UInt16) + int(snapLength) + options)
  }

  func packet(
    _ interface: UInt32, time: UInt64, _ data: [UInt8], _ options: [UInt8] = []
  ) -> [UInt8] {
    var padded = data
    padded.pad(to: 4)
    let words = [interface, UInt32(time >> 32), UInt32(truncatingIfNeeded: time)]
    let lengths = [UInt32(data.count), UInt32(data.count)]
    return block(6, (words + lengths).flatMap(int) + padded + options)
  }
}

@Suite struct PcapNGTests {
  static let sample: [CaptureBlock] = [
    .section(
      CaptureSection(
        hardware: "x86-64", os: "Linux 6.18", application: "nftrace 1.0",
        comments: ["{\"target\": \"192.0.2.1\"}", "", "zwei: ü"])),
    .interface(CaptureInterface(linkType: .nflog, name: "nflog:7", description: "points")),
    .interface(CaptureInterface(linkType: .netlink, snapLength: 65535, comment: "a\nb")),
    .interface(CaptureInterface(linkType: .raw, name: "nftrace0")),
    .packet(
      CapturedPacket(
        interface: 2, time: 1_700_000_000_123_456_789, data: [0x45, 1, 2, 3, 4],
        originalLength: 84, direction: .outbound, comment: "probe 1")),
    .packet(CapturedPacket(interface: 0, time: 1_700_000_000_123_456_790, data: [])),
    .packet(
      CapturedPacket(
        interface: 2, time: .max, data: [1, 2, 3, 4], direction: .inbound, comment: "")
    ),
    .statistics(
      CaptureStatistics(interface: 0, time: 5, received: 7, dropped: .max, comment: "end")),
    .statistics(CaptureStatistics(interface: 1, time: 6)),
  ]

  @Test func everyKindOfBlockRoundTrips() throws {
    let bytes = Self.sample.flatMap(\.bytes)
    #expect(bytes.count % 4 == 0)
    #expect(try CaptureBlock.all(in: bytes) == Self.sample)
  }

  @Test func blocksAreWrittenAsSpecified() {
    let little = BlockBuilder(isBig: false)
    #expect(
      CaptureBlock.section(CaptureSection(application: "nft")).bytes
        == little.section(little.option(4, Array("nft".utf8)) + little.option(0, [])))
    #expect(
      CaptureBlock.interface(CaptureInterface(linkType: .nflog, name: "n")).bytes
        == little.interface(
          239, little.option(2, Array("n".utf8)) + little.option(9, [9]) + little.option(0, [])))
    let packet = CapturedPacket(
      interface: 1, time: 0x0102_0304_0506_0708, data: [9, 8, 7], direction: .outbound)
    #expect(
      CaptureBlock.packet(packet).bytes
        == little.packet(
          1, time: 0x0102_0304_0506_0708, [9, 8, 7],
          little.option(2, [2, 0, 0, 0]) + little.option(0, [])))
    #expect(CaptureBlock.unknown(type: 4).bytes == [])
  }

  @Test(arguments: [false, true])
  func bothByteOrdersAreRead(isBig: Bool) throws {
    let file = BlockBuilder(isBig: isBig)
    let bytes =
      file.section(file.option(1, Array("hello".utf8)) + file.option(2, Array("PC".utf8)))
      + file.interface(
        101, snapLength: 3,
        file.option(9, [6]) + file.option(14, file.int(100)) + file.option(77, [1]))
      + file.packet(
        0, time: 2_000_001, [1, 2, 3, 4, 5], file.option(2, file.int(0xffff_fffd as UInt32)))
      + file.block(3, file.int(9 as UInt32) + [1, 2, 3, 0])
      + file.block(2, [1, 2, 3, 4]) + file.block(0x8000_0001, [])
      + file.block(
        5, [0, 0, 1].flatMap { file.int($0 as UInt32) } + file.option(4, file.int(7 as UInt64)))
    #expect(
      try CaptureBlock.all(in: bytes) == [
        .section(CaptureSection(hardware: "PC", comments: ["hello"])),
        .interface(
          CaptureInterface(linkType: .raw, snapLength: 3, unitsPerSecond: 1_000_000)),
        .packet(
          CapturedPacket(
            interface: 0, time: 102_000_001_000, data: [1, 2, 3, 4, 5], direction: .inbound)),
        .packet(CapturedPacket(interface: 0, time: 0, data: [1, 2, 3], originalLength: 9)),
        .unknown(type: 2), .unknown(type: 0x8000_0001),
        .statistics(CaptureStatistics(interface: 0, time: 100_000_001_000, received: 7)),
      ])
  }

  @Test func eachSectionHasItsByteOrderAndItsInterfaces() throws {
    let big = BlockBuilder(isBig: true)
    let bytes =
      Self.sample.flatMap(\.bytes) + big.section() + big.interface(1)
      + big.packet(0, time: 3, [1, 2, 3, 4])
    let blocks = try CaptureBlock.all(in: bytes)
    #expect(
      Array(blocks.dropFirst(Self.sample.count)) == [
        .section(CaptureSection()),
        .interface(CaptureInterface(linkType: .ethernet, unitsPerSecond: 1_000_000)),
        .packet(CapturedPacket(interface: 0, time: 3000, data: [1, 2, 3, 4])),
      ])
    let stray = bytes + big.packet(1, time: 3, [])
    #expect(
      throws: CaptureDamage(
        .malformed, "interface 1 of 1 described so far, 8 octets into a block", at: bytes.count)
    ) { try CaptureBlock.all(in: stray) }
  }

  /// if_tsresol, units counted, nanoseconds expected.
  @Test(
    arguments: [
      (0, 2, 2_000_000_000), (3, 1, 1_000_000), (9, 1, 1), (12, 1999, 1), (0x80, 1, 1_000_000_000),
      (0x81, 3, 1_500_000_000), (0xbf, 1 << 62, 500_000_000),
    ] as [(UInt8, UInt64, UInt64)])
  func timeResolutions(resolution: UInt8, units: UInt64, nanoseconds: UInt64) throws {
    let file = BlockBuilder(isBig: false)
    let bytes =
      file.section() + file.interface(1, file.option(9, [resolution]))
      + file.packet(0, time: units, [])
    #expect(
      try CaptureBlock.all(in: bytes).last
        == .packet(CapturedPacket(interface: 0, time: nanoseconds, data: [])))
  }

  @Test func timesThatCannotBeCountedAreDamage() {
    let file = BlockBuilder(isBig: false)
    for options in [file.option(9, [20]), file.option(9, [0xc0]), file.option(14, file.int(-9))] {
      #expect(throws: CaptureDamage.self) {
        try CaptureBlock.all(
          in: file.section() + file.interface(1, options) + file.packet(0, time: 1, []))
      }
    }
    #expect(throws: CaptureDamage.self) {
      try CaptureBlock.all(
        in: file.section() + file.interface(1) + file.packet(0, time: .max, []))
    }
  }

  /// 65532 octets fill one option; around that, and with characters of each width across the cut,
  /// comments must come back whole and apart.
  @Test(arguments: ["x", "ü", "€", "🐧"])
  func longCommentsAreCutAndJoined(character: String) throws {
    for octets in [65526, 65528, 65529, 65530, 65531, 65532, 65533, 65536, 200_000] {
      for shift in 0..<4 {
        let text =
          String(repeating: "a", count: shift)
          + String(repeating: character, count: (octets - shift) / character.utf8.count)
        let section = CaptureSection(comments: [text, "next", text, text, ""])
        let bytes = CaptureBlock.section(section).bytes
        #expect(try CaptureBlock.all(in: bytes) == [.section(section)])
        for chunk in comments(in: bytes) {
          #expect(chunk.count <= 65532)
          #expect(String(validating: chunk, as: UTF8.self) != nil)
        }
      }
    }
    let interface = CaptureInterface(
      linkType: .raw, comment: String(repeating: character, count: 100_000))
    let blocks = [Self.sample[0], .interface(interface)]
    #expect(try CaptureBlock.all(in: blocks.flatMap(\.bytes)) == blocks)
  }

  /// The comment options of a section header without other options.
  private func comments(in bytes: [UInt8]) -> [[UInt8]] {
    var chunks: [[UInt8]] = []
    var at = 24
    while bytes[at] == 1 {
      let length = Int(bytes[at + 2]) | Int(bytes[at + 3]) << 8
      chunks.append(Array(bytes[at + 4..<at + 4 + length]))
      at += 4 + (length + 3) / 4 * 4
    }
    return chunks
  }

  @Test func otherTextsAreCutBetweenCharacters() throws {
    let section = CaptureSection(os: "ab" + String(repeating: "€", count: 30000))
    let read = try CaptureBlock.all(in: CaptureBlock.section(section).bytes)
    #expect(
      read == [.section(CaptureSection(os: "ab" + String(repeating: "€", count: 21843)))])
  }
}
