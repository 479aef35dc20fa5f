internal import Wire

/// The sets of ipset(8), in which rules of iptables look packets up.
enum AddressSets {
  /// `IPSET_CMD_…`, in subsystem 6.
  enum Kind: UInt16 {
    case create = 0x0602, destroy = 0x0603, list = 0x0607, add = 0x0609
  }

  /// Whether the calling thread's network namespace has any.
  static var areThere: Bool {
    // To ask would have the kernel load its module.
    guard !Files.names(in: "/sys/module/ip_set").isEmpty,
      var conversation = try? NetlinkConversation(with: .netfilter, attempt: attempt)
    else { return false }
    // IPSET_ATTR_FLAGS with IPSET_FLAG_LIST_SETNAME: their names alone.
    let namesAlone = NetlinkAttribute(0x4006, network: UInt32(2))
    let listed = try? conversation.dump(message(.list, [namesAlone]), attempt: attempt)
    return listed?.isEmpty == false
  }

  private static let attempt = "list the sets of ipset"

  /// A message of this kind, with the version of the protocol (`IPSET_ATTR_PROTOCOL`).
  static func message(_ kind: Kind, _ attributes: [NetlinkAttribute]) -> NetlinkMessage {
    NetlinkMessage(
      type: kind.rawValue,
      payload: NetfilterHeader(family: NFProto.ipv4).bytes
        + ([NetlinkAttribute(1, [7])] + attributes).bytes)
  }
}
