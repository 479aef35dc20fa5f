internal import CNetfilter
internal import Glibc
internal import Trace
internal import Wire

/// A few rules of a chain that has very many, and what they name: made alone in an empty network namespace, where their
/// tool lists them in no time.
///
/// nft has no command that lists one rule, and iptables reads all of a chain for one as well. What they print of a rule depends
/// on the rule, and on the sets, objects and chains that it names; all else is left out.
struct LoneRules {
  private let family: UInt8
  private let table: String
  private let chain: String
  /// What the rules are made of, in the order in which it is made.
  private var messages: [NetlinkMessage] = []
  private var conversation: Conversation
  /// What was added already: sets, objects and chains by their names.
  private var known: Set<String>
  private let count: Int
  /// Of the rules that end with a jump into a chain without a name, that name.
  private var nameless: [Int: String] = [:]

  /// To hand it on.
  private final class Conversation {
    var netlink: NetlinkConversation
    init() throws(KernelError) {
      netlink = try NetlinkConversation(with: .netfilter, attempt: "read rules")
    }
  }

  /// What is in the way of making a rule alone.
  private struct Unfit: Error {}

  /// The texts of the rules with these handles in the chain of a step, in this order, in the words of nft or of iptables-nft; nil
  /// where one is gone, or cannot be made alone. Takes the right to make network namespaces (CAP_SYS_ADMIN).
  static func texts(
    of handles: [UInt64], in step: RuleStep, _ tool: RuleText.Tool
  ) -> [String]? {
    guard !handles.isEmpty, let rules = try? LoneRules(handles, step, tool) else { return nil }
    return rules.texts(tool)
  }

  private init(_ handles: [UInt64], _ step: RuleStep, _ tool: RuleText.Tool) throws {
    (family, table, chain, count) = (step.family, step.table, step.chain, handles.count)
    conversation = try Conversation()
    known = ["chain \(step.chain)"]
    messages.append(
      message(
        NFT_MSG_NEWTABLE, [NetlinkAttribute(UInt16(NFTA_TABLE_NAME.rawValue), string: table)]))
    try addOwnChain(tool)
    for (index, handle) in handles.enumerated() { try add(rule: handle, index) }
  }

  private func message(
    _ type: nf_tables_msg_types, _ attributes: [NetlinkAttribute]
  ) -> NetlinkMessage {
    NetlinkMessage(
      type: type.inNetlink, flags: RouteSocket.RequestFlags.create.rawValue,
      payload: NetfilterHeader(family: family).bytes + attributes.bytes)
  }

  /// An object of the kernel's.
  private func read(
    _ type: nf_tables_msg_types, _ attributes: [NetlinkAttribute]
  ) throws -> ListedObject {
    let question = NetlinkMessage(
      type: type.inNetlink,
      payload: NetfilterHeader(family: family).bytes
        // Of all of them the table's name is the first attribute.
        + ([NetlinkAttribute(1, string: table)] + attributes).bytes)
    let answer = try conversation.netlink.ask(question, attempt: "read rules")
    guard answer.type != NetlinkMessage.errorType, let listed = ListedObject(answer) else {
      throw Unfit()
    }
    return listed
  }

  // MARK: What is made

  /// The chain that they stand in. No hook leads there: so nothing is asked of what comes by which; but iptables looks for its own
  /// chains at theirs.
  private mutating func addOwnChain(_ tool: RuleText.Tool) throws {
    guard tool == .iptables else { return addChain(chain) }
    let listed = try read(
      NFT_MSG_GETCHAIN, [NetlinkAttribute(UInt16(NFTA_CHAIN_NAME.rawValue), string: chain)])
    messages.append(
      listed.message(
        NFT_MSG_NEWCHAIN.inNetlink,
        keeping: [NFTA_CHAIN_TABLE, NFTA_CHAIN_NAME, NFTA_CHAIN_HOOK, NFTA_CHAIN_TYPE].map(
          \.rawValue)))
  }

  private mutating func addChain(_ name: String) {
    messages.append(
      message(
        NFT_MSG_NEWCHAIN,
        [
          NetlinkAttribute(UInt16(NFTA_CHAIN_TABLE.rawValue), string: table),
          NetlinkAttribute(UInt16(NFTA_CHAIN_NAME.rawValue), string: name),
        ]))
  }

