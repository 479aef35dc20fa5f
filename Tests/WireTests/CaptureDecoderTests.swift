import Testing
import Wire

@Suite struct CaptureDecoderTests {
  static let blocks = PcapNGTests.sample
  static let bytes = blocks.flatMap(\.bytes)
  /// Where each block of `bytes` begins, and where the last one ends.
  static let offsets = blocks.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1.bytes.count) }

  /// Everything read before the end or the damage, which is second.
  static func read(
    _ bytes: [UInt8], pieces size: Int = .max
  ) -> (blocks: [CaptureBlock], damage: CaptureDamage?) {
    var decoder = CaptureDecoder()
    var blocks: [CaptureBlock] = []
    do throws(CaptureDamage) {
      var rest = bytes[...]
      while !rest.isEmpty {
        decoder.feed(Array(rest.prefix(size)))
        rest = rest.dropFirst(size)
        while let block = try decoder.next() { blocks.append(block) }
      }
      try decoder.finish()
      return (blocks, nil)
    } catch {
      return (blocks, error)
    }
  }

  @Test(arguments: [1, 2, 3, 7, 64, 1000])
  func piecesReadLikeTheWhole(size: Int) {
    let (blocks, damage) = Self.read(Self.bytes, pieces: size)
    #expect(blocks == Self.blocks)
    #expect(damage == nil)
  }

  @Test func everyTruncationReadsUpToTheLastWholeBlock() {
    for count in 1...Self.bytes.count {
      let (blocks, damage) = Self.read(Array(Self.bytes.prefix(count)))
      let whole = Self.offsets.lastIndex { $0 <= count } ?? 0
      #expect(blocks == Array(Self.blocks.prefix(whole)))
      let start = Self.offsets[whole]
      #expect(
        damage
          == (start == count
            ? nil
            : CaptureDamage(
              .truncated, "the file ends \(count - start) octets into a block", at: start)))
    }
  }

  /// What to overwrite in block 4, an enhanced packet, and what is then said about it.
  @Test(arguments: [
    (4, [13, 0, 0, 0], "block length 13 is impossible, 4 octets into a block"),
    (4, [8, 0, 0, 0], "block length 8 is impossible, 4 octets into a block"),
    (
      4, [4, 0, 0, 1],
      "a block of 16777220 octets is longer than 16 MiB, 4 octets into a block"
    ),
    (4, [12, 0, 0, 0], "the block's two lengths differ, 8 octets into a block"),
    (8, [3, 0, 0, 0], "interface 3 of 3 described so far, 8 octets into a block"),
    (20, [0xff, 0, 0, 0], "needs 255 octets, 32 left, 28 octets into a block"),
    (38, [0xff, 0xff], "needs 65535 octets, 20 left, 40 octets into a block"),
  ])
  func damageInTheMiddle(at: Int, with patch: [UInt8], reason: String) {
    var bytes = Self.bytes
    let start = Self.offsets[4]
    bytes.replaceSubrange(start + at..<start + at + patch.count, with: patch)
    for size in [1, .max] {
      let (blocks, damage) = Self.read(bytes, pieces: size)
      #expect(blocks == Array(Self.blocks.prefix(4)))
      #expect(damage == CaptureDamage(.malformed, reason, at: start))
    }
  }

  @Test func damageStays() {
    var decoder = CaptureDecoder()
    decoder.feed(Array("no capture at all".utf8))
    let damage = CaptureDamage(.notACapture, "neither a pcapng nor a pcap file", at: 0)
    for _ in 0..<2 {
      #expect(throws: damage) { try decoder.next() }
      decoder.feed(Self.bytes)
    }
    #expect(throws: damage) { try decoder.finish() }
  }

  /// First octets, and whether more could have made a capture of them.
  @Test(
    arguments: [
      ([], .notACapture), ([0x0a], .truncated), ([0x0a, 0x0d, 0x0d], .truncated),
      ([0x0a, 0x0a], .notACapture), ([0xd4, 0xc3, 0xb2, 0xa1], .truncated),
      ([0xa1, 0xb2, 0x3c], .truncated), ([0x1f, 0x8b, 8, 0], .compressed),
      ([0x28, 0xb5, 0x2f, 0xfd], .compressed),
      ([0x0a, 0x0d, 0x0d, 0x0a, 0, 0, 0, 28, 1, 2, 3, 4], .notACapture),
    ] as [([UInt8], CaptureDamage.Kind)])
  func firstOctets(bytes: [UInt8], kind: CaptureDamage.Kind) {
    let (blocks, damage) = Self.read(bytes)
    #expect(blocks.isEmpty)
    #expect(damage?.kind == kind)
    #expect(damage?.offset == 0)
  }

  @Test func aLaterVersionIsNotGuessedAt() {
    let (_, damage) = Self.read(BlockBuilder(isBig: true).section(major: 2))
    #expect(damage?.reason == "pcapng version 2.0 is not known, 12 octets into a block")
  }

  @Test func offsetIsThatOfTheNextBlock() throws {
    var decoder = CaptureDecoder()
    decoder.feed(Self.bytes)
    for offset in Self.offsets {
      #expect(decoder.offset == offset)
      _ = try decoder.next()
    }
  }
}

