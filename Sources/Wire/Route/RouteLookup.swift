/// A question to the kernel: which way would a packet with these fields go (`RTM_GETROUTE`)?
package struct RouteLookup: Sendable, Equatable {
  /// Where the packet would go.
  package var destination: IPAddress
  /// Where it would come from; nil lets the kernel choose.
  package var source: IPAddress?
  /// Index of the interface it would arrive on; nil asks for a packet of this host.
  package var inputInterface: UInt32?
  /// Index of the interface it would be bound to.
  package var outputInterface: UInt32?
  /// Its packet mark.
  package var mark: UInt32?
  /// Type of service (IPv4) or traffic class (IPv6) it is for; 0 is any.
  package var tos: UInt8
  /// IP protocol number; rules may choose by it.
  package var ipProtocol: UInt8?
  /// Its source port; rules may choose by it.
  package var sourcePort: UInt16?
  /// Its destination port; rules may choose by it.
  package var destinationPort: UInt16?
  /// Answer with the route as it stands in its table, and not with what was made of it.
  package var fibMatch: Bool

  /// A value with these fields.
  package init(
    to destination: IPAddress, from source: IPAddress? = nil, inputInterface: UInt32? = nil,
    outputInterface: UInt32? = nil, mark: UInt32? = nil, tos: UInt8 = 0, ipProtocol: UInt8? = nil,
    sourcePort: UInt16? = nil, destinationPort: UInt16? = nil, fibMatch: Bool = false
  ) {
    self.destination = destination
    self.source = source
    self.inputInterface = inputInterface
    self.outputInterface = outputInterface
    self.mark = mark
    self.tos = tos
    self.ipProtocol = ipProtocol
    self.sourcePort = sourcePort
    self.destinationPort = destinationPort
    self.fibMatch = fibMatch
  }

  /// The question as an `RTM_GETROUTE`. It asks for the real table: without that bit the kernel
  /// says "main" whichever it was.
  package var message: NetlinkMessage {
    typealias Attribute = RouteMessage.Attribute
    var payload: [UInt8] = [
      AddressFamily.of(destination), UInt8(destination.bitWidth), UInt8(source?.bitWidth ?? 0), tos,
      0, 0, 0, 0,
    ]
    let flags: RouteMessage.Flags = fibMatch ? [.lookupTable, .fibMatch] : .lookupTable
    payload.append(littleEndian: flags.rawValue)
    var attributes = [NetlinkAttribute(Attribute.destination, destination.bytes)]
    if let source { attributes.append(.init(Attribute.source, source.bytes)) }
    if let inputInterface {
      attributes.append(.init(Attribute.inputInterface, host: inputInterface))
    }
    // What comes in is taken for root's (ip6_route_input), which a lookup for it is not by itself.
    if inputInterface != nil { attributes.append(.init(Attribute.uid, host: UInt32(0))) }
    if let outputInterface {
      attributes.append(.init(Attribute.outputInterface, host: outputInterface))
    }
    if let mark { attributes.append(.init(Attribute.mark, host: mark)) }
    if let ipProtocol { attributes.append(.init(Attribute.ipProtocol, host: ipProtocol)) }
    if let sourcePort { attributes.append(.init(Attribute.sourcePort, network: sourcePort)) }
    if let destinationPort {
      attributes.append(.init(Attribute.destinationPort, network: destinationPort))
    }
    return NetlinkMessage(type: RouteMessageType.getRoute, payload: payload + attributes.bytes)
  }

  /// The question in an `RTM_GETROUTE`. Throws when it is none, or cut off.
  package init(parsing message: NetlinkMessage) throws(WireError) {
    typealias Attribute = RouteMessage.Attribute
    guard message.type == RouteMessageType.getRoute else {
      throw WireError("no route lookup: type \(message.type)", at: 0)
    }
    var reader = ByteReader(message.payload.span)
    try reader.skip(3)
    tos = try reader.u8()
    try reader.skip(4)
    let flags: UInt32 = try reader.littleEndian()
    fibMatch = RouteMessage.Flags(rawValue: flags).contains(.fibMatch)
    let attributes = try NetlinkAttribute.all(in: message.payload, from: 12)
    guard let to = attributes[type: Attribute.destination].flatMap({ IPAddress(bytes: $0.value) })
    else { throw WireError("route lookup without a destination", at: 12) }
    destination = to
    source = attributes[type: Attribute.source].flatMap { IPAddress(bytes: $0.value) }
    inputInterface = attributes[type: Attribute.inputInterface]?.host()
    outputInterface = attributes[type: Attribute.outputInterface]?.host()
    mark = attributes[type: Attribute.mark]?.host()
    ipProtocol = attributes[type: Attribute.ipProtocol]?.value.first
    sourcePort = attributes[type: Attribute.sourcePort]?.network()
    destinationPort = attributes[type: Attribute.destinationPort]?.network()
  }
}
