internal import CNetfilter
internal import Glibc
internal import Wire

/// Messages to nf_tables that are carried out together, of one table after the other.
struct CopyTransaction {
  /// In their order.
  var steps: [Step] = []

  /// What is done.
  struct Step {
    /// The table that it is of: its family and its name.
    var family: UInt8
    var table: String
    /// Of what it is, where it is refused: "rule with handle 3 of chain f".
    var what: String
    /// What it is in: "chain f", "set s"; nil for what is in the table alone.
    var within: String?
    var kind: Kind

    /// How it is done.
    enum Kind {
      /// By this message.
      case made(NetlinkMessage)
      /// By taking a handle that nobody is to have.
      case handle
      /// By giving those up that were taken.
      case end
      /// Not at all.
      case nothing
    }
  }

  /// What the kernel did not take: of what it is, and why.
  struct Refusal: Equatable {
    var what: String
    var errno: Int32
  }

  mutating func add(_ step: Step) { steps.append(step) }

  /// Carries it out, without what the kernel refuses: of a rule that it does not take an empty one keeps the place, and of
  /// whatever has a handle that is kept. Returns what that was, but for what is in something that was refused itself.
  mutating func carryOut() throws(KernelError) -> [Refusal] {
    var all: [Int: Int32] = [:]
    // Each time it is said of all that was refused: what these had made possible is refused the next time.
    for _ in 1...Self.mostRounds {
      let (refused, isLate) = try attempt()
      if refused.isEmpty { return told(all) }
      if isLate { return try carryOutApart(behind: told(all)) }
      for (index, errno) in refused {
        if all[index] == nil { all[index] = errno }
        replace(index)
      }
    }
    throw KernelError(
      cannot: Self.words,
      help: told(all).map { "\($0.what): \(KernelError.message($0.errno))" }
        .joined(separator: "; "))
  }

  private static let mostRounds = 12
  private static let words = "copy the ruleset"

  /// The tables one by one, where something keeps the kernel from doing all of it at once: that table is left out alone.
  private func carryOutApart(behind told: [Refusal]) throws(KernelError) -> [Refusal] {
    var parts: [CopyTransaction] = []
    for step in steps {
      if parts.last?.steps.first.map({ $0.family == step.family && $0.table == step.table })
        != true
      {
        parts.append(CopyTransaction())
      }
      parts[parts.count - 1].add(step)
    }
    var told = told
    for part in parts {
      var part = part
      let (refused, _) = try part.attempt()
      if refused.isEmpty { continue }
      if parts.count > 1, refused.count > 1 {
        told += try part.carryOut()
      } else if let first = refused.first {
        told.append(Refusal(what: part.steps[0].what, errno: first.value))
      }
    }
    return told
  }

  /// What of this is told: nothing of what is in something that is missing as a whole.
  private func told(_ refused: [Int: Int32]) -> [Refusal] {
    let missing = Set(
      refused.keys.map { "\(steps[$0].family) \(steps[$0].table) \(steps[$0].what)" })
    return refused.sorted { $0.key < $1.key }.compactMap { index, errno in
      let step = steps[index]
      let around = ["table \(step.table)", step.within].compactMap(\.self)
      if around.contains(where: {
        $0 != step.what && missing.contains("\(step.family) \(step.table) \($0)")
      }) {
        return nil
      }
      return Refusal(what: step.what, errno: errno)
    }
  }

  // MARK: One attempt

  /// Has it done. Returns the errnos of the steps that were refused, in which case nothing was done; `isLate` where each
  /// of them was taken, and all of it was not.
  private func attempt() throws(KernelError) -> (refused: [Int: Int32], isLate: Bool) {
    let attempt = Self.words
    let conversation = try NetlinkConversation(with: .netfilter, attempt: attempt)
    let bytes = self.bytes
    // Each refusal takes a buffer of its own, of a kilobyte.
    for (option, octets) in [
      (SO_SNDBUFFORCE, bytes.count * 4), (SO_RCVBUFFORCE, bytes.count * 4 + steps.count * 2048),
    ] {
      var room = Int32(clamping: min(octets, 1 << 29))
      // Sound: the size is that of the variable pointed to.
      _ = unsafe setsockopt(
        conversation.descriptor, SOL_SOCKET, option, &room, socklen_t(MemoryLayout<Int32>.size))
    }
    try conversation.send(bytes, attempt: attempt)
    let refused = try hear(conversation, attempt)
    // What is said of the whole is said of the first message. A table that was refused itself has nothing in it.
    let isLate =
      refused.count == 1 && refused[0] != nil && steps.count > 1
      && steps[0].table == steps[1].table
    return (refused, isLate)
  }

