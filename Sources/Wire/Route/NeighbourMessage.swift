/// A neighbour: the link-layer address behind an IP address (`struct ndmsg` of
/// <linux/neighbour.h>).
package struct NeighbourMessage: Sendable, Equatable {
  /// Index of the interface it is reached through.
  package var interface: UInt32
  /// Its IP address.
  package var address: IPAddress
  /// nil as long as nobody answered.
  package var hardwareAddress: HardwareAddress?
  /// What the kernel knows of its being reachable.
  package var state: State
  /// `NTF_…` bits.
  package var flags: UInt8
  /// `RTN_…`: 1 unicast, 5 multicast.
  package var kind: UInt8

  /// `NUD_…`: RFC 4861 section 7.3.2 and what Linux adds.
  package struct State: OptionSet, Sendable, Hashable, CustomStringConvertible {
    /// The number on the wire.
    package var rawValue: UInt16
    /// The value with this number.
    package init(rawValue: UInt16) { self.rawValue = rawValue }

    /// `NUD_INCOMPLETE`.
    package static let incomplete = State(rawValue: 0x01)
    /// `NUD_REACHABLE`.
    package static let reachable = State(rawValue: 0x02)
    /// `NUD_PROBE`.
    package static let probe = State(rawValue: 0x10)
    /// `NUD_FAILED`.
    package static let failed = State(rawValue: 0x20)
    /// `NUD_NOARP`.
    package static let noARP = State(rawValue: 0x40)
    /// `NUD_PERMANENT`.
    package static let permanent = State(rawValue: 0x80)

    /// The names ip(8) prints, with "," between; unknown bits as a number.
    package var description: String {
      let names = [
        "INCOMPLETE", "REACHABLE", "STALE", "DELAY", "PROBE", "FAILED", "NOARP", "PERMANENT",
      ]
      var parts: [String] = []
      for (bit, name) in names.enumerated() where rawValue & (1 << UInt16(bit)) != 0 {
        parts.append(name)
      }
      if rawValue >> 8 != 0 { parts.append("0x" + String(rawValue & 0xff00, radix: 16)) }
      return parts.isEmpty ? "NONE" : parts.joined(separator: ",")
    }
  }

  /// A value with these fields.
  package init(
    interface: UInt32, address: IPAddress, hardwareAddress: HardwareAddress?,
    state: State = .permanent
  ) {
    self.interface = interface
    self.address = address
    self.hardwareAddress = hardwareAddress
    self.state = state
    flags = 0
    kind = 1
  }

  /// What asks for the addresses that this host answers for though they are behind it (`NTF_PROXY`).
  package static var proxyQuestion: NetlinkMessage {
    // struct ndmsg: family, padding, interface, state, flags, kind.
    NetlinkMessage(
      type: RouteMessageType.getNeighbour, flags: NetlinkMessage.dumpRequest,
      payload: [UInt8](repeating: 0, count: 10) + [0x08, 0])
  }

  private static let headerLength = 12
  private enum Attribute {
    static let destination: UInt16 = 1
    static let hardwareAddress: UInt16 = 2
  }

  /// The neighbour in an `RTM_NEWNEIGH` or `RTM_DELNEIGH`; throws for families other than IP (a
  /// bridge's forwarding table is dumped as neighbours too).
  package init(parsing message: NetlinkMessage) throws(WireError) {
    try message.need(RouteMessageType.newNeighbour...RouteMessageType.deleteNeighbour, "neighbour")
    var reader = ByteReader(message.payload.span)
    let family = try reader.u8()
    try reader.skip(3)
    interface = try reader.littleEndian()
    state = State(rawValue: try reader.littleEndian())
    flags = try reader.u8()
    kind = try reader.u8()
    let attributes = try RouteAttributes(message, after: Self.headerLength)
    guard let address = try attributes.address(Attribute.destination),
      AddressFamily.of(address) == family
    else { throw WireError("neighbour of family \(family) without an IP address", at: 0) }
    self.address = address
    hardwareAddress = attributes.hardware(Attribute.hardwareAddress)
  }

  /// The neighbour as an `RTM_NEWNEIGH`.
  package var message: NetlinkMessage {
    var payload: [UInt8] = [AddressFamily.of(address), 0, 0, 0]
    payload.append(littleEndian: interface)
    payload.append(littleEndian: state.rawValue)
    payload += [flags, kind]
    var attributes = [NetlinkAttribute(Attribute.destination, address.bytes)]
    if let hardwareAddress {
      attributes.append(.init(Attribute.hardwareAddress, hardwareAddress.bytes))
    }
    return NetlinkMessage(type: RouteMessageType.newNeighbour, payload: payload + attributes.bytes)
  }

  /// The `RTM_DELNEIGH` that takes it away.
  package var deletion: NetlinkMessage { message.typed(RouteMessageType.deleteNeighbour) }
}
