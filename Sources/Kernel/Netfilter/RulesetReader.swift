internal import CNetfilter
internal import Glibc
package import Trace
package import Wire

/// Reads nf_tables' ruleset: which chains there are, and single rules by their handle.
@safe package struct RulesetReader: ~Copyable {
  private let socket: OpaquePointer
  private var sequence: UInt32 = 0

  /// Opens a netlink socket of its own.
  package init() throws(KernelError) {
    guard let opened = unsafe mnl_socket_open2(NETLINK_NETFILTER, Int32(SOCK_CLOEXEC.rawValue))
    else {
      throw KernelError(
        cannot: "open a netfilter socket", function: "mnl_socket_open2", errno: Glibc.errno,
        help: "The kernel needs CONFIG_NETFILTER_NETLINK.")
    }
    unsafe socket = opened
    _ = unsafe mnl_socket_bind(socket, 0, 0)
  }

  deinit { _ = unsafe mnl_socket_close(socket) }

  /// All chains of all families, as NFT_MSG_NEWCHAIN messages.
  package mutating func chains() throws(KernelError) -> [NetlinkMessage] {
    try request("list chains", NFT_MSG_GETCHAIN, family: 0, [], dump: true)
  }

  /// All tables of all families, by name, and whether only the program that made one may change it.
  package mutating func tables() throws(KernelError) -> [(
    family: UInt8, name: String, isOwned: Bool
  )] {
    try request("list tables", NFT_MSG_GETTABLE, family: 0, [], dump: true).compactMap { message in
      guard let family = try? NetfilterHeader(message.payload).family,
        let attributes = try? NetlinkAttribute.all(
          in: message.payload, from: NetfilterHeader.length),
        let name = attributes[type: UInt16(NFTA_TABLE_NAME.rawValue)]?.string
      else { return nil }
      // NFTA_TABLE_FLAGS, NFT_TABLE_F_OWNER.
      let flags: UInt32 = attributes[type: 2]?.network() ?? 0
      return (family, name, flags & 2 != 0)
    }
  }

  /// What nft(8) calls a family: "inet".
  package static func family(_ number: UInt8) -> String { NFProto.name(number) }

  /// The rule of a step, as an NFT_MSG_NEWRULE message; nil if it is gone.
  package mutating func rule(_ step: RuleStep) -> NetlinkMessage? {
    guard let handle = step.handle else { return nil }
    return try? request(
      "read a rule", NFT_MSG_GETRULE, family: step.family,
      [
        NetlinkAttribute(UInt16(NFTA_RULE_TABLE.rawValue), string: step.table),
        NetlinkAttribute(UInt16(NFTA_RULE_CHAIN.rawValue), string: step.chain),
        NetlinkAttribute(UInt16(NFTA_RULE_HANDLE.rawValue), network: handle),
      ], dump: false
    ).first
  }

  /// All rules of the step's chain in their order, as NFT_MSG_NEWRULE messages; none if it is gone.
  package mutating func chain(_ step: RuleStep) -> [NetlinkMessage] {
    let messages = try? request(
      "list a chain", NFT_MSG_GETRULE, family: step.family,
      [
        NetlinkAttribute(UInt16(NFTA_RULE_TABLE.rawValue), string: step.table),
        NetlinkAttribute(UInt16(NFTA_RULE_CHAIN.rawValue), string: step.chain),
      ], dump: true)
    return messages ?? []
  }

  /// The number of the ruleset's generation, which every transaction raises.
  mutating func generation() -> UInt32? {
    let answer = try? request("ask for the generation", NFT_MSG_GETGEN, family: 0, [], dump: false)
    guard let message = answer?.first else { return nil }
    let attributes = try? NetlinkAttribute.all(in: message.payload, from: NetfilterHeader.length)
    return attributes?[type: UInt16(NFTA_GEN_ID.rawValue)]?.network()
  }

  /// Waits until the kernel has told its listeners of every change that could be read by now.
  ///
  /// It tells of a transaction after it has carried it out, and begins no other before: so it is
  /// given one of nothing, which it carries out before the call that sends it returns.
  package mutating func awaitNotifications() {
    let payload = [0, 0, 0, NetfilterSubsystem.nftables]
    let bytes =
      NetlinkMessage(
        type: UInt16(NFNL_MSG_BATCH_BEGIN), flags: UInt16(NLM_F_REQUEST), sequence: 0,
        payload: payload
      ).bytes
      + NetlinkMessage(
        type: UInt16(NFNL_MSG_BATCH_END), flags: UInt16(NLM_F_REQUEST), sequence: 0,
        payload: payload
      ).bytes
    _ = unsafe bytes.withUnsafeBytes {
      unsafe mnl_socket_sendto(socket, $0.baseAddress!, $0.count)
    }
  }

  private mutating func request(
    _ attempt: String, _ type: nf_tables_msg_types, family: UInt8, _ attributes: [NetlinkAttribute],
    dump: Bool
  ) throws(KernelError) -> [NetlinkMessage] {
    sequence += 1
    let message = NetlinkMessage(
      type: UInt16(NetfilterSubsystem.nftables) << 8 | UInt16(type.rawValue),
      flags: UInt16(NLM_F_REQUEST) | (dump ? UInt16(NLM_F_DUMP) : UInt16(NLM_F_ACK)),
      sequence: sequence, payload: NetfilterHeader(family: family).bytes + attributes.bytes)
    let bytes = message.bytes
    let sent = unsafe bytes.withUnsafeBytes {
      unsafe mnl_socket_sendto(socket, $0.baseAddress!, $0.count)
    }
    guard sent >= 0 else {
      throw KernelError(cannot: attempt, function: "mnl_socket_sendto", errno: Glibc.errno)
    }
    return try receive(attempt)
  }

  private mutating func receive(_ attempt: String) throws(KernelError) -> [NetlinkMessage] {
    var found: [NetlinkMessage] = []
    var buffer: [UInt8] = .room(1 << 16)
    while true {
      let count = unsafe buffer.withUnsafeMutableBytes {
        unsafe mnl_socket_recvfrom(socket, $0.baseAddress!, $0.count)
      }
      guard count >= 0 else {
        throw KernelError(cannot: attempt, function: "mnl_socket_recvfrom", errno: Glibc.errno)
      }
      for message in (try? NetlinkMessage.all(in: Array(buffer[..<count]))) ?? []
      where message.sequence == sequence {
        switch Int32(message.type) {
        case NLMSG_DONE: return found
        case NLMSG_ERROR:
          let failed = message.errorCode
          if failed == 0 { return found }
          throw KernelError(
            cannot: attempt, function: "nf_tables", errno: failed,
            help: RefusalAdvice.help(for: failed, "CAP_NET_ADMIN", "nf_tables (modprobe nf_tables)")
          )
        default: found.append(message)
        }
      }
    }
  }
}
