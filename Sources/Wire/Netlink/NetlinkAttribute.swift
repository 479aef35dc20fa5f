/// One attribute: a type and its octets. Nested attributes are decoded from `value` on demand.
package struct NetlinkAttribute: Sendable, Equatable {
  /// Attribute type, without the nested and byte-order flags.
  package var type: UInt16
  /// The value, without header and padding.
  package var value: [UInt8]

  /// An attribute with these octets.
  package init(_ type: UInt16, _ value: [UInt8]) {
    self.type = type
    self.value = value
  }

  /// An attribute that holds others (NLA_F_NESTED is set when it is written).
  package init(_ type: UInt16, nested: [NetlinkAttribute]) {
    self.type = type | Self.nestedFlag
    self.value = nested.bytes
  }

  /// A string, with its terminating zero.
  package init(_ type: UInt16, string: String) { self.init(type, string.octets + [0]) }

  /// An integer in host order.
  package init<T: FixedWidthInteger>(_ type: UInt16, host value: T) {
    var bytes: [UInt8] = []
    bytes.append(littleEndian: value)
    self.init(type, bytes)
  }

  /// An integer in network order.
  package init<T: FixedWidthInteger>(_ type: UInt16, network value: T) {
    var bytes: [UInt8] = []
    bytes.append(bigEndian: value)
    self.init(type, bytes)
  }

  /// The most octets a value can have: the length field, 16 bits, counts the header too.
  package static let maximumLength = 65531

  static let nestedFlag: UInt16 = 0x8000
  static let typeMask: UInt16 = 0x3fff

  /// The value as an integer in network order; nil when its size is another.
  package func network<T: FixedWidthInteger>(_: T.Type = T.self) -> T? {
    guard value.count == T.bitWidth / 8 else { return nil }
    return value.reduce(0) { ($0 << 8) | T(truncatingIfNeeded: $1) }
  }

  /// The value as an integer in host order; nil when its size is another.
  package func host<T: FixedWidthInteger>(_: T.Type = T.self) -> T? {
    (network() as T?)?.byteSwapped
  }

  /// The value as text, up to its first zero.
  package var string: String { String(octets: value.prefix { $0 != 0 }) }

  /// The attributes nested in this one; offsets in errors count from the start of `value`.
  package func nested() throws(WireError) -> [NetlinkAttribute] { try Self.all(in: value) }

  /// All attributes in `bytes`, from octet `start` on. Throws when one is cut off; fewer than four
  /// octets at the end are padding.
  package static func all(
    in bytes: [UInt8], from start: Int = 0
  ) throws(WireError) -> [NetlinkAttribute] {
    var reader = ByteReader(bytes.span)
    try reader.skip(start)
    var attributes: [NetlinkAttribute] = []
    while let header = try reader.attribute() {
      var value = try reader.value(of: header)
      attributes.append(NetlinkAttribute(header.type, value.rest()))
    }
    return attributes
  }
}

/// What stands before an attribute's value.
struct NetlinkAttributeHeader {
  /// Without the nested and byte-order flags.
  var type: UInt16
  /// Octets of the value.
  var count: Int
}

// Reading attributes where they are, without an array of each: messages come by the hundred thousand.
extension ByteReader {
  /// The header of the next attribute; nil at the end, where fewer than four octets are padding.
  @_lifetime(self: copy self)
  mutating func attribute() throws(WireError) -> NetlinkAttributeHeader? {
    guard remaining >= 4 else { return nil }
    let at = offset
    let length: UInt16 = try littleEndian()
    let type: UInt16 = try littleEndian()
    guard length >= 4 else {
      throw WireError("netlink attribute length \(length) is shorter than its header", at: at)
    }
    return NetlinkAttributeHeader(type: type & NetlinkAttribute.typeMask, count: Int(length) - 4)
  }

  /// A reader of the value of the attribute whose header was just read; this one moves past it.
  @_lifetime(copy self)
  @_lifetime(self: copy self)
  mutating func value(of header: NetlinkAttributeHeader) throws(WireError) -> ByteReader {
    let value = try slice(header.count)
    try skip(min(remaining, (4 - header.count % 4) % 4))
    return value
  }

  /// All that is left as an integer in network order; nil when its size is another.
  @_lifetime(self: copy self)
  mutating func network<T: FixedWidthInteger>(_: T.Type = T.self) -> T? {
    remaining == T.bitWidth / 8 ? try? bigEndian() : nil
  }

  /// Adds all that is left to a sum.
  func add(to sum: inout Fingerprint) {
    for index in offset..<end { sum.add(bytes[index]) }
  }

  /// Whether what is left begins with the octets of `text`.
  func begins(with text: String) -> Bool {
    var at = offset
    for octet in text.utf8 {
      guard at < end, bytes[at] == octet else { return false }
      at += 1
    }
    return true
  }

  /// All that is left as text, up to the first zero.
  @_lifetime(self: copy self)
  mutating func string() -> String {
    var count = 0
    while offset + count < end, bytes[offset + count] != 0 { count += 1 }
    return (try? text(count)) ?? ""
  }
}

extension Array where Element == NetlinkAttribute {
  /// The first attribute of this type.
  package subscript(type type: UInt16) -> NetlinkAttribute? { first { $0.type == type } }

  /// The attributes on the wire, each padded to four octets. Of a value that is too long for an
  /// attribute the end is cut off.
  package var bytes: [UInt8] {
    var result: [UInt8] = []
    for attribute in self {
      let value = attribute.value.prefix(NetlinkAttribute.maximumLength)
      result.append(littleEndian: UInt16(4 + value.count))
      result.append(littleEndian: attribute.type)
      result += value
      result.pad(to: 4)
    }
    return result
  }
}
