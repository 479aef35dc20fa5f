/// A UDP header: RFC 768.
package struct UDPHeader: Sendable, Equatable {
  /// The sender's port; 0 where no answer is wanted.
  package var sourcePort: UInt16
  /// The receiver's port.
  package var destinationPort: UInt16

  /// A header of these fields.
  package init(sourcePort: UInt16, destinationPort: UInt16) {
    self.sourcePort = sourcePort
    self.destinationPort = destinationPort
  }

  @_lifetime(reader: copy reader)
  init(parsing reader: inout ByteReader) throws(WireError) {
    guard reader.remaining >= 8 else { throw WireError("UDP header cut off", at: reader.offset) }
    sourcePort = try reader.u16()
    destinationPort = try reader.u16()
    try reader.skip(4)
  }
}
