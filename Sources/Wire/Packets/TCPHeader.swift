/// A TCP header without its options: RFC 9293 section 3.1.
package struct TCPHeader: Sendable, Equatable {
  /// The sender's port.
  package var sourcePort: UInt16
  /// The receiver's port.
  package var destinationPort: UInt16
  /// Number of the first octet of data, or of the SYN.
  package var sequence: UInt32
  /// The next sequence number expected, where `flags` has ACK.
  package var acknowledgment: UInt32
  /// The control bits.
  package var flags: Flags
  /// Octets the sender is ready to receive, unscaled.
  package var window: UInt16
  /// Octets of data that the sender of a SYN takes in one segment; nil where it does not say, and in all that is read.
  /// Where it stands, the options are written that Linux sends with a SYN: some rules drop what has none of them.
  package var maximumSegment: UInt16?
  /// Whether they have a timestamp: who agrees on it has to have one in each segment.
  package var hasTimestamp = false
  /// What a SYN that was read says of that; nil where it does not.
  package var announcedSegment: UInt16?
  /// What a SYN has as an option of the kind 253, which is for experiments (RFC 4727 section 6.1), in 16 octets: the id of
  /// a trace.
  package var traceOption: UInt128?

  /// The control bits.
  package struct Flags: OptionSet, Sendable, Hashable, CustomStringConvertible {
    /// The octet as it is on the wire; URG, ECE and CWR are kept in it.
    package let rawValue: UInt8
    /// The flags of the octet.
    package init(rawValue: UInt8) { self.rawValue = rawValue }
    /// No more data from the sender.
    package static let fin = Flags(rawValue: 1)
    /// Synchronise sequence numbers: a connection begins.
    package static let syn = Flags(rawValue: 2)
    /// Reset the connection.
    package static let rst = Flags(rawValue: 4)
    /// Push: hand the data to the application.
    package static let psh = Flags(rawValue: 8)
    /// `acknowledgment` counts.
    package static let ack = Flags(rawValue: 16)

    /// The flags of these names: "syn,ack"; nil for other words. "none" is no flag.
    package init?(names: String) {
      var flags: Flags = []
      for word in names.lowercased().split(separator: ",", omittingEmptySubsequences: false) {
        if let bit = Self.bits.firstIndex(of: String(word)) {
          flags.insert(Flags(rawValue: 1 << UInt8(bit)))
        } else if names != "none" {
          return nil
        }
      }
      self = flags
    }

    /// The same names.
    package var names: String {
      let set = Self.bits.enumerated().filter { rawValue & 1 << UInt8($0.offset) != 0 }
      return set.isEmpty ? "none" : set.map(\.element).joined(separator: ",")
    }

    private static let bits = ["fin", "syn", "rst", "psh", "ack", "urg", "ece", "cwr"]

    /// SYN, SYN-ACK, RST…, as people say them.
    package var description: String {
      let names: [(Flags, String)] = [
        (.syn, "SYN"), (.fin, "FIN"), (.rst, "RST"), (.psh, "PSH"), (.ack, "ACK"),
      ]
      let set = names.filter { contains($0.0) }.map(\.1)
      return set.isEmpty ? "none" : set.joined(separator: "-")
    }
  }

  /// A header of these fields.
  package init(
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
    let count = min(max(0, dataOffset - 20), reader.remaining)
    let options = try reader.take(count)
    guard flags.contains(.syn) else { return }
    traceOption = Self.option(Self.traceKind, of: 16, in: options)
    announcedSegment = Self.option(Self.segmentKind, of: 2, in: options)
  }

  /// The value of the option of a kind, if it has this many octets.
  private static func option<Value: FixedWidthInteger>(
    _ kind: UInt8, of count: Int, in options: [UInt8]
  ) -> Value? {
    var place = 0
    while place + 2 <= options.count, options[place] != 0 {
      if options[place] == 1 {
        place += 1
        continue
      }
      let length = Int(options[place + 1])
      guard length >= 2, place + length <= options.count else { return nil }
      if options[place] == kind, length == count + 2 { return options.number(at: place + 2) }
      place += length
    }
    return nil
  }

  fileprivate static let segmentKind: UInt8 = 2

  fileprivate static let traceKind: UInt8 = 253
}

extension TCPHeader {
  /// The options as they are written, in the order in which Linux has them: RFC 9293 section 3.2, RFC 2018, RFC 7323.
  var options: [UInt8] {
    guard let traceOption else { return usualOptions }
    var octets: [UInt8] = [1, 1, Self.traceKind, 18]
    octets.append(bigEndian: traceOption)
    return usualOptions + octets
  }

  private var usualOptions: [UInt8] {
    guard let maximumSegment else { return [] }
    var octets: [UInt8] = [Self.segmentKind, 4]
    octets.append(bigEndian: maximumSegment)
    let permitsSelective: [UInt8] = [4, 2]
    if hasTimestamp {
      octets += permitsSelective + [8, 10]
      // Any clock does, and a SYN has nobody's to repeat.
      octets.append(bigEndian: sequence)
      octets += [0, 0, 0, 0]
    } else {
      octets += [1, 1] + permitsSelective
    }
    let scaledBy: UInt8 = 7
    return octets + [1, 3, 3, scaledBy]
  }
}
