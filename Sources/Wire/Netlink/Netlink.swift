// Netlink messages and attributes, as <linux/netlink.h> lays them out (RFC 3549 section 2.3.2).
//
//   0                   1                   2                   3
//   0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//  +---------------------------------------------------------------+
//  |                    length, header included                    |
//  +-------------------------------+-------------------------------+
//  |             type              |             flags             |
//  +-------------------------------+-------------------------------+
//  |                            sequence                           |
//  +---------------------------------------------------------------+
//  |                             port id                           |
//  +---------------------------------------------------------------+
//
// Everything is in host order, save where an attribute says otherwise.

/// One netlink message, header fields and payload apart.
public struct NetlinkMessage: Sendable, Equatable {
  /// Message type; for nfnetlink the subsystem is its upper octet.
  public var type: UInt16
  /// NLM_F_… bits.
  public var flags: UInt16
  /// What an answer repeats.
  public var sequence: UInt32
  /// The sender's port id; 0 is the kernel.
  public var port: UInt32
  /// What follows the 16 octets of the header.
  public var payload: [UInt8]

  /// Octets of the header.
  public static let headerLength = 16

  /// A message of these fields, as it would be sent to the kernel (port 0).
  public init(
    type: UInt16, flags: UInt16 = 0, sequence: UInt32 = 0, port: UInt32 = 0, payload: [UInt8] = []
  ) {
    self.type = type
    self.flags = flags
    self.sequence = sequence
    self.port = port
    self.payload = payload
  }

  /// The message as it stands in `reader`, which moves past it and its padding. Throws when the
  /// length it claims is shorter than a header or longer than what is left.
  @_lifetime(reader: copy reader)
  public init(parsing reader: inout ByteReader) throws(WireError) {
    let start = reader.offset
    let length: UInt32 = try reader.littleEndian()
    type = try reader.littleEndian()
    flags = try reader.littleEndian()
    sequence = try reader.littleEndian()
    port = try reader.littleEndian()
    guard length >= Self.headerLength else {
      throw WireError("netlink message length \(length) is shorter than its header", at: start)
    }
    payload = try reader.take(Int(length) - Self.headerLength)
    try reader.skip(min(reader.remaining, (4 - Int(length) % 4) % 4))
  }

  /// The message on the wire, padded to four octets.
  public var bytes: [UInt8] {
    var result: [UInt8] = []
    result.append(littleEndian: UInt32(Self.headerLength + payload.count))
    result.append(littleEndian: type)
    result.append(littleEndian: flags)
    result.append(littleEndian: sequence)
    result.append(littleEndian: port)
    result += payload
    result.pad(to: 4)
    return result
  }

  /// Whether it is one of several that answer a request (`NLM_F_MULTI`), as an entry of a list is.
  public var isPartOfDump: Bool { flags & 0x2 != 0 }

  /// Whether it asks for a list (`NLM_F_REQUEST` and `NLM_F_DUMP`).
  public var isDumpRequest: Bool { flags & Self.dumpRequest == Self.dumpRequest }

  /// `NLM_F_REQUEST` and `NLM_F_DUMP`, the flags of what asks for a list.
  public static let dumpRequest: UInt16 = 0x301

  /// NLMSG_ERROR: an errno, then the message it is about.
  public static let errorType: UInt16 = 2

  /// The errno in an error message, 0 for an acknowledgment; 0 as well in other messages.
  public var errorCode: Int32 {
    guard type == Self.errorType, payload.count >= 4 else { return 0 }
    let code = payload[..<4].reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
    return 0 &- Int32(bitPattern: code)
  }

  /// All messages of one datagram. Throws when one of them is cut off.
  public static func all(in datagram: [UInt8]) throws(WireError) -> [NetlinkMessage] {
    try all(in: datagram, count: datagram.count)
  }

  /// All messages of the datagram in the first `count` octets of `buffer`.
  public static func all(
    in buffer: [UInt8], count: Int
  ) throws(WireError) -> [NetlinkMessage] {
    var whole = ByteReader(buffer.span)
    var reader = try whole.slice(count)
    var messages: [NetlinkMessage] = []
    while !reader.isAtEnd { messages.append(try NetlinkMessage(parsing: &reader)) }
    return messages
  }
}

/// One attribute: a type and its octets. Nested attributes are decoded from `value` on demand.
public struct NetlinkAttribute: Sendable, Equatable {
  /// Attribute type, without the nested and byte-order flags.
  public var type: UInt16
  /// The value, without header and padding.
  public var value: [UInt8]

  /// An attribute with these octets.
  public init(_ type: UInt16, _ value: [UInt8]) {
    self.type = type
    self.value = value
  }

  /// An attribute that holds others (NLA_F_NESTED is set when it is written).
  public init(_ type: UInt16, nested: [NetlinkAttribute]) {
    self.type = type | Self.nestedFlag
    self.value = nested.bytes
  }

  /// A string, with its terminating zero.
  public init(_ type: UInt16, string: String) { self.init(type, string.octets + [0]) }

  /// An integer in host order.
  public init<T: FixedWidthInteger>(_ type: UInt16, host value: T) {
    var bytes: [UInt8] = []
    bytes.append(littleEndian: value)
    self.init(type, bytes)
  }

  /// An integer in network order.
  public init<T: FixedWidthInteger>(_ type: UInt16, network value: T) {
    var bytes: [UInt8] = []
    bytes.append(bigEndian: value)
    self.init(type, bytes)
  }

  /// The most octets a value can have: the length field, 16 bits, counts the header too.
  public static let maximumLength = 65531

  static let nestedFlag: UInt16 = 0x8000
  static let typeMask: UInt16 = 0x3fff

  /// The value as an integer in network order; nil when its size is another.
  public func network<T: FixedWidthInteger>(_: T.Type = T.self) -> T? {
    guard value.count == T.bitWidth / 8 else { return nil }
    return value.reduce(0) { ($0 << 8) | T(truncatingIfNeeded: $1) }
  }

  /// The value as an integer in host order; nil when its size is another.
  public func host<T: FixedWidthInteger>(_: T.Type = T.self) -> T? {
    (network() as T?)?.byteSwapped
  }

  /// The value as text, up to its first zero.
  public var string: String { String(octets: value.prefix { $0 != 0 }) }

  /// The attributes nested in this one; offsets in errors count from the start of `value`.
  public func nested() throws(WireError) -> [NetlinkAttribute] { try Self.all(in: value) }

  /// All attributes in `bytes`, from octet `start` on. Throws when one is cut off; fewer than four
  /// octets at the end are padding.
  public static func all(
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
  public subscript(type type: UInt16) -> NetlinkAttribute? { first { $0.type == type } }

  /// The attributes on the wire, each padded to four octets. Of a value that is too long for an
  /// attribute the end is cut off.
  public var bytes: [UInt8] {
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
