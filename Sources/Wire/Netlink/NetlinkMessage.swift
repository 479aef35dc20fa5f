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
package struct NetlinkMessage: Sendable, Equatable {
  /// Message type; for nfnetlink the subsystem is its upper octet.
  package var type: UInt16
  /// NLM_F_… bits.
  package var flags: UInt16
  /// What an answer repeats.
  package var sequence: UInt32
  /// The sender's port id; 0 is the kernel.
  package var port: UInt32
  /// What follows the 16 octets of the header.
  package var payload: [UInt8]

  /// Octets of the header.
  package static let headerLength = 16

  /// A message of these fields, as it would be sent to the kernel (port 0).
  package init(
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
  package init(parsing reader: inout ByteReader) throws(WireError) {
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

  /// The message that begins at an octet of `octets`, whose room becomes the payload's. Throws as `init(parsing:)` does.
  package init(_ octets: consuming [UInt8], from start: Int) throws(WireError) {
    let header = try Self.header(in: octets, from: start)
    (type, flags, sequence, port) = (header.type, header.flags, header.sequence, header.port)
    octets.removeLast(octets.count - header.payload.upperBound)
    octets.removeFirst(header.payload.lowerBound)
    payload = octets
  }

  /// The fields of a header, and where its payload is.
  private typealias Header = (
    type: UInt16, flags: UInt16, sequence: UInt32, port: UInt32, payload: Range<Int>
  )

  private static func header(in octets: [UInt8], from start: Int) throws(WireError) -> Header {
    var reader = ByteReader(octets.span)
    try reader.skip(start)
    let length: UInt32 = try reader.littleEndian()
    let header: Header = (
      try reader.littleEndian(), try reader.littleEndian(), try reader.littleEndian(),
      try reader.littleEndian(), 0..<0
    )
    guard length >= headerLength else {
      throw WireError("netlink message length \(length) is shorter than its header", at: start)
    }
    let first = reader.offset
    try reader.skip(Int(length) - headerLength)
    return (header.type, header.flags, header.sequence, header.port, first..<reader.offset)
  }

  /// The message on the wire, padded to four octets.
  package var bytes: [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(Self.headerLength + payload.count)
    append(to: &result)
    result.pad(to: 4)
    return result
  }

  /// Appends the message as it is on the wire, without padding.
  package func append(to octets: inout [UInt8]) {
    octets.append(littleEndian: UInt32(Self.headerLength + payload.count))
    octets.append(littleEndian: type)
    octets.append(littleEndian: flags)
    octets.append(littleEndian: sequence)
    octets.append(littleEndian: port)
    octets += payload
  }

  /// Whether it is one of several that answer a request (`NLM_F_MULTI`), as an entry of a list is.
  package var isPartOfDump: Bool { flags & 0x2 != 0 }

  /// Whether it asks for a list (`NLM_F_REQUEST` and `NLM_F_DUMP`).
  package var isDumpRequest: Bool { flags & Self.dumpRequest == Self.dumpRequest }

  /// `NLM_F_REQUEST` and `NLM_F_DUMP`, the flags of what asks for a list.
  package static let dumpRequest: UInt16 = 0x301

  /// NLMSG_ERROR: an errno, then the message it is about.
  package static let errorType: UInt16 = 2

  /// NLMSG_DONE: the end of a list, with the errno of one that failed midway.
  package static let doneType: UInt16 = 3

  /// The errno in an error message or at the end of a list, 0 for an acknowledgment; 0 as well in other
  /// messages.
  package var errorCode: Int32 {
    guard type == Self.errorType || type == Self.doneType, payload.count >= 4 else { return 0 }
    let code = payload[..<4].reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
    return 0 &- Int32(bitPattern: code)
  }

  /// All messages of one datagram. Throws when one of them is cut off.
  package static func all(in datagram: [UInt8]) throws(WireError) -> [NetlinkMessage] {
    try all(in: datagram.span)
  }

  /// All messages of one datagram, which stands in a buffer.
  package static func all(in datagram: Span<UInt8>) throws(WireError) -> [NetlinkMessage] {
    var reader = ByteReader(datagram)
    var messages: [NetlinkMessage] = []
    while !reader.isAtEnd { messages.append(try NetlinkMessage(parsing: &reader)) }
    return messages
  }
}
