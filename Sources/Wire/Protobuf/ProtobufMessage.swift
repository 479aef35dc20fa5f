/// A message of Protocol Buffers that is written: https://protobuf.dev/programming-guides/encoding/
///
///     tag (varint: field number << 3 | wire type), value;  tag, value; …
///
/// As proto3 has it, what has its default (0, "", no octets) is left out; in a list it stands.
package struct ProtobufMessage: Sendable, Equatable {
  /// The fields, in the order in which they were added.
  package private(set) var bytes: [UInt8] = []

  /// What follows a tag; the raw value is in it.
  private enum WireType: UInt64 {
    case varint = 0
    case fixed64 = 1
    case lengthDelimited = 2
  }

  /// A message without fields.
  package init() {}

  /// A number of few digits mostly: uint32, uint64, enum, bool, or int64 in two's complement.
  package mutating func add(_ field: Int, varint number: UInt64, isOfOneof: Bool = false) {
    if number == 0, !isOfOneof { return }
    tag(field, .varint)
    append(varint: number)
  }

  /// A number of 8 octets: fixed64, sfixed64.
  package mutating func add(_ field: Int, fixed64 number: UInt64) {
    if number == 0 { return }
    tag(field, .fixed64)
    append(littleEndian: number)
  }

  /// A number with a fraction, in a oneof.
  package mutating func add(_ field: Int, double number: Double) {
    tag(field, .fixed64)
    append(littleEndian: number.bitPattern)
  }

  /// Text in UTF-8.
  package mutating func add(_ field: Int, text: String, isOfOneof: Bool = false) {
    if text.isEmpty, !isOfOneof { return }
    add(field, lengthDelimited: Array(text.utf8))
  }

  /// Octets.
  package mutating func add(_ field: Int, octets: [UInt8]) {
    if !octets.isEmpty { add(field, lengthDelimited: octets) }
  }

  /// A message within this one, also an empty one.
  package mutating func add(_ field: Int, _ message: ProtobufMessage) {
    add(field, lengthDelimited: message.bytes)
  }

  private mutating func add(_ field: Int, lengthDelimited octets: [UInt8]) {
    tag(field, .lengthDelimited)
    append(varint: UInt64(octets.count))
    bytes += octets
  }

  private mutating func tag(_ field: Int, _ type: WireType) {
    append(varint: UInt64(field) << 3 | type.rawValue)
  }

  /// Seven bits an octet, the lowest first; all but the last have the highest bit.
  private mutating func append(varint number: UInt64) {
    var rest = number
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }

  private mutating func append(littleEndian number: UInt64) {
    for shift in stride(from: 0, to: 64, by: 8) {
      bytes.append(UInt8(truncatingIfNeeded: number >> UInt64(shift)))
    }
  }
}
