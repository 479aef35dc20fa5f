/// The fields of a message of Protocol Buffers that somebody else wrote. What is no such message gives the
/// fields before the fault.
package struct ProtobufFields: Sequence, IteratorProtocol, Sendable {
  private var rest: ArraySlice<UInt8>

  /// A field's number and what it holds.
  package typealias Field = (number: Int, value: Value)

  /// What a field holds.
  package enum Value: Sendable, Equatable {
    /// A varint, or a number of 4 or 8 octets.
    case number(UInt64)
    /// A text, octets, or a message.
    case octets([UInt8])
  }

  /// The fields in these octets.
  package init(_ octets: [UInt8]) { rest = octets[...] }

  /// The next field; nil at the end, and where what follows is none.
  package mutating func next() -> Field? {
    guard let tag = varint(), let number = Int(exactly: tag >> 3), number > 0 else { return nil }
    let value: Value? =
      switch tag & 7 {
      case 0: varint().map { .number($0) }
      case 1: fixed(8).map { .number($0) }
      case 2: varint().flatMap { Int(exactly: $0) }.flatMap { take($0) }.map { .octets($0) }
      case 5: fixed(4).map { .number($0) }
      default: nil
      }
    guard let value else {
      rest = []
      return nil
    }
    return (number, value)
  }

  private mutating func varint() -> UInt64? {
    var number: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 70, by: 7) {
      guard let octet = rest.popFirst() else { return nil }
      number |= UInt64(octet & 0x7f) << shift
      if octet < 0x80 { return number }
    }
    return nil
  }

  private mutating func fixed(_ count: Int) -> UInt64? {
    take(count).map { $0.reversed().reduce(0) { $0 << 8 | UInt64($1) } }
  }

  private mutating func take(_ count: Int) -> [UInt8]? {
    guard count <= rest.count else { return nil }
    defer { rest = rest.dropFirst(count) }
    return Array(rest.prefix(count))
  }
}
