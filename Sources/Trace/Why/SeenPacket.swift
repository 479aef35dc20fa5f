internal import Wire

/// A packet as the rules of a chain see it.
struct SeenPacket {
  var packet: Packet
  /// Where it was going before anything translated it.
  var asked: IPAddress
  /// The interface it came in by, and the one that it is to leave by, as far as they are known.
  var input: String?
  var output: String?
  /// What conntrack made of it.
  var state: Connection.State?
}

extension SeenPacket {
  /// A packet where it was lost.
  init(_ lost: LostPacket) { self.init(lost, from: lost.inDevice) }

  /// The same, had it come in by `input`.
  init(_ lost: LostPacket, from input: String?) {
    packet = lost.packet
    asked = lost.journey.packet.destination
    self.input = input
    output = lost.outDevice
    state = lost.journey.connection?.state
  }

  /// What would answer it, of a connection that is known by then.
  init(answerTo lost: LostPacket) {
    packet = lost.packet.answer
    asked = packet.destination
    input = lost.outDevice
    output = lost.inDevice
    state = .established
  }
}
