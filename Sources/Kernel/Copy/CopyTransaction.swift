internal import CNetfilter
internal import Glibc
internal import Wire

/// Messages to nf_tables that are carried out together.
struct CopyTransaction {
  private var steps: [(message: NetlinkMessage, what: String)] = []

  /// `what` says of what it is, where it is refused.
  mutating func add(_ message: NetlinkMessage, _ what: String) { steps.append((message, what)) }

  /// Carries it out. Returns what the kernel refused, in which case nothing was done, and that is no longer part of it.
  mutating func carryOut() throws(KernelError) -> [(what: String, errno: Int32)] {
    let attempt = "copy the ruleset"
    let conversation = try NetlinkConversation(with: .netfilter, attempt: attempt)
    var bytes = batch(NFNL_MSG_BATCH_BEGIN, sequence: 0)
    for (index, step) in steps.enumerated() {
      var message = step.message
      message.sequence = UInt32(index + 1)
      message.flags |= UInt16(NLM_F_REQUEST)
      // The last one's acknowledgment says that all is done.
      if index == steps.count - 1 { message.flags |= UInt16(NLM_F_ACK) }
      bytes += message.bytes
    }
    bytes += batch(NFNL_MSG_BATCH_END, sequence: UInt32(steps.count + 1))
    for option in [SO_SNDBUFFORCE, SO_RCVBUFFORCE] {
      var room = Int32(clamping: bytes.count * 4)
      // Sound: the size is that of the variable pointed to.
      _ = unsafe setsockopt(
        conversation.descriptor, SOL_SOCKET, option, &room, socklen_t(MemoryLayout<Int32>.size))
    }
    try conversation.send(bytes, attempt: attempt)
    let refused = try hear(conversation, attempt)
    let reasons = refused.map { (what: steps[$0.key].what, errno: $0.value) }
    for index in refused.keys { steps[index] = replacement(of: steps[index]) ?? steps[index] }
    let gone = Set(refused.keys.filter { replacement(of: steps[$0]) == nil })
    steps = steps.enumerated().filter { !gone.contains($0.offset) }.map(\.element)
    return reasons
  }

  /// The errnos of the steps that were refused. The kernel has said all before send(2) returns.
  private func hear(
    _ conversation: consuming NetlinkConversation, _ attempt: String
  ) throws(KernelError) -> [Int: Int32] {
    var refused: [Int: Int32] = [:]
    while true {
      let messages = try conversation.receive(attempt: attempt, wait: false)
      if messages.isEmpty { return refused }
      for message in messages where message.errorCode != 0 {
        // What is said of the batch as a whole is no step's.
        guard message.sequence > 0, Int(message.sequence) <= steps.count else {
          throw KernelError(
            cannot: attempt, function: "nf_tables", errno: message.errorCode,
            help: RefusalAdvice.help(for: message.errorCode, "CAP_NET_ADMIN", "nf_tables"))
        }
        refused[Int(message.sequence) - 1] = message.errorCode
      }
    }
  }

  /// A rule that says nothing, for one that the kernel does not take.
  private func replacement(
    of step: (message: NetlinkMessage, what: String)
  ) -> (message: NetlinkMessage, what: String)? {
    let payload = step.message.payload
    guard step.message.type & 0xff == UInt16(NFT_MSG_NEWRULE.rawValue),
      let attributes = try? NetlinkAttribute.all(in: payload, from: NetfilterHeader.length),
      attributes[type: UInt16(NFTA_RULE_EXPRESSIONS.rawValue)] != nil
    else { return nil }
    let rest = attributes.filter {
      $0.type != UInt16(NFTA_RULE_EXPRESSIONS.rawValue)
        && $0.type != UInt16(NFTA_RULE_COMPAT.rawValue)
    }
    var message = step.message
    message.payload = Array(payload[..<NetfilterHeader.length]) + rest.bytes
    return (message, step.what)
  }

  /// What begins or ends a batch.
  private func batch(_ type: Int32, sequence: UInt32) -> [UInt8] {
    NetlinkMessage(
      type: UInt16(type), flags: UInt16(NLM_F_REQUEST), sequence: sequence,
      payload: [0, 0, 0, NetfilterSubsystem.nftables]
    ).bytes
  }
}

/// Takes handles that nobody is to have: the first is a chain's, and the others are those of its rules.
struct HandleFiller {
  let family: UInt8
  let table: String
  private var isBegun = false
  /// No chain of anybody's.
  private static let chain = "nftrace handles"

  init(family: UInt8, table: String) {
    self.family = family
    self.table = table
  }

  /// The message that takes the next one.
  mutating func take() -> NetlinkMessage {
    defer { isBegun = true }
    return message(isBegun ? NFT_MSG_NEWRULE : NFT_MSG_NEWCHAIN, flags: 0x400 | 0x800)
  }

  /// What removes all of it again.
  var removal: NetlinkMessage? { isBegun ? message(NFT_MSG_DELCHAIN, flags: 0) : nil }

  private func message(_ type: nf_tables_msg_types, flags: UInt16) -> NetlinkMessage {
    // NFTA_CHAIN_NAME is 3, NFTA_RULE_CHAIN 2.
    let isRule = type == NFT_MSG_NEWRULE
    return NetlinkMessage(
      type: type.inNetlink, flags: flags,
      payload: NetfilterHeader(family: family).bytes
        + [
          NetlinkAttribute(1, string: table),
          NetlinkAttribute(isRule ? 2 : 3, string: Self.chain),
        ].bytes)
  }
}

extension nf_tables_msg_types {
  /// The type of a netlink message.
  var inNetlink: UInt16 { UInt16(NetfilterSubsystem.nftables) << 8 | UInt16(rawValue) }
}
