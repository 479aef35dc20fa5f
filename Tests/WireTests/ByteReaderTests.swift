import Testing
import Wire

// A reader cannot escape into the closures that #expect makes, so each value is read first.
@Suite struct ByteReaderTests {
  static let octets: [UInt8] = Array(1...16)

  /// The error that `body` throws on a reader of the first `count` of 16 octets, and how far it got.
  static func failure(
    _ count: Int = 16, _ body: (inout ByteReader) throws(WireError) -> Void
  ) -> (error: WireError?, offset: Int) {
    let octets = Array(Self.octets.prefix(count))
    var reader = ByteReader(octets.span)
    do throws(WireError) { try body(&reader) } catch { return (error, reader.offset) }
    return (nil, reader.offset)
  }

  @Test func integersInNetworkOrder() throws {
    var reader = ByteReader(Self.octets.span)
    let values: [UInt64] = [
      UInt64(try reader.u8()), UInt64(try reader.u16()), UInt64(try reader.u32()), try reader.u64(),
    ]
    #expect(values == [1, 0x0203, 0x0405_0607, 0x0809_0a0b_0c0d_0e0f])
    let (offset, remaining, atEnd) = (reader.offset, reader.remaining, reader.isAtEnd)
    #expect((offset, remaining, atEnd) == (15, 1, false))
    let rest = reader.rest()
    let ended = reader.isAtEnd
    #expect(rest == [16])
    #expect(ended)
    var whole = ByteReader(Self.octets.span)
    let wide = try whole.u128()
    #expect(wide == 0x0102_0304_0506_0708_090a_0b0c_0d0e_0f10)
  }

  @Test func integersInHostOrder() throws {
    var reader = ByteReader(Self.octets.span)
    let short: UInt16 = try reader.littleEndian()
    let word: UInt32 = try reader.littleEndian()
    let octet: UInt8 = try reader.littleEndian()
    let signed: Int64 = try reader.littleEndian()
    #expect((short, word, octet) == (0x0201, 0x0605_0403, 7))
    #expect(signed == 0x0f0e_0d0c_0b0a_0908)
  }

  @Test func readingPastTheEndThrowsAndMovesNothing() {
    let failures = [
      1: Self.failure(0) { reader throws(WireError) in _ = try reader.u8() },
      2: Self.failure(1) { reader throws(WireError) in _ = try reader.u16() },
      4: Self.failure(3) { reader throws(WireError) in _ = try reader.u32() },
      8: Self.failure(7) { reader throws(WireError) in _ = try reader.u64() },
      16: Self.failure(15) { reader throws(WireError) in _ = try reader.u128() },
    ]
    for (size, failure) in failures {
      #expect(failure.error == WireError("needs \(size) octets, \(size - 1) left", at: 0))
      #expect(failure.offset == 0)
    }
    #expect(failures[1]?.error?.description == "needs 1 octets, 0 left at byte 0")
  }

  @Test(arguments: [-1, Int.min, 17, Int.max])
  func impossibleCountsThrow(count: Int) {
    let expected = WireError("needs \(count) octets, 16 left", at: 0)
    let take = Self.failure { reader throws(WireError) in _ = try reader.take(count) }
    let skip = Self.failure { reader throws(WireError) in try reader.skip(count) }
    let slice = Self.failure { reader throws(WireError) in _ = try reader.slice(count) }
    for failure in [take, skip, slice] {
      #expect(failure.error == expected)
      #expect(failure.offset == 0)
    }
  }

  @Test func aSliceEndsWhereItEndsAndCountsFromTheWhole() throws {
    var reader = ByteReader(Self.octets.span)
    try reader.skip(2)
    var part = try reader.slice(3)
    let value = try part.u16()
    var found: WireError?
    do throws(WireError) { _ = try part.u16() } catch { found = error }
    let behind = try reader.take(2)
    #expect(value == 0x0304)
    #expect(found == WireError("needs 2 octets, 1 left", at: 4))
    #expect(behind == [6, 7])
  }

  @Test func arraysTakeBothOrders() {
    var bytes: [UInt8] = []
    bytes.append(bigEndian: UInt32(0x0102_0304))
    bytes.append(littleEndian: UInt16(0x0102))
    bytes.append(bigEndian: Int8(-1))
    #expect(bytes == [1, 2, 3, 4, 2, 1, 255])
    bytes.pad(to: 4)
    #expect(bytes == [1, 2, 3, 4, 2, 1, 255, 0])
    bytes.pad(to: 4)
    #expect(bytes.count == 8)
  }
}