  /// The messages, of which each has the number of its step, counted from 1.
  private var bytes: [UInt8] {
    var bytes = batch(NFNL_MSG_BATCH_BEGIN, sequence: 0)
    var filler: HandleFiller?
    let last = steps.indices.last { if case .made = steps[$0].kind { true } else { false } }
    for (index, step) in steps.enumerated() {
      if filler?.family != step.family || filler?.table != step.table {
        filler = HandleFiller(family: step.family, table: step.table)
      }
      let made: NetlinkMessage? =
        switch step.kind {
        case .made(let message): message
        case .handle: filler?.take()
        case .end: filler?.removal()
        case .nothing: nil
        }
      guard var message = made else { continue }
      message.sequence = UInt32(index + 1)
      message.flags |= UInt16(NLM_F_REQUEST)
      // The last one's acknowledgment says that all is done.
      if index == last { message.flags |= UInt16(NLM_F_ACK) }
      bytes += message.bytes
    }
    return bytes + batch(NFNL_MSG_BATCH_END, sequence: UInt32(steps.count + 1))
  }

  /// The errnos of the steps that were refused. The kernel has said all before send(2) returns.
  private func hear(
    _ conversation: consuming NetlinkConversation, _ attempt: String
  ) throws(KernelError) -> [Int: Int32] {
    var refused: [Int: Int32] = [:]
    var overflow: KernelError?
    while true {
      let messages: [NetlinkMessage]
      do {
        messages = try conversation.receive(attempt: attempt, wait: false)
      } catch  where error.errno == ENOBUFS && overflow == nil {
        // What there was no room for is said the next time.
        overflow = error
        continue
      }
      if messages.isEmpty {
        if let overflow, refused.isEmpty { throw overflow }
        return refused
      }
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

  // MARK: What is refused

  /// Puts what the kernel may take in the place of a step that it refused.
  private mutating func replace(_ index: Int) {
    guard case .made(let message) = steps[index].kind else { return }
    switch Int32(message.type & 0xff) {
    case Int32(NFT_MSG_NEWRULE.rawValue):
      if let (empty, sets) = Self.emptied(message) {
        steps[index].kind = .made(empty)
        leaveOut(sets, like: steps[index])
      } else {
        steps[index].kind = .handle
      }
    case Int32(NFT_MSG_NEWCHAIN.rawValue), Int32(NFT_MSG_NEWSET.rawValue),
      Int32(NFT_MSG_NEWOBJ.rawValue):
      steps[index].kind = .handle
    default: steps[index].kind = .nothing
    }
  }

  /// A set without a name of its own that no rule has is refused, with all else.
  private mutating func leaveOut(_ sets: Set<String>, like step: Step) {
    for index in steps.indices
    where steps[index].family == step.family && steps[index].table == step.table {
      guard case .made(let message) = steps[index].kind, let listed = ListedObject(message)
      else { continue }
      switch Int32(message.type & 0xff) {
      case Int32(NFT_MSG_NEWSET.rawValue):
        let flags: UInt32 = listed[NFTA_SET_FLAGS.rawValue]?.network() ?? 0
        if flags & NFT_SET_ANONYMOUS.rawValue != 0,
          sets.contains(listed.string(NFTA_SET_NAME.rawValue) ?? "")
        {
          steps[index].kind = .handle
        }
      case Int32(NFT_MSG_NEWSETELEM.rawValue):
        // Only those of a set that is fixed are with it.
        if steps[index].what.hasPrefix("set "),
          sets.contains(listed.string(NFTA_SET_ELEM_LIST_SET.rawValue) ?? "")
        {
          steps[index].kind = .nothing
        }
      default: continue
      }
    }
  }

  /// A rule that says nothing, for one that the kernel does not take, and the sets that it looked up; nil for what says nothing.
  /// A chain without a name of its own must have the rule that leads there, or all is refused: so that one is kept, behind what
  /// no packet gets past.
  private static func emptied(_ message: NetlinkMessage) -> (NetlinkMessage, Set<String>)? {
    let payload = message.payload
    guard let attributes = try? NetlinkAttribute.all(in: payload, from: NetfilterHeader.length),
      let expressions = attributes[type: UInt16(NFTA_RULE_EXPRESSIONS.rawValue)]
    else { return nil }
    let rest = attributes.filter {
      $0.type != UInt16(NFTA_RULE_EXPRESSIONS.rawValue)
        && $0.type != UInt16(NFTA_RULE_COMPAT.rawValue)
    }
    let said = (try? expressions.nested()) ?? []
    var kept: [NetlinkAttribute] = []
    if let jump = said.first(where: MadeExpression.entersNameless),
      !said.starts(with: MadeExpression.never)
    {
      kept = [
        NetlinkAttribute(
          UInt16(NFTA_RULE_EXPRESSIONS.rawValue), nested: MadeExpression.never + [jump])
      ]
    }
    var empty = message
    empty.payload = Array(payload[..<NetfilterHeader.length]) + (rest + kept).bytes
    return (empty, Set(said.compactMap(MadeExpression.set)))
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
private struct HandleFiller {
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
  mutating func removal() -> NetlinkMessage? {
    defer { isBegun = false }
    return isBegun ? message(NFT_MSG_DELCHAIN, flags: 0) : nil
  }

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
