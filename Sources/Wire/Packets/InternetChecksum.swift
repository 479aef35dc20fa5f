/// The Internet checksum, RFC 1071: the ones' complement of the ones' complement sum.
package struct InternetChecksum: Sendable {
  private var sum: UInt64 = 0
  private var isOdd = false

  /// The sum of nothing.
  package init() {}

  /// Adds octets; they need not come in even portions.
  package mutating func add(_ bytes: some Sequence<UInt8>) {
    for byte in bytes {
      sum += isOdd ? UInt64(byte) : UInt64(byte) << 8
      isOdd.toggle()
    }
  }

  /// The checksum as it stands in a header.
  package var value: UInt16 {
    var folded = sum
    while folded >> 16 != 0 { folded = folded & 0xffff + folded >> 16 }
    return ~UInt16(truncatingIfNeeded: folded)
  }

  /// The checksum of `bytes`; 0 when they contain their own right checksum.
  package static func of(_ bytes: some Sequence<UInt8>) -> UInt16 {
    var checksum = InternetChecksum()
    checksum.add(bytes)
    return checksum.value
  }
}
