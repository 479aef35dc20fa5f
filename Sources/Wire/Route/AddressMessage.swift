/// An address of an interface (`struct ifaddrmsg`).
package struct AddressMessage: Sendable, Hashable {
  /// Index of the interface it is on.
  package var interface: UInt32
  /// The address and the length of its subnet.
  package var local: Prefix
  /// The other end, where that is not the interface itself.
  package var peer: IPAddress?
  /// IPv4's broadcast address, where there is one.
  package var broadcast: IPAddress?
  /// The label ifconfig(8) shows; IPv4 only.
  package var label: String?
  /// Where it is valid.
  package var scope: RouteScope
  /// `IFA_F_…` bits.
  package var flags: UInt32

  /// `IFA_F_NODAD`: usable at once, without asking the link whether somebody else has it.
  package static let noDuplicateDetection: UInt32 = 0x02
  /// `IFA_F_OPTIMISTIC`: usable while duplicate detection is on.
  package static let optimistic: UInt32 = 0x04
  /// `IFA_F_DADFAILED`: somebody else on the link has the address, and it is not used.
  package static let duplicate: UInt32 = 0x08
  /// `IFA_F_TENTATIVE`: duplicate detection is not over, the address cannot be used yet.
  package static let tentative: UInt32 = 0x40

  private static let headerLength = 8
  private enum Attribute {
    static let address: UInt16 = 1
    static let local: UInt16 = 2
    static let label: UInt16 = 3
    static let broadcast: UInt16 = 4
    static let flags: UInt16 = 8
  }

  /// A value with these fields.
  package init(
    interface: UInt32, local: Prefix, peer: IPAddress? = nil, broadcast: IPAddress? = nil,
    label: String? = nil, scope: RouteScope = .universe, flags: UInt32 = 0
  ) {
    self.interface = interface
    self.local = local
    self.peer = peer
    self.broadcast = broadcast
    self.label = label
    self.scope = scope
    self.flags = flags
  }

  /// The address in an `RTM_NEWADDR` or `RTM_DELADDR`; throws for families other than IP.
  package init(parsing message: NetlinkMessage) throws(WireError) {
    try message.need(RouteMessageType.newAddress...RouteMessageType.deleteAddress, "address")
    var reader = ByteReader(message.payload.span)
    let family = try reader.u8()
    let length = try reader.u8()
    let shortFlags = try reader.u8()
    scope = RouteScope(rawValue: try reader.u8())
    interface = try reader.littleEndian()
    let attributes = try RouteAttributes(message, after: Self.headerLength)
    // IFA_ADDRESS is the address itself on broadcast links and the peer on point-to-point ones,
    // where IFA_LOCAL has ours. IPv6 sends IFA_LOCAL only when there is a peer.
    let address = try attributes.address(Attribute.address)
    let own = try attributes.address(Attribute.local) ?? address
    guard let own, AddressFamily.of(own) == family, let local = Prefix(own, length: Int(length))
    else { throw WireError("interface address of family \(family)/\(length)", at: 0) }
    self.local = local
    peer = address == own ? nil : address
    broadcast = try attributes.address(Attribute.broadcast)
    label = attributes.string(Attribute.label)
    flags = try attributes.number(Attribute.flags) ?? UInt32(shortFlags)
  }

  /// The address as an `RTM_NEWADDR`.
  package var message: NetlinkMessage {
    var payload: [UInt8] = [
      AddressFamily.of(local.address), UInt8(local.length), UInt8(truncatingIfNeeded: flags),
      scope.rawValue,
    ]
    payload.append(littleEndian: interface)
    var attributes = [
      NetlinkAttribute(Attribute.local, local.address.bytes),
      NetlinkAttribute(Attribute.address, (peer ?? local.address).bytes),
    ]
    if let broadcast { attributes.append(.init(Attribute.broadcast, broadcast.bytes)) }
    if let label { attributes.append(.init(Attribute.label, string: label)) }
    attributes.append(.init(Attribute.flags, host: flags))
    return NetlinkMessage(type: RouteMessageType.newAddress, payload: payload + attributes.bytes)
  }

  /// The `RTM_DELADDR` that takes it away.
  package var deletion: NetlinkMessage { message.typed(RouteMessageType.deleteAddress) }
}
