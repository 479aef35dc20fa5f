internal import CNetfilter
package import Wire

/// What a lab's router has besides its links: a NAT rule an administrator would write.
package enum LabFirewall {
  /// Adds "table ip nat { chain postrouting … ip saddr SUBNET masquerade }", or the like in ip6,
  /// to the namespace of the calling thread.
  package static func masquerade(_ subnet: Prefix) throws(KernelError) {
    var socket = try NetfilterSocket()
    let isV4 = subnet.address.family == 4
    let family = isV4 ? NFProto.ipv4 : NFProto.ipv6
    try socket.run { batch in
      batch.addTable(family: family, name: "nat", owned: false)
      batch.addBaseChain(
        family: family, table: "nat", name: "postrouting", type: "nat",
        hook: Hook.postrouting.number(family: family), priority: 100)
      batch.addRule(
        family: family, table: "nat", chain: "postrouting",
        RuleExpression.isFrom(subnet) + [.counter, .masquerade])
    }
  }
}

extension RuleExpression {
  /// `ip saddr PREFIX`, in a table of that family.
  fileprivate static func isFrom(_ prefix: Prefix) -> [RuleExpression] {
    let isV4 = prefix.address.family == 4
    let whole = prefix.network.address.bytes
    // A prefix of whole octets needs no mask, and nft lists it as one.
    let octets = prefix.length / 8
    return [
      .loadPayload(base: .network, offset: isV4 ? 12 : 8, length: UInt32(octets)),
      .compare(Array(whole[..<octets]), equal: true),
    ]
  }
}
