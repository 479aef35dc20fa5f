/// The transport protocol that a rule of iptables-nft is for, or what a frame has in it, for a rule of ebtables-nft. Its matches
/// and targets are told of it when the rule is made (`NFTA_RULE_COMPAT`), and the kernel does not list it: what the rule's
/// expressions ask for says it.
package struct RuleProtocol: Sendable, Equatable {
  /// The protocol's number; the type of a frame as its two octets stand in memory.
  package var number: UInt16
  /// Whether the rule is for all others.
  package var isInverted: Bool

  /// enum nft_expr_attributes, and of meta, payload and cmp those that matter.
  private enum Attribute {
    static let name: UInt16 = 1
    static let data: UInt16 = 2
    static let metaRegister: UInt16 = 1
    static let metaKey: UInt16 = 2
    static let payloadRegister: UInt16 = 1
    static let payloadBase: UInt16 = 2
    static let payloadOffset: UInt16 = 3
    static let payloadLength: UInt16 = 4
    static let compareRegister: UInt16 = 1
    static let compareOperator: UInt16 = 2
    static let compareData: UInt16 = 3
    static let dataValue: UInt16 = 1
    static let compatibility: UInt16 = 5
  }

  /// What an expression (`NFTA_LIST_ELEM`) is called: "cmp", "match".
  package static func name(_ expression: NetlinkAttribute) -> String? {
    (try? expression.nested())?[type: Attribute.name]?.string
  }

  /// What the expressions of a rule of this family say; nil where they have no match or target of iptables, or ask for no
  /// protocol.
  package init?(_ expressions: [NetlinkAttribute], family: UInt8) {
    let isOfFrames = family == NFProto.bridge
    guard expressions.contains(where: { ["match", "target"].contains(Self.name($0)) }) else {
      return nil
    }
    // Which register has the protocol's number.
    var register: UInt32?
    for expression in expressions {
      guard let parts = try? expression.nested(),
        let data = (try? parts[type: Attribute.data]?.nested()) ?? nil
      else { continue }
      switch parts[type: Attribute.name]?.string {
      case "meta":
        // NFT_META_PROTOCOL and NFT_META_L4PROTO.
        let isProtocol =
          data[type: Attribute.metaKey]?.network() == UInt32(isOfFrames ? 1 : 16)
        if isProtocol { register = data[type: Attribute.metaRegister]?.network() }
      case "payload":
        // Of the network header, where IPv4 and IPv6 have it, or of the link's.
        let offset: UInt32? = data[type: Attribute.payloadOffset]?.network()
        let places: [UInt32] = isOfFrames ? [12] : [9, 6]
        guard data[type: Attribute.payloadBase]?.network() == UInt32(isOfFrames ? 0 : 1),
          data[type: Attribute.payloadLength]?.network() == UInt32(isOfFrames ? 2 : 1),
          let offset, places.contains(offset)
        else { continue }
        register = data[type: Attribute.payloadRegister]?.network()
      case "cmp":
        guard let register, data[type: Attribute.compareRegister]?.network() == register,
          let value = (try? data[type: Attribute.compareData]?.nested())?[
            type: Attribute.dataValue],
          value.value.count == (isOfFrames ? 2 : 1)
        else { continue }
        number = value.value.reversed().reduce(0) { $0 << 8 | UInt16($1) }
        // NFT_CMP_NEQ.
        isInverted = data[type: Attribute.compareOperator]?.network() == UInt32(1)
        return
      default: continue
      }
    }
    return nil
  }

  /// The attribute of a rule that says so: NFTA_RULE_COMPAT, with NFT_RULE_COMPAT_F_INV.
  package var attribute: NetlinkAttribute {
    NetlinkAttribute(
      Attribute.compatibility,
      nested: [
        NetlinkAttribute(1, network: UInt32(number)),
        NetlinkAttribute(2, network: UInt32(isInverted ? 2 : 0)),
      ])
  }
}
