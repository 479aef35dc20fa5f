internal import Trace
internal import Wire

extension NetlinkMessage {
  /// The chain that a setup has at a point, as the kernel lists it: NFT_MSG_NEWCHAIN.
  init(chainOf point: ObservationPoint, _ devices: [String]) {
    let isEdge = point.hook == .ingress || point.hook == .egress
    let family = isEdge ? NFProto.netdev : NFProto.inet
    var hook = [
      NetlinkAttribute(1, network: point.hook.number(family: family)),
      NetlinkAttribute(2, network: UInt32(bitPattern: point.priority)),
    ]
    if isEdge {
      hook.append(NetlinkAttribute(4, nested: devices.map { NetlinkAttribute(1, string: $0) }))
    }
    self.init(
      type: ChainMessage.newType,
      payload: NetfilterHeader(family: family).bytes
        + [
          NetlinkAttribute(1, string: OwnTable.setup.name),
          NetlinkAttribute(3, string: point.chain),
          NetlinkAttribute(4, nested: hook), NetlinkAttribute(7, string: "filter"),
        ].bytes)
  }
}
