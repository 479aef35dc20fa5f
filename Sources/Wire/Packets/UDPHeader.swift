/// A UDP header: RFC 768.
public struct UDPHeader: Sendable, Equatable {
  /// The sender's port; 0 where no answer is wanted.
  public var sourcePort: UInt16
  /// The receiver's port.
  public var destinationPort: UInt16

  /// A header of these fields.
  public init(sourcePort: UInt16, destinationPort: UInt16) {
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
