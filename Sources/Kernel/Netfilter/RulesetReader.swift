internal import CNetfilter
internal import Glibc
package import Trace
package import Wire

/// Reads nf_tables' ruleset: which chains there are, and single rules by their handle.
package struct RulesetReader: ~Copyable {
  private var conversation: NetlinkConversation
  /// Who makes rules alone, to have their texts; nil where this process does itself.
  var deputy: Deputy?

  /// Opens a netlink socket of its own.
  package init() throws(KernelError) {
    conversation = try NetlinkConversation(with: .netfilter, attempt: "open a netfilter socket")
  }

  /// All chains of all families, as NFT_MSG_NEWCHAIN messages.
  package mutating func chains() throws(KernelError) -> [NetlinkMessage] {
    try conversation.dump(Self.request(NFT_MSG_GETCHAIN), attempt: "list chains")
  }

  /// All tables of all families, by name, whether only the program that made one may change it, and whether its
  /// chains are off.
  package mutating func tables() throws(KernelError) -> [(
    family: UInt8, name: String, isOwned: Bool, isDormant: Bool
  )] {
    try conversation.dump(
      Self.request(NFT_MSG_GETTABLE), attempt: "list tables"
    ).compactMap { message in
      guard let family = try? NetfilterHeader(message.payload).family,
        let attributes = try? NetlinkAttribute.all(
          in: message.payload, from: NetfilterHeader.length),
        let name = attributes[type: UInt16(NFTA_TABLE_NAME.rawValue)]?.string
      else { return nil }
      // NFTA_TABLE_FLAGS: NFT_TABLE_F_OWNER, NFT_TABLE_F_DORMANT.
      let flags: UInt32 = attributes[type: 2]?.network() ?? 0
      return (family, name, flags & 2 != 0, flags & 1 != 0)
    }
  }

  /// What nft(8) calls a family: "inet".
  package static func family(_ number: UInt8) -> String { NFProto.name(number) }

  /// The rule of a step, as an NFT_MSG_NEWRULE message; nil if it is gone.
  package mutating func rule(_ step: RuleStep) -> NetlinkMessage? {
    guard let handle = step.handle else { return nil }
    let answer = try? conversation.ask(
      Self.request(
        NFT_MSG_GETRULE, family: step.family,
        [
          NetlinkAttribute(UInt16(NFTA_RULE_TABLE.rawValue), string: step.table),
          NetlinkAttribute(UInt16(NFTA_RULE_CHAIN.rawValue), string: step.chain),
          NetlinkAttribute(UInt16(NFTA_RULE_HANDLE.rawValue), network: handle),
        ]), attempt: "read a rule")
    return answer.flatMap { $0.type == NetlinkMessage.errorType ? nil : $0 }
  }

  /// All rules of the step's chain in their order, as NFT_MSG_NEWRULE messages, of which those are kept that are wanted;
  /// none if it is gone.
  package mutating func chain(
    _ step: RuleStep, where isWanted: (NetlinkMessage) -> Bool = { _ in true }
  ) -> [NetlinkMessage] {
    let messages = try? conversation.dump(
      Self.chainRequest(step), attempt: "list a chain", where: isWanted)
    return messages ?? []
  }

  private static func chainRequest(_ step: RuleStep) -> NetlinkMessage {
    request(
      NFT_MSG_GETRULE, family: step.family,
      [
        NetlinkAttribute(UInt16(NFTA_RULE_TABLE.rawValue), string: step.table),
        NetlinkAttribute(UInt16(NFTA_RULE_CHAIN.rawValue), string: step.chain),
      ])
  }

  /// The handles of the rules of the step's chain in their order; none if it is gone.
  mutating func handles(_ step: RuleStep) -> [UInt64] {
    var handles: [UInt64] = []
    _ = chain(step) { message in
      handles += NFTRuleMessage.handle(message.payload).map { [$0] } ?? []
      return false
    }
    return handles
  }

  /// Rules of a chain that are read one by one, at most: more than somebody wrote by hand. A longer one is read as a whole only
  /// where nothing else helps.
  static let most = 256

  /// The handles of the first rules of the step's chain in their order: one more than `most`, of a chain that is long.
  func firstHandles(_ step: RuleStep) -> [UInt64] {
    // Its own socket: the kernel goes on with a list for as long as somebody reads it.
    guard
      var conversation = try? NetlinkConversation(with: .netfilter, attempt: "list a chain"),
      let messages = try? conversation.first(
        Self.most + 1, of: Self.chainRequest(step), attempt: "list a chain")
    else { return [] }
    return messages.compactMap { NFTRuleMessage.handle($0.payload) }
  }

  /// The texts of rules of the step's chain, which are made alone for that; nil where that cannot be.
  func texts(
    of handles: [UInt64], in step: RuleStep, _ tool: RuleText.Tool
  ) -> [String]? {
    guard let deputy else { return LoneRules.texts(of: handles, in: step, tool) }
    return deputy.texts(of: handles, in: step, tool)
  }

  /// Those rules of the step's table that are wanted, chain by chain, as NFT_MSG_NEWRULE messages; none if it is gone.
  mutating func table(
    of step: RuleStep, where isWanted: (NetlinkMessage) -> Bool
  ) -> [NetlinkMessage] {
    let messages = try? conversation.dump(
      Self.request(
        NFT_MSG_GETRULE, family: step.family,
        [NetlinkAttribute(UInt16(NFTA_RULE_TABLE.rawValue), string: step.table)]),
      attempt: "list a table", where: isWanted)
    return messages ?? []
  }

  /// All rules of all chains in their order, as NFT_MSG_NEWRULE messages.
  mutating func rules() throws(KernelError) -> [NetlinkMessage] {
    try conversation.dump(Self.request(NFT_MSG_GETRULE), attempt: "list rules")
  }

  /// What the counters of the rules in tables of this name say, in the families that nftrace has tables in, added up by
  /// chain.
  package mutating func counters(ofTables name: String) throws(KernelError) -> [String: UInt64] {
    var sums: [String: UInt64] = [:]
    // Asked for all families, the kernel lists the first table of the name alone.
    for family in [NFProto.inet, NFProto.netdev] {
      let rules = try conversation.dump(
        Self.request(
          NFT_MSG_GETRULE, family: family,
          [NetlinkAttribute(UInt16(NFTA_RULE_TABLE.rawValue), string: name)]),
        attempt: "read counters")
      for message in rules {
        guard let packets = NFTRuleMessage.countedPackets(message.payload),
          let rule = try? NFTRuleMessage(message.payload), rule.table == name
        else { continue }
        sums[rule.chain, default: 0] &+= packets
      }
    }
    return sums
  }

  /// Whether a rule asks who sends, in a table that has a chain at OUTPUT or POSTROUTING for this host's own
  /// packets.
  package mutating func asksOwner() throws(KernelError) -> Bool {
    let all = try chains().compactMap { try? ChainMessage($0.payload) }
    let tables = Set(
      all.filter { $0.hook == .output || $0.hook == .postrouting }
        .map { TableName($0.family, $0.table) })
    return rules(of: all.filter { tables.contains(TableName($0.family, $0.table)) }) {
      NFTRuleMessage.asksOwner($0)
    }
  }

  /// Whether a rule makes of a packet what depends on packets before it.
  mutating func remembers() throws(KernelError) -> Bool {
    rules(of: try chains().compactMap { try? ChainMessage($0.payload) }) {
      (try? NFTRuleMessage($0))?.remembers == true
    }
  }

  /// Whether there is such a rule in one of these chains, by the payloads of their messages. Others are not kept: a
  /// chain may have a hundred thousand.
  private mutating func rules(
    of chains: [ChainMessage], contain isMeant: ([UInt8]) -> Bool
  ) -> Bool {
    for chain in chains {
      let step = RuleStep(
        family: chain.family, table: chain.table, chain: chain.name, .policy, verdict: .continue)
      if !self.chain(step, where: { isMeant($0.payload) }).isEmpty { return true }
    }
    return false
  }

  /// The number of the ruleset's generation, which every transaction raises.
  mutating func generation() -> UInt32? {
    let answer = try? conversation.ask(
      Self.request(NFT_MSG_GETGEN), attempt: "ask for the generation")
    guard let answer, answer.type != NetlinkMessage.errorType else { return nil }
    let attributes = try? NetlinkAttribute.all(in: answer.payload, from: NetfilterHeader.length)
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
    try? conversation.send(bytes, attempt: "wait for the ruleset")
  }

  private static func request(
    _ type: nf_tables_msg_types, family: UInt8 = 0, _ attributes: [NetlinkAttribute] = []
  ) -> NetlinkMessage {
    NetlinkMessage(
      type: UInt16(NetfilterSubsystem.nftables) << 8 | UInt16(type.rawValue),
      payload: NetfilterHeader(family: family).bytes + attributes.bytes)
  }
}
