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

  init?(_ attribute: NetlinkAttribute?) throws(WireError) {
    guard let attribute else { return nil }
    let parts = try attribute.nested()
    guard let ip = try parts[type: 1]?.nested(), let l4 = try parts[type: 2]?.nested(),
      let source = (ip[type: 1] ?? ip[type: 3]).flatMap({ IPAddress(bytes: $0.value) }),
      let destination = (ip[type: 2] ?? ip[type: 4]).flatMap({ IPAddress(bytes: $0.value) }),
      source.family == destination.family, let proto = l4[type: 1]?.value.first
    else { return nil }
    self.init(
      source: source, destination: destination, proto: IPProtocol(rawValue: proto),
      sourcePort: l4[type: 2]?.network(), destinationPort: l4[type: 3]?.network(),
      icmpID: (l4[type: 4] ?? l4[type: 7])?.network(),
      icmpType: (l4[type: 5] ?? l4[type: 8])?.value.first,
      icmpCode: (l4[type: 6] ?? l4[type: 9])?.value.first)
  }

  func attribute(_ type: UInt16) -> NetlinkAttribute {
    let v6 = source.family == 6
    let icmp: UInt16 = proto == .icmpv6 ? 7 : 4
    var l4 = [NetlinkAttribute(1, [proto.rawValue])]
    if let sourcePort { l4.append(NetlinkAttribute(2, network: sourcePort)) }
    if let destinationPort { l4.append(NetlinkAttribute(3, network: destinationPort)) }
    if let icmpID { l4.append(NetlinkAttribute(icmp, network: icmpID)) }
    if let icmpType { l4.append(NetlinkAttribute(icmp + 1, [icmpType])) }
    if let icmpCode { l4.append(NetlinkAttribute(icmp + 2, [icmpCode])) }
    return NetlinkAttribute(
      type,
      nested: [
        NetlinkAttribute(
          1,
          nested: [
            NetlinkAttribute(v6 ? 3 : 1, source.bytes),
            NetlinkAttribute(v6 ? 4 : 2, destination.bytes),
          ]),
        NetlinkAttribute(2, nested: l4),
      ])
  }
}
