internal import Wire

/// Connections that carry data: each takes two probes, its handshake and the segment with the data.
extension ProbePlan {
  /// Probes that one connection takes.
  package var probesPerConnection: Int { data == nil ? 1 : 2 }

  /// Whether the probe of this number is the segment with the data, which is sent once the handshake is over.
  package func carriesData(_ sequence: Int) -> Bool { data != nil && sequence.isMultiple(of: 2) }

  /// The connection to which the probe of this number belongs, counted from 1.
  func connection(of sequence: Int) -> Int {
    (sequence + probesPerConnection - 1) / probesPerConnection
  }

  /// The last connection that there may be.
  var lastConnection: Int { connection(of: lastSequence) }

  /// Those of the marks that answers have.
  package var answerMarks: [ProbeMark] {
    let sequence: UInt32 = 4
    return marks.filter { $0.proto == .tcp && $0.fields.first?.offset != sequence }
  }

  /// Whether `packet` is the SYN-ACK of who lets nothing be sent yet, as a SYN proxy: it has not asked the server,
  /// and opens its window once that has answered.
  func isUnready(_ packet: Packet) -> Bool {
    data != nil && packet.tcp?.flags == [.syn, .ack] && packet.tcp?.window == 0
  }

  /// The segment by which the sender of the probe `sequence` acknowledges a SYN-ACK; with the data, if that is a probe
  /// which carries it.
  func segment(_ sequence: Int, after answer: TCPHeader) -> Packet {
    var packet = packet(sequence: sequence)
    guard var header = packet.tcp else { return packet }
    if !carriesData(sequence) {
      header.sequence &+= 1
      header.flags = .ack
      header.maximumSegment = nil
    }
    header.acknowledgment = answer.sequence &+ (answer.flags.contains(.syn) ? 1 : 0)
    packet.transport = .tcp(header)
    return packet
  }

  /// The segments that carry the data of the probe `sequence`: as long as the other end takes them and the client's own link
  /// lets them be. The kernel cuts what this host itself sends.
  func dataSegments(_ sequence: Int, after answer: TCPHeader) -> [Packet] {
    let whole = segment(sequence, after: answer)
    guard entrance != .local, let header = whole.tcp else { return [whole] }
    let most = max(1, Int(min(Self.segment(takenBy: answer, version), maximumSegment ?? .max)))
    return stride(from: 0, to: max(whole.payload.count, 1), by: most).map { start in
      let end = min(start + most, whole.payload.count)
      var (part, header) = (whole, header)
      header.sequence &+= UInt32(truncatingIfNeeded: start)
      if end < whole.payload.count { header.flags = .ack }
      part.transport = .tcp(header)
      part.payload = Array(whole.payload[start..<end])
      return part
    }
  }

  /// Octets that who sent a SYN takes in a segment, by its word or by RFC 9293, section 3.7.1.
  private static func segment(takenBy answer: TCPHeader, _ version: Int) -> UInt16 {
    answer.announcedSegment ?? (version == 4 ? 536 : 1220)
  }

  /// The octets of a text, made as long as was asked for.
  package static func data(_ text: String, size: Int?) -> [UInt8] {
    let octets = Array(text.utf8)
    return octets + (octets.count..<max(size ?? 0, octets.count)).map(filling)
  }

  private static func filling(_ place: Int) -> UInt8 { UInt8(97 + place % 26) }

  /// The text that `data` was made of.
  var text: String? {
    data.flatMap { data in
      let filled = data.indices.reversed().prefix { data[$0] == Self.filling($0) }.count
      return String(validating: data.prefix(max(data.count - filled, 1)), as: UTF8.self)
    }
  }
}
