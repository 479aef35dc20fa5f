/// A TCP header without its options: RFC 9293 section 3.1.
public struct TCPHeader: Sendable, Equatable {
  /// The sender's port.
  public var sourcePort: UInt16
  /// The receiver's port.
  public var destinationPort: UInt16
  /// Number of the first octet of data, or of the SYN.
  public var sequence: UInt32
  /// The next sequence number expected, where `flags` has ACK.
  public var acknowledgment: UInt32
  /// The control bits.
  public var flags: Flags
  /// Octets the sender is ready to receive, unscaled.
  public var window: UInt16

  /// The control bits.
  public struct Flags: OptionSet, Sendable, Hashable, CustomStringConvertible {
    /// The octet as it is on the wire; URG, ECE and CWR are kept in it.
    public let rawValue: UInt8
    /// The flags of the octet.
    public init(rawValue: UInt8) { self.rawValue = rawValue }
    /// No more data from the sender.
    public static let fin = Flags(rawValue: 1)
    /// Synchronise sequence numbers: a connection begins.
    public static let syn = Flags(rawValue: 2)
    /// Reset the connection.
    public static let rst = Flags(rawValue: 4)
    /// Push: hand the data to the application.
    public static let psh = Flags(rawValue: 8)
    /// `acknowledgment` counts.
    public static let ack = Flags(rawValue: 16)

    /// SYN, SYN-ACK, RST…, as people say them.
    public var description: String {
      let names: [(Flags, String)] = [
        (.syn, "SYN"), (.fin, "FIN"), (.rst, "RST"), (.psh, "PSH"), (.ack, "ACK"),
      ]
      let set = names.filter { contains($0.0) }.map(\.1)
      return set.isEmpty ? "none" : set.joined(separator: "-")
    }
  }

  /// A header of these fields.
  public init(
    sourcePort: UInt16, destinationPort: UInt16, sequence: UInt32, acknowledgment: UInt32 = 0,
    flags: Flags, window: UInt16 = 64240
  ) {
    self.sourcePort = sourcePort
    self.destinationPort = destinationPort
    self.sequence = sequence
    self.acknowledgment = acknowledgment
    self.flags = flags
    self.window = window
  }

  @_lifetime(reader: copy reader)
  init(parsing reader: inout ByteReader) throws(WireError) {
    guard reader.remaining >= 20 else { throw WireError("TCP header cut off", at: reader.offset) }
    sourcePort = try reader.u16()
    destinationPort = try reader.u16()
    sequence = try reader.u32()
    acknowledgment = try reader.u32()
    let dataOffset = Int(try reader.u8() >> 4) * 4
    flags = Flags(rawValue: try reader.u8())
    window = try reader.u16()
    try reader.skip(4)
    try reader.skip(min(max(0, dataOffset - 20), reader.remaining))
  }
}
