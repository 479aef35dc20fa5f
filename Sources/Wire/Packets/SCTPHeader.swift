/// SCTP's common header and what of its first chunk tells packets apart: RFC 9260 section 3.
package struct SCTPHeader: Sendable, Equatable {
  /// The sender's port.
  package var sourcePort: UInt16
  /// The receiver's port.
  package var destinationPort: UInt16
  /// What the receiver told the sender to send with every packet; 0 with an INIT.
  package var verificationTag: UInt32
  /// The type of the first chunk; nil where it was cut off.
  package var chunk: Chunk?
  /// Of INIT and INIT-ACK: the tag that the sender wants to have in every packet sent to it.
  package var initiateTag: UInt32?

  /// Types of chunks. Unknown ones are kept.
  package struct Chunk: RawRepresentable, Sendable, Hashable, CustomStringConvertible {
    /// The number.
    package let rawValue: UInt8
    /// The type of a number, known or not.
    package init(rawValue: UInt8) { self.rawValue = rawValue }
    /// An association begins.
    package static let initiation = Chunk(rawValue: 1)
    /// Its answer.
    package static let initiationAnswer = Chunk(rawValue: 2)
    /// An association ends at once, or is not taken.
    package static let abort = Chunk(rawValue: 6)

    /// Names of RFC 9260 section 3.2, or the number.
    package var description: String {
      let names = [
        "DATA", "INIT", "INIT-ACK", "SACK", "HEARTBEAT", "HEARTBEAT-ACK", "ABORT", "SHUTDOWN",
        "SHUTDOWN-ACK", "ERROR", "COOKIE-ECHO", "COOKIE-ACK", "ECNE", "CWR", "SHUTDOWN-COMPLETE",
      ]
      return Int(rawValue) < names.count ? names[Int(rawValue)] : "chunk \(rawValue)"
    }
  }

  /// A header of these fields.
  package init(
    sourcePort: UInt16, destinationPort: UInt16, verificationTag: UInt32, chunk: Chunk,
    initiateTag: UInt32? = nil
  ) {
    self.sourcePort = sourcePort
    self.destinationPort = destinationPort
    self.verificationTag = verificationTag
    self.chunk = chunk
    self.initiateTag = initiateTag
  }

  //  |       Source Port Number      |    Destination Port Number    |
  //  |                       Verification Tag                        |
  //  |                           Checksum                            |
  //  |  Chunk Type   |  Chunk Flags  |         Chunk Length          |
  //  |                         Initiate Tag                          |
  @_lifetime(reader: copy reader)
  init(parsing reader: inout ByteReader) throws(WireError) {
    guard reader.remaining >= 12 else { throw WireError("SCTP header cut off", at: reader.offset) }
    sourcePort = try reader.u16()
    destinationPort = try reader.u16()
    verificationTag = try reader.u32()
    try reader.skip(4)
    guard reader.remaining >= 4 else { return }
    let chunk = Chunk(rawValue: try reader.u8())
    self.chunk = chunk
    try reader.skip(3)
    guard chunk == .initiation || chunk == .initiationAnswer, reader.remaining >= 4 else { return }
    initiateTag = try reader.u32()
    // The window, the numbers of streams, the first number of data.
    try reader.skip(min(12, reader.remaining))
  }

  /// The header and its one chunk on the wire, the checksum left out: what stands behind the initiate tag
  /// of an INIT asks for no more than one stream each way.
  var bytes: [UInt8] {
    var bytes: [UInt8] = []
    bytes.append(bigEndian: sourcePort)
    bytes.append(bigEndian: destinationPort)
    bytes.append(bigEndian: verificationTag)
    bytes += [0, 0, 0, 0, chunk?.rawValue ?? 0, 0, 0, initiateTag == nil ? 4 : 20]
    guard let initiateTag else { return bytes }
    bytes.append(bigEndian: initiateTag)
    bytes += [0, 1, 0, 0, 0, 1, 0, 1]
    bytes.append(bigEndian: initiateTag)
    return bytes
  }
}

extension IPProtocol {
  /// RFC 9260.
  package static let sctp = IPProtocol(rawValue: 132)
}

/// CRC-32C, RFC 9260 appendix A: SCTP's checksum, which is written least octet first.
enum CRC32C {
  static func of(_ bytes: some Sequence<UInt8>) -> UInt32 {
    var value = UInt32.max
    for byte in bytes {
      value ^= UInt32(byte)
      for _ in 0..<8 { value = value >> 1 ^ (value & 1 == 1 ? 0x82f6_3b78 : 0) }
    }
    return ~value
  }
}
