package import Wire

/// What a connection with data goes on with, once its SYN was answered.
extension PingStory {
  /// Segments that are to be sent now.
  package struct Segments: Sendable {
    /// What acknowledges the SYN-ACK, if that is still to be done. It is no probe.
    package var acknowledgment: Packet?
    /// The segment with the data, and its number as a probe; nil where the other end lets nothing be sent yet.
    package var data: (sequence: Int, packet: Packet)?
    /// What the other end does not take in one segment, in those behind it.
    package var rest: [Packet] = []
  }

  /// The segments that one of the connections goes on with; nil where there is none. They are taken to be sent then.
  package mutating func nextSegments() -> Segments? {
    guard plan.data != nil else { return nil }
    for sequence in open.keys.sorted() {
      guard let handshake = open[sequence]?.handshake else { continue }
      var segments = Segments()
      if acknowledged.insert(sequence).inserted {
        segments.acknowledgment = plan.segment(sequence, after: handshake)
      }
      if wantsSegments(sequence) {
        let parts = plan.dataSegments(sequence + 1, after: handshake)
        segments.data = (sequence + 1, parts[0])
        segments.rest = Array(parts.dropFirst())
      }
      if segments.acknowledgment != nil || segments.data != nil { return segments }
    }
    return nil
  }

  /// Whether this probe is a handshake that is over, and whose data was not sent yet.
  func wantsSegments(_ sequence: Int) -> Bool {
    guard plan.data != nil, !plan.carriesData(sequence), let entry = open[sequence] else {
      return false
    }
    return entry.handshake != nil && entry.answered != nil && entry.answer?.isRefusal == false
      && entry.answer?.quoted == nil && !carried.contains(sequence + 1)
  }

  /// Takes down the SYN-ACK of a connection with data.
  mutating func noteHandshake(_ packet: Packet, of sequence: Int) {
    guard plan.data != nil, let header = packet.tcp, header.flags == [.syn, .ack],
      packet.destination == plan.source, open[sequence]?.handshake == nil
    else { return }
    open[sequence]?.handshake = header
    handshakes[plan.connection(of: sequence)] = header
  }

  /// Takes down that the other end of a connection sends something before it is asked, as a mail server does.
  mutating func noteGreeting(_ octets: [UInt8]) {
    guard plan.data != nil, let packet = try? Packet(octets), packet.tcp != nil, packet.carriesData,
      packet.destination == plan.source, let sequence = plan.sequence(of: packet),
      !plan.carriesData(sequence)
    else { return }
    greeted.insert(plan.connection(of: sequence))
  }

  /// Whether an answer is no use to the client, for what goes before it is missing.
  func isBehindGap(_ answer: Packet, _ sequence: Int) -> Bool {
    let connection = plan.connection(of: sequence)
    guard let header = answer.tcp, answer.carriesData, let handshake = handshakes[connection],
      !greeted.contains(connection)
    else { return false }
    return header.sequence != handshake.sequence &+ 1
  }

  /// Whether an answer acknowledges no more than some of the segments that the data went out in.
  func isOfPart(_ answer: Packet, _ sequence: Int) -> Bool {
    guard let header = answer.tcp, let handshake = handshakes[plan.connection(of: sequence)],
      let last = plan.dataSegments(sequence, after: handshake).dropFirst().last?.tcp
    else { return false }
    return Int32(bitPattern: header.acknowledgment &- last.sequence) <= 0
  }

  /// A connection is over.
  mutating func forgetConnection(_ connection: Int) {
    handshakes[connection] = nil
    greeted.remove(connection)
    acknowledged.remove(2 * connection - 1)
  }
}

extension Packet {
  /// Whether a segment does no more than to acknowledge.
  var isBareAcknowledgment: Bool { tcp?.flags == .ack && !carriesData }
}

extension Exchange {
  /// Without what was sent again, and without what a client acknowledges.
  var withoutRepeats: Exchange {
    var exchange = self
    let isProxied = journeys.contains(where: \.isProxied)
    var known: [(packet: Packet, direction: Journey.Direction)] = []
    exchange.journeys.removeAll { journey in
      let packet = journey.packet
      if journey.direction == .request, packet.isBareAcknowledgment, !isProxied { return true }
      let isKnown = known.contains {
        $0.direction == journey.direction && $0.packet.transport.numbers == packet.transport.numbers
          && $0.packet.length == packet.length && $0.packet.hasEnds(of: packet)
      }
      if !isKnown { known.append((packet, journey.direction)) }
      return isKnown
    }
    return exchange
  }

  /// Of a handshake with a SYN proxy, what the proxy asked the server, and what came of that; before that, what the
  /// client acknowledges.
  var behindProxy: Exchange {
    guard let first = journeys.firstIndex(where: { $0.direction == .request && $0.isProxied })
    else { return self }
    let rest = journeys[(first + 1)...]
    let asked = rest.firstIndex {
      $0.direction == .request && $0.packet.tcp?.flags == .syn
        && $0.way.first.point.hook == .output
    }
    guard
      let begin = asked
        ?? rest.firstIndex(where: { $0.direction == .request && $0.packet.isBareAcknowledgment })
    else { return self }
    var exchange = self
    exchange.journeys.removeFirst(begin)
    return exchange
  }

  /// Nanoseconds from the client's SYN to what it was told last, where a SYN proxy asked the server first.
  var roundTripBehindProxy: UInt64? {
    guard journeys.contains(where: \.isProxied), let sent = request?.firstStamp,
      let answered = journeys.last(where: { $0.direction == .reply })?.lastStamp, answered >= sent
    else { return nil }
    return answered.since(sent)
  }
}
