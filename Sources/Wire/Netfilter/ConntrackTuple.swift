/// One direction of a connection as conntrack keeps it.
package struct ConntrackTuple: Sendable, Hashable {
  /// Who sends in this direction.
  package var source: IPAddress
  /// Who receives in this direction, of the same family as `source`.
  package var destination: IPAddress
  /// The transport protocol.
  package var proto: IPProtocol
  /// The sender's port, in TCP, UDP and their like.
  package var sourcePort: UInt16?
  /// The receiver's port, in TCP, UDP and their like.
  package var destinationPort: UInt16?
  /// The identifier of an ICMP echo.
  package var icmpID: UInt16?
  /// The ICMP type; in the reply direction, the answer's.
  package var icmpType: UInt8?
  /// The ICMP code.
  package var icmpCode: UInt8?

  /// A tuple of these fields.
  package init(
    source: IPAddress, destination: IPAddress, proto: IPProtocol, sourcePort: UInt16? = nil,
    destinationPort: UInt16? = nil, icmpID: UInt16? = nil, icmpType: UInt8? = nil,
    icmpCode: UInt8? = nil
  ) {
    self.source = source
    self.destination = destination
    self.proto = proto
    self.sourcePort = sourcePort
    self.destinationPort = destinationPort
    self.icmpID = icmpID
    self.icmpType = icmpType
    self.icmpCode = icmpCode
  }

  /// enum ctattr_tuple.
  private enum Attribute {
    static let ip: UInt16 = 1
    static let transport: UInt16 = 2
  }

  /// enum ctattr_ip.
  private enum Address {
    static let source4: UInt16 = 1
    static let destination4: UInt16 = 2
    static let source6: UInt16 = 3
    static let destination6: UInt16 = 4
  }

  /// enum ctattr_l4proto.
  private enum Transport {
    static let proto: UInt16 = 1
    static let sourcePort: UInt16 = 2
    static let destinationPort: UInt16 = 3
    static let icmpID: UInt16 = 4
    static let icmpType: UInt16 = 5
    static let icmpCode: UInt16 = 6
    static let icmp6ID: UInt16 = 7
    static let icmp6Type: UInt16 = 8
    static let icmp6Code: UInt16 = 9
  }

  init?(_ attribute: NetlinkAttribute?) throws(WireError) {
    guard let attribute else { return nil }
    let parts = try attribute.nested()
    guard let ip = try parts[type: Attribute.ip]?.nested(),
      let l4 = try parts[type: Attribute.transport]?.nested(),
      let source = (ip[type: Address.source4] ?? ip[type: Address.source6])
        .flatMap({ IPAddress(bytes: $0.value) }),
      let destination = (ip[type: Address.destination4] ?? ip[type: Address.destination6])
        .flatMap({ IPAddress(bytes: $0.value) }),
      source.family == destination.family, let proto = l4[type: Transport.proto]?.value.first
    else { return nil }
    self.init(
      source: source, destination: destination, proto: IPProtocol(rawValue: proto),
      sourcePort: l4[type: Transport.sourcePort]?.network(),
      destinationPort: l4[type: Transport.destinationPort]?.network(),
      icmpID: (l4[type: Transport.icmpID] ?? l4[type: Transport.icmp6ID])?.network(),
      icmpType: (l4[type: Transport.icmpType] ?? l4[type: Transport.icmp6Type])?.value.first,
      icmpCode: (l4[type: Transport.icmpCode] ?? l4[type: Transport.icmp6Code])?.value.first)
  }

  func attribute(_ type: UInt16) -> NetlinkAttribute {
    let isV6 = source.family == 6
    let isICMPv6 = proto == .icmpv6
    var l4 = [NetlinkAttribute(Transport.proto, [proto.rawValue])]
    if let sourcePort { l4.append(NetlinkAttribute(Transport.sourcePort, network: sourcePort)) }
    if let destinationPort {
      l4.append(NetlinkAttribute(Transport.destinationPort, network: destinationPort))
    }
    if let icmpID {
      l4.append(
        NetlinkAttribute(isICMPv6 ? Transport.icmp6ID : Transport.icmpID, network: icmpID))
    }
    if let icmpType {
      l4.append(NetlinkAttribute(isICMPv6 ? Transport.icmp6Type : Transport.icmpType, [icmpType]))
    }
    if let icmpCode {
      l4.append(NetlinkAttribute(isICMPv6 ? Transport.icmp6Code : Transport.icmpCode, [icmpCode]))
    }
    let addresses = [
      NetlinkAttribute(isV6 ? Address.source6 : Address.source4, source.bytes),
      NetlinkAttribute(isV6 ? Address.destination6 : Address.destination4, destination.bytes),
    ]
    return NetlinkAttribute(
      type,
      nested: [
        NetlinkAttribute(Attribute.ip, nested: addresses),
        NetlinkAttribute(Attribute.transport, nested: l4),
      ])
  }
}
