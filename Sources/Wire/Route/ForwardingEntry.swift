/// An entry of a bridge's forwarding table: behind which port a link-layer address is (`struct ndmsg` of
/// family AF_BRIDGE, <linux/neighbour.h>).
package struct ForwardingEntry: Sendable, Equatable {
  /// Index of the port.
  package var port: UInt32
  /// Who is there.
  package var address: HardwareAddress

  /// Whether somebody wrote it down (`static`): it is not learned, and does not age.
  package var isStatic = false
  /// Whether the bridge has it and not the port itself: a VXLAN device has entries of its own.
  package var isOfBridge = true

  /// The other end of the tunnel behind which the address is, of an entry of a VXLAN device's own (`NDA_DST`).
  package var remote: IPAddress?

  /// An entry of these fields.
  package init(port: UInt32, address: HardwareAddress) {
    self.port = port
    self.address = address
  }

  /// The family by which netlink lists these entries.
  package static let family = AddressFamily.bridge

  private static let (destination, hardwareAddress): (UInt16, UInt16) = (1, 2)
  private static let headerLength = 12
  /// `NTF_MASTER`: the entry is the bridge's, not the port's own.
  private static let ofMaster: UInt8 = 0x04
  /// `NTF_SELF`: the entry is the port's own.
  private static let ofPort: UInt8 = 0x02
  /// `NUD_NOARP`: what bridge(8) calls static.
  private static let written: UInt16 = 0x40

  /// The entry in an `RTM_NEWNEIGH`; nil for other neighbours.
  package init?(parsing message: NetlinkMessage) throws(WireError) {
    guard message.type == RouteMessageType.newNeighbour,
      message.payload.first == AddressFamily.bridge
    else { return nil }
    var reader = ByteReader(message.payload.span)
    try reader.skip(4)
    port = try reader.littleEndian()
    let state: UInt16 = try reader.littleEndian()
    let flags = try reader.u8()
    isStatic = state & Self.written != 0
    isOfBridge = flags & Self.ofPort == 0
    let attributes = try RouteAttributes(message, after: Self.headerLength)
    guard let address = attributes.hardware(Self.hardwareAddress) else { return nil }
    self.address = address
    remote = attributes.all[type: Self.destination].flatMap { IPAddress(bytes: $0.value) }
  }

  /// The `RTM_DELNEIGH` that takes it away.
  package var deletion: NetlinkMessage {
    var payload: [UInt8] = [AddressFamily.bridge, 0, 0, 0]
    payload.append(littleEndian: port)
    payload += [0, 0, Self.ofMaster, 0]
    let attributes = [NetlinkAttribute(Self.hardwareAddress, address.bytes)]
    return NetlinkMessage(
      type: RouteMessageType.deleteNeighbour, payload: payload + attributes.bytes)
  }
}
