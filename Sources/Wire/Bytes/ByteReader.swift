/// A bounds-checked cursor over octets somebody else owns. Reading past the end throws, never
/// traps: what is read may have been written by anyone.
package struct ByteReader: ~Escapable {
  @usableFromInline let bytes: Span<UInt8>
  /// Octets from the start of `bytes` to the next one read.
  package private(set) var offset: Int
  /// Where this reader ends, in octets from the start of `bytes`.
  @usableFromInline let end: Int

  /// A reader of all of `bytes`.
  @_lifetime(copy bytes)
  package init(_ bytes: Span<UInt8>) {
    self.bytes = bytes
    self.offset = 0
    self.end = bytes.count
  }

  @_lifetime(copy bytes)
  private init(_ bytes: Span<UInt8>, from offset: Int, to end: Int) {
    self.bytes = bytes
    self.offset = offset
    self.end = end
  }

  /// Octets left.
  package var remaining: Int { end - offset }

  /// Whether all has been read.
  package var isAtEnd: Bool { offset >= end }

  /// Throws unless `count` more octets are there.
  @inline(__always)
  private func need(_ count: Int) throws(WireError) {
    if count < 0 || count > remaining { throw shortage(count) }
  }

  @inline(never)
  private func shortage(_ count: Int) -> WireError {
    WireError("needs \(count) octets, \(remaining) left", at: offset)
  }

  /// The next octet.
  @_lifetime(self: copy self)
  package mutating func u8() throws(WireError) -> UInt8 {
    try need(1)
    defer { offset += 1 }
    return bytes[offset]
  }

  /// The next two octets, in network byte order.
  @_lifetime(self: copy self)
  package mutating func u16() throws(WireError) -> UInt16 { try bigEndian() }

  /// The next four octets, in network byte order.
  @_lifetime(self: copy self)
  package mutating func u32() throws(WireError) -> UInt32 { try bigEndian() }

  /// The next eight octets, in network byte order.
  @_lifetime(self: copy self)
  package mutating func u64() throws(WireError) -> UInt64 { try bigEndian() }

  /// The next sixteen octets, in network byte order.
  @_lifetime(self: copy self)
  package mutating func u128() throws(WireError) -> UInt128 { try bigEndian() }

  /// An integer in network byte order.
  @_lifetime(self: copy self)
  package mutating func bigEndian<T: FixedWidthInteger>() throws(WireError) -> T {
    let size = T.bitWidth / 8
    try need(size)
    var value: T = 0
    for index in 0..<size {
      value = (value << 8) | T(truncatingIfNeeded: bytes[offset + index])
    }
    offset += size
    return value
  }

  /// An integer with its least significant octet first: what netlink calls host order on every
  /// machine this program is built for.
  @_lifetime(self: copy self)
  package mutating func littleEndian<T: FixedWidthInteger>() throws(WireError) -> T {
    (try bigEndian() as T).byteSwapped
  }

  /// The next `count` octets, copied.
  @_lifetime(self: copy self)
  package mutating func take(_ count: Int) throws(WireError) -> [UInt8] {
    try need(count)
    defer { offset += count }
    let from = offset
    return [UInt8](capacity: count) { result in
      for index in from..<(from + count) { result.append(bytes[index]) }
    }
  }

  /// The next `count` octets, copied out of the array that this reads: as a whole, and not octet by octet.
  @_lifetime(self: copy self)
  mutating func take(_ count: Int, of array: [UInt8]) throws(WireError) -> [UInt8] {
    try need(count)
    defer { offset += count }
    return Array(array[offset..<(offset + count)])
  }

  /// The next `count` octets as text, `String.init(octets:)`.
  @_lifetime(self: copy self)
  mutating func text(_ count: Int) throws(WireError) -> String {
    try need(count)
    // Nearly all is ASCII, and need not be looked at twice.
    if let text = try? UTF8Span(validating: bytes.extracting(offset..<(offset + count))),
      text.isKnownASCII
    {
      offset += count
      return String(copying: text)
    }
    return String(octets: try take(count))
  }

  /// All that is left, copied.
  @_lifetime(self: copy self)
  package mutating func rest() -> [UInt8] { (try? take(remaining)) ?? [] }

  /// The same, out of the array that this reads.
  @_lifetime(self: copy self)
  mutating func rest(of array: [UInt8]) -> [UInt8] { (try? take(remaining, of: array)) ?? [] }

  /// Moves on by `count` octets.
  @_lifetime(self: copy self)
  package mutating func skip(_ count: Int) throws(WireError) {
    try need(count)
    offset += count
  }

  /// A reader of the next `count` octets; this one moves past them. Offsets in errors stay those
  /// of the whole.
  @_lifetime(copy self)
  @_lifetime(self: copy self)
  package mutating func slice(_ count: Int) throws(WireError) -> ByteReader {
    try need(count)
    let part = ByteReader(bytes, from: offset, to: offset + count)
    offset += count
    return part
  }
}

extension Array where Element == UInt8 {
  /// Appends an integer, most significant octet first.
  package mutating func append<T: FixedWidthInteger>(bigEndian value: T) {
    for shift in stride(from: T.bitWidth - 8, through: 0, by: -8) {
      append(UInt8(truncatingIfNeeded: value >> T(shift)))
    }
  }

  /// Appends an integer, least significant octet first.
  package mutating func append<T: FixedWidthInteger>(littleEndian value: T) {
    append(bigEndian: value.byteSwapped)
  }

  /// Appends zeros until the count is a multiple of `alignment`.
  package mutating func pad(to alignment: Int) {
    while count % alignment != 0 { append(0) }
  }
}