  private mutating func add(rule handle: UInt64, _ index: Int) throws {
    let listed = try read(
      NFT_MSG_GETRULE,
      [
        NetlinkAttribute(UInt16(NFTA_RULE_CHAIN.rawValue), string: chain),
        NetlinkAttribute(UInt16(NFTA_RULE_HANDLE.rawValue), network: handle),
      ])
    for expression in try listed[NFTA_RULE_EXPRESSIONS.rawValue]?.nested() ?? [] {
      let parts = try expression.nested()
      let values = try parts[type: UInt16(NFTA_EXPR_DATA.rawValue)]?.nested() ?? []
      switch parts[type: UInt16(NFTA_EXPR_NAME.rawValue)]?.string {
      // A flowtable has devices, which there are none of.
      case "flow_offload", nil: throw Unfit()
      case "lookup": try addSet(values[type: UInt16(NFTA_LOOKUP_SET.rawValue)])
      case "dynset": try addSet(values[type: UInt16(NFTA_DYNSET_SET_NAME.rawValue)])
      case "objref":
        if let set = values[type: UInt16(NFTA_OBJREF_SET_NAME.rawValue)] {
          try addSet(set)
        } else if let name = values[type: UInt16(NFTA_OBJREF_IMM_NAME.rawValue)],
          let type: UInt32 = values[type: UInt16(NFTA_OBJREF_IMM_TYPE.rawValue)]?.network()
        {
          try add(object: name.string, type)
        }
      case "immediate":
        if let target = try addTarget(values[type: UInt16(NFTA_IMMEDIATE_DATA.rawValue)]),
          NFTRuleMessage.isNameless(target)
        {
          nameless[index] = target
        }
      default: break
      }
    }
    var made = CopiedRuleset.rule(
      listed,
      flags: RouteSocket.RequestFlags.create.rawValue
        | RouteSocket.RequestFlags.append.rawValue, [])
    if nameless[index] != nil {
      // Its comment stands behind the rules of that chain, and is not among what is listed.
      made.payload =
        Array(made.payload[..<NetfilterHeader.length])
        + (try NetlinkAttribute.all(in: made.payload, from: NetfilterHeader.length))
        .filter { $0.type != UInt16(NFTA_RULE_USERDATA.rawValue) }.bytes
    }
    messages.append(made)
  }

  private mutating func addSet(_ name: NetlinkAttribute?) throws {
    guard let name = name?.string else { throw Unfit() }
    guard known.insert("set \(name)").inserted else { return }
    let listed = try read(
      NFT_MSG_GETSET, [NetlinkAttribute(UInt16(NFTA_SET_NAME.rawValue), string: name)])
    let flags: UInt32 = listed[NFTA_SET_FLAGS.rawValue]?.network() ?? 0
    // Of one that has a name, that is what a rule says of it.
    guard flags & NFT_SET_ANONYMOUS.rawValue != 0 else {
      return messages.append(CopiedRuleset.emptySet(listed))
    }
    let elements = try CopiedRuleset.elements(of: listed, &conversation.netlink)
    let type: UInt32 = listed[NFTA_SET_OBJ_TYPE.rawValue]?.network() ?? 0
    for element in elements {
      let parts = try element.nested()
      try addTarget(parts[type: UInt16(NFTA_SET_ELEM_DATA.rawValue)])
      if let object = parts[type: UInt16(NFTA_SET_ELEM_OBJREF.rawValue)] {
        try add(object: object.string, type)
      }
    }
    messages.append(CopiedRuleset.emptySet(listed))
    messages += CopiedRuleset.filling(listed, with: elements)
  }

  /// Adds the chain that a verdict leads to, if it does; its name.
  @discardableResult
  private mutating func addTarget(_ data: NetlinkAttribute?) throws -> String? {
    let verdict = try data?.nested()[type: UInt16(NFTA_DATA_VERDICT.rawValue)]?.nested()
    guard let target = verdict?[type: UInt16(NFTA_VERDICT_CHAIN.rawValue)]?.string else {
      return nil
    }
    if known.insert("chain \(target)").inserted { addChain(target) }
    return target
  }

  private mutating func add(object name: String, _ type: UInt32) throws {
    guard known.insert("object \(type) \(name)").inserted else { return }
    messages +=
      CopiedRuleset.stateful(
        try read(
          NFT_MSG_GETOBJ,
          [
            NetlinkAttribute(UInt16(NFTA_OBJ_NAME.rawValue), string: name),
            NetlinkAttribute(UInt16(NFTA_OBJ_TYPE.rawValue), network: type),
          ])
      ).messages
  }

  // MARK: What is listed

  private func texts(_ tool: RuleText.Tool) -> [String]? {
    guard let space = try? NetworkNamespace.create() else { return nil }
    var transaction = CopyTransaction()
    for message in messages {
      transaction.add(
        CopyTransaction.Step(family: family, table: table, what: "rule", kind: .made(message)))
    }
    let isMade = try? space.within { () throws(KernelError) -> Bool in
      try transaction.carryOut().isEmpty
    }
    guard isMade == true else { return nil }
    return tool == .iptables ? saved(space) : listed(space)
  }

  private func listed(_ space: borrowing NetworkNamespace) -> [String]? {
    guard let family = try? Word.nftFamily(family), let table = try? Word.nft(table),
      let chain = try? Word.nft(chain),
      let listing = NFTables.run("list chain \(family) \(table) \(chain)", in: space),
      let rules = ListedRule.chain(listing), rules.count == count
    else { return nil }
    var texts: [String] = []
    for (index, rule) in rules.enumerated() {
      guard let target = nameless[index] else {
        texts.append(rule.text)
        continue
      }
      guard rule.text.hasSuffix(" \(target)") || rule.text == target else { return nil }
      texts.append(rule.text.dropLast(target.utf8.count) + "{ ... }")
    }
    return texts
  }

  private func saved(_ space: borrowing NetworkNamespace) -> [String]? {
    let step = RuleStep(
      family: family, table: table, chain: chain, .policy, verdict: .continue)
    guard let command = RuleTexts.listing(step, legacy: false),
      let output = try? space.within({ ChildProcess.output(command) })
    else { return nil }
    let rules = RuleTexts.rules(inSaved: output)
    return rules.count == count ? rules.map { String($0) } : nil
  }
}