@Suite struct PcapFileTests {
  @Test(arguments: [false, true], [false, true])
  func allFourKindsAreRead(isBig: Bool, isNano: Bool) throws {
    let file = BlockBuilder(isBig: isBig)
    let magic: UInt32 = isNano ? 0xa1b2_3c4d : 0xa1b2_c3d4
    let bytes =
      file.int(magic) + file.int(2 as UInt16) + file.int(4 as UInt16)
      + [0, 0, 262_144, 239, 1_700_000_000, 999, 3, 5].flatMap { file.int($0 as UInt32) }
      + [7, 8, 9] + [1, 0, 0, 0].flatMap { file.int($0 as UInt32) }
    let expected: [CaptureBlock] = [
      .section(CaptureSection()),
      .interface(
        CaptureInterface(
          linkType: .nflog, snapLength: 262_144,
          unitsPerSecond: isNano ? 1_000_000_000 : 1_000_000)),
      .packet(
        CapturedPacket(
          interface: 0, time: 1_700_000_000_000_000_000 + (isNano ? 999 : 999_000),
          data: [7, 8, 9], originalLength: 5)),
      .packet(CapturedPacket(interface: 0, time: 1_000_000_000, data: [])),
    ]
    for count in 1...bytes.count {
      let (blocks, damage) = CaptureDecoderTests.read(Array(bytes.prefix(count)))
      let whole = count < 24 ? 0 : count < 43 ? 2 : count < 59 ? 3 : 4
      #expect(blocks == Array(expected.prefix(whole)))
      #expect((damage == nil) == [24, 43, 59].contains(count))
      if let damage {
        #expect(damage.kind == .truncated)
        #expect(damage.offset == (count < 24 ? 0 : count < 43 ? 24 : 43))
      }
    }
    #expect(CaptureDecoderTests.read(bytes, pieces: 1).blocks == expected)
  }

  @Test func whatIsWrittenIsRead() throws {
    let packets = [
      CapturedPacket(interface: 0, time: 1_700_000_000_123_456_789, data: [1, 2, 3]),
      CapturedPacket(interface: 0, time: 1, data: [], originalLength: 99),
    ]
    let bytes = PcapFile.header(linkType: .nflog) + packets.flatMap(PcapFile.record)
    #expect(bytes.prefix(8) == [0x4d, 0x3c, 0xb2, 0xa1, 2, 0, 4, 0])
    #expect(bytes[24..<32] == [0x00, 0xf1, 0x53, 0x65, 0x15, 0xcd, 0x5b, 0x07])
    #expect(
      try CaptureBlock.all(in: bytes) == [
        .section(CaptureSection()),
        .interface(CaptureInterface(linkType: .nflog, snapLength: 262_144)),
      ] + packets.map(CaptureBlock.packet))
  }

  @Test func anImpossiblePacketIsDamage() {
    var bytes = PcapFile.header(linkType: .raw)
    bytes += PcapFile.record(CapturedPacket(interface: 0, time: 0, data: [1]))
    bytes += [UInt8](repeating: 0xff, count: 16)
    let (blocks, damage) = CaptureDecoderTests.read(bytes)
    #expect(blocks.count == 3)
    #expect(
      damage
        == CaptureDamage(
          .malformed,
          "a packet of 4294967295 octets is longer than 16 MiB, 8 octets into a block", at: 41))
  }
}

@Suite struct CaptureFuzzTests {
  /// splitmix64: the same numbers every time.
  struct Random: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
      state &+= 0x9e37_79b9_7f4a_7c15
      var value = state
      value = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
      value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
      return value ^ (value >> 31)
    }
  }

  /// Whatever is done to a file, reading it ends, in pieces as at once, and what was read can be
  /// written and read again.
  @Test func mutatedFilesNeverTrap() throws {
    let big = BlockBuilder(isBig: true)
    let packet = CapturedPacket(interface: 0, time: 1, data: [1, 2, 3])
    let seeds: [[UInt8]] = [
      CaptureDecoderTests.bytes,
      big.section() + big.interface(1, big.option(9, [0x8a]) + big.option(14, big.int(-1)))
        + big.block(3, [0, 0, 0, 2, 1, 2, 0, 0]) + big.packet(0, time: 1 << 60, [1, 2, 3]),
      PcapFile.header(linkType: .nflog) + PcapFile.record(packet) + PcapFile.record(packet),
    ]
    var random = Random(state: 1)
    for iteration in 0..<20_000 {
      var bytes = seeds[iteration % seeds.count]
      for _ in 0..<Int.random(in: 1...4, using: &random) where !bytes.isEmpty {
        let at = Int.random(in: 0..<bytes.count, using: &random)
        switch Int.random(in: 0..<5, using: &random) {
        case 0: bytes[at] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        case 1: bytes[at] = UInt8.random(in: 0...255, using: &random)
        case 2: bytes[at] = [0, 1, 0x7f, 0x80, 0xff].randomElement(using: &random) ?? 0
        case 3: bytes.removeSubrange(at..<min(bytes.count, at + 4))
        default: bytes.insert(contentsOf: bytes[at..<min(bytes.count, at + 16)], at: at)
        }
      }
      let whole = CaptureDecoderTests.read(bytes)
      let pieces = CaptureDecoderTests.read(
        bytes, pieces: Int.random(in: 1...40, using: &random))
      #expect(whole.blocks == pieces.blocks)
      #expect(whole.damage == pieces.damage)
      if whole.damage == nil, !bytes.isEmpty {
        #expect(throws: Never.self) { try CaptureBlock.all(in: whole.blocks.flatMap(\.bytes)) }
      }
    }
  }
}
