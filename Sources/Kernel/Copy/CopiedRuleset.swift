internal import CNetfilter
internal import Glibc
internal import Trace
internal import Wire

/// The tables of nf_tables as the kernel lists them, and how another network namespace is given the same.
///
/// Nothing is translated into a tool's words and back: an object that the kernel lists is what it takes. Whatever
/// has a handle gets the same one in the copy, so that a trace, a remedy and a command that name it mean
/// the same rule in both.
struct CopiedRuleset: Sendable {
  private var tables: [Table] = []
  /// What is not the same in the copy.
  private(set) var differences: [CopyDifference] = []

  /// A table and what is in it.
  private struct Table {
    var message: NetlinkMessage
    var family: UInt8
    var name: String
    var objects: [Object] = []
    /// Elements of sets that may refer to any chain of the table: they come last.
    var elements: [(set: String, message: NetlinkMessage)] = []
  }

  /// What has a handle of its own in its table.
  struct Object {
    var handle: UInt64
    /// What makes it, with what must be there before the next object; empty for what is left out.
    var messages: [NetlinkMessage]
    var what: String
    /// What it is in, if that is not the table alone.
    var within: String?
  }

  /// `nf_tables` gives handles out in their order: what is missing between two is made, and removed again. More than
  /// so many in a table take too long.
  private static let mostMissing: UInt64 = 200_000

  private static func type(_ type: nf_tables_msg_types) -> UInt16 { type.inNetlink }

  // MARK: Reading

  /// Reads all tables but nftrace's own, in the network namespace of the calling thread. What changes meanwhile is
  /// read again.
  static func read() throws(KernelError) -> CopiedRuleset {
    var conversation = try NetlinkConversation(
      with: .netfilter, attempt: "open a netfilter socket")
    for attempt in 1...4 {
      let before = generation(&conversation)
      var ruleset = CopiedRuleset()
      try ruleset.readTables(&conversation)
      try ruleset.readObjects(&conversation)
      if generation(&conversation) == before { return ruleset }
      if attempt == 4 {
        ruleset.differences.append(.rulesetChanges)
        return ruleset
      }
    }
    return CopiedRuleset()
  }

  private static func generation(_ conversation: inout NetlinkConversation) -> [UInt8]? {
    let question = NetlinkMessage(
      type: type(NFT_MSG_GETGEN), payload: NetfilterHeader(family: 0).bytes)
    return try? conversation.ask(question, attempt: "ask for the generation").payload
  }

  private static func dump(
    _ type: nf_tables_msg_types, _ conversation: inout NetlinkConversation, family: UInt8 = 0,
    _ attributes: [NetlinkAttribute] = []
  ) throws(KernelError) -> [NetlinkMessage] {
    try conversation.dump(
      NetlinkMessage(
        type: Self.type(type), payload: NetfilterHeader(family: family).bytes + attributes.bytes),
      attempt: "list the ruleset")
  }

  private mutating func readTables(
    _ conversation: inout NetlinkConversation
  ) throws(KernelError) {
    for message in try Self.dump(NFT_MSG_GETTABLE, &conversation) {
      guard let listed = ListedObject(message), let name = listed.string(NFTA_TABLE_NAME.rawValue),
        OwnTable(name: name) == nil
      else { continue }
      // Whose it is does not matter in the copy: NFT_TABLE_F_OWNER and NFT_TABLE_F_PERSIST go with a program.
      let flags: UInt32 = listed[NFTA_TABLE_FLAGS.rawValue]?.network() ?? 0
      let made = listed.message(
        Self.type(NFT_MSG_NEWTABLE), keeping: [NFTA_TABLE_NAME.rawValue, UInt32(6)],
        adding: [NetlinkAttribute(UInt16(NFTA_TABLE_FLAGS.rawValue), network: flags & 1)])
      tables.append(Table(message: made, family: listed.family, name: name))
    }
  }

  private mutating func readObjects(
    _ conversation: inout NetlinkConversation
  ) throws(KernelError) {
    let chains = try Self.dump(NFT_MSG_GETCHAIN, &conversation).compactMap(ListedObject.init)
    let rules = try Self.dump(NFT_MSG_GETRULE, &conversation).compactMap(ListedObject.init)
    let sets = try Self.dump(NFT_MSG_GETSET, &conversation).compactMap(ListedObject.init)
    let stateful = try Self.dump(NFT_MSG_GETOBJ, &conversation).compactMap(ListedObject.init)
    let flowtables =
      (try? Self.dump(NFT_MSG_GETFLOWTABLE, &conversation).compactMap(ListedObject.init)) ?? []
    for index in tables.indices {
      let (family, name) = (tables[index].family, tables[index].name)
      func isHere(_ listed: ListedObject) -> Bool {
        // The table's name is the first attribute of all of them.
        listed.family == family && listed.string(1) == name
      }
      var objects = chains.filter(isHere).map { Self.chain($0) }
      let own = rules.filter(isHere)
      objects += Self.rules(own)
      if !differences.contains(.limits),
        own.contains(where: { MadeExpression.decidesByLimit(Self.expressions(of: $0)) })
      {
        differences.append(.limits)
      }
      objects += stateful.filter(isHere).map { Self.stateful($0) }
      if !differences.contains(.kinds),
        own.contains(where: { Self.expressions(of: $0).contains(where: MadeExpression.asksForKind) }
        )
      {
        differences.append(.kinds)
      }
      for set in sets.filter(isHere) {
        let (object, later) = try Self.set(set, &conversation)
        objects.append(object)
        let name = set.string(NFTA_SET_NAME.rawValue) ?? ""
        tables[index].elements += later.map { (name, $0) }
      }
      for flowtable in flowtables.filter(isHere) {
        let called = flowtable.string(NFTA_FLOWTABLE_NAME.rawValue) ?? ""
        differences.append(.flowtable(called))
        objects.append(
          Object(
            handle: flowtable.handle(NFTA_FLOWTABLE_HANDLE.rawValue), messages: [], what: called))
      }
      tables[index].objects = objects.sorted { $0.handle < $1.handle }
    }
  }

  private static func chain(_ listed: ListedObject) -> Object {
    let name = listed.string(NFTA_CHAIN_NAME.rawValue) ?? ""
    // A chain without a name of its own is one in the copy too: it takes the number that it has, and goes with its rule.
    let flags: UInt32 = listed[NFTA_CHAIN_FLAGS.rawValue]?.network() ?? 0
    let binding = flags & NFT_CHAIN_BINDING.rawValue
    return Object(
      handle: listed.handle(NFTA_CHAIN_HANDLE.rawValue),
      messages: [
        listed.message(
          type(NFT_MSG_NEWCHAIN),
          keeping: [
            NFTA_CHAIN_TABLE.rawValue, NFTA_CHAIN_NAME.rawValue, NFTA_CHAIN_HOOK.rawValue,
            NFTA_CHAIN_POLICY.rawValue, NFTA_CHAIN_TYPE.rawValue, NFTA_CHAIN_COUNTERS.rawValue,
            NFTA_CHAIN_USERDATA.rawValue,
          ],
          adding: binding == 0
            ? [] : [NetlinkAttribute(UInt16(NFTA_CHAIN_FLAGS.rawValue), network: binding)])
      ], what: "chain \(name)")
  }

  /// A counter, quota, helper or another that rules refer to by name.
  static func stateful(_ listed: ListedObject) -> Object {
    var data = listed[NFTA_OBJ_DATA.rawValue]
    if let values = (try? data?.nested()) ?? nil,
      listed[NFTA_OBJ_TYPE.rawValue]?.network() == UInt32(NFT_OBJECT_QUOTA)
    {
      data = NetlinkAttribute(UInt16(NFTA_OBJ_DATA.rawValue), nested: MadeExpression.quota(values))
    }
    return Object(
      handle: listed.handle(NFTA_OBJ_HANDLE.rawValue),
      messages: [
        listed.message(
          type(NFT_MSG_NEWOBJ),
          keeping: [
            NFTA_OBJ_TABLE.rawValue, NFTA_OBJ_NAME.rawValue, NFTA_OBJ_TYPE.rawValue,
            NFTA_OBJ_USERDATA.rawValue,
          ], adding: data.map { [$0] } ?? [])
      ], what: "object \(listed.string(NFTA_OBJ_NAME.rawValue) ?? "")")
  }

  // MARK: Rules

  /// Rules that are made in the order of their handles, each where it stands: behind the rule before it that is
  /// older, or first.
  private static func rules(_ listed: [ListedObject]) -> [Object] {
    var chains: [String: [ListedObject]] = [:]
    for rule in listed {
      chains[rule.string(NFTA_RULE_CHAIN.rawValue) ?? "", default: []].append(rule)
    }
    return chains.flatMap { name, rules in
      let handles = rules.map { $0.handle(NFTA_RULE_HANDLE.rawValue) }
      let isGrown = zip(handles, handles.dropFirst()).allSatisfy(<)
      let places = isGrown ? [] : olderBefore(handles)
      return rules.indices.map { index in
        var place: [NetlinkAttribute] = []
        var flags = RouteSocket.RequestFlags.create.rawValue
        if isGrown {
          flags |= RouteSocket.RequestFlags.append.rawValue
        } else if let older = places[index] {
          flags |= RouteSocket.RequestFlags.append.rawValue
          place = [NetlinkAttribute(UInt16(NFTA_RULE_POSITION.rawValue), network: older)]
        }
        return Object(
          handle: handles[index],
          messages: [rule(rules[index], flags: flags, place)],
          what: "rule with handle \(handles[index]) of chain \(name)", within: "chain \(name)")
      }
    }
  }

  /// Of each, the nearest one before it that is smaller; nil where there is none.
  static func olderBefore(_ handles: [UInt64]) -> [UInt64?] {
    var older: [UInt64] = []
    return handles.map { handle in
      while let last = older.last, last > handle { older.removeLast() }
      defer { older.append(handle) }
      return older.last
    }
  }

  private static func expressions(of rule: ListedObject) -> [NetlinkAttribute] {
    (try? rule[NFTA_RULE_EXPRESSIONS.rawValue]?.nested()) ?? []
  }

  /// What makes a rule: with these flags and at this place.
  static func rule(
    _ listed: ListedObject, flags: UInt16, _ place: [NetlinkAttribute]
  ) -> NetlinkMessage {
    var expressions = expressions(of: listed)
    // A connection of the copy goes no other way than through the chains.
    expressions.removeAll { RuleProtocol.name($0) == "flow_offload" }
    expressions = expressions.map(MadeExpression.made)
    var added = place
    added.append(
      NetlinkAttribute(UInt16(NFTA_RULE_EXPRESSIONS.rawValue), nested: expressions))
    if let proto = RuleProtocol(expressions, family: listed.family) {
      added.append(proto.attribute)
    }
    return listed.message(
      type(NFT_MSG_NEWRULE), flags: flags,
      keeping: [
        NFTA_RULE_TABLE.rawValue, NFTA_RULE_CHAIN.rawValue, NFTA_RULE_USERDATA.rawValue,
      ], adding: added)
  }

  // MARK: Sets

  /// A set with its elements: with those of a set that nobody can change any more, for these must be there before a
  /// rule has it; and those that come last.
  private static func set(
    _ listed: ListedObject, _ conversation: inout NetlinkConversation
  ) throws(KernelError) -> (Object, later: [NetlinkMessage]) {
    let flags: UInt32 = listed[NFTA_SET_FLAGS.rawValue]?.network() ?? 0
    let filled = filling(listed, with: try elements(of: listed, &conversation))
    let isFixed = flags & (NFT_SET_ANONYMOUS.rawValue | NFT_SET_CONSTANT.rawValue) != 0
    let object = Object(
      handle: listed.handle(NFTA_SET_HANDLE.rawValue),
      messages: [emptySet(listed)] + (isFixed ? filled : []),
      what: "set \(listed.string(NFTA_SET_NAME.rawValue) ?? "")")
    return (object, isFixed ? [] : filled)
  }

  /// What makes a set without its elements.
  static func emptySet(_ listed: ListedObject) -> NetlinkMessage {
    listed.message(
      type(NFT_MSG_NEWSET),
      keeping: [
        NFTA_SET_TABLE, NFTA_SET_NAME, NFTA_SET_FLAGS, NFTA_SET_KEY_TYPE, NFTA_SET_KEY_LEN,
        NFTA_SET_DATA_TYPE, NFTA_SET_DATA_LEN, NFTA_SET_POLICY, NFTA_SET_DESC, NFTA_SET_TIMEOUT,
        NFTA_SET_GC_INTERVAL, NFTA_SET_USERDATA, NFTA_SET_OBJ_TYPE, NFTA_SET_EXPR,
        NFTA_SET_EXPRESSIONS,
      ].map(\.rawValue),
      // Unique in the transaction, as handles are.
      adding: [
        NetlinkAttribute(
          UInt16(NFTA_SET_ID.rawValue),
          network: UInt32(truncatingIfNeeded: listed.handle(NFTA_SET_HANDLE.rawValue)))
      ])
  }

  /// The elements of a set, as `NFTA_LIST_ELEM`.
  static func elements(
    of listed: ListedObject, _ conversation: inout NetlinkConversation
  ) throws(KernelError) -> [NetlinkAttribute] {
    let lists = try dump(
      NFT_MSG_GETSETELEM, &conversation, family: listed.family,
      [
        NetlinkAttribute(
          UInt16(NFTA_SET_ELEM_LIST_TABLE.rawValue),
          string: listed.string(NFTA_SET_TABLE.rawValue) ?? ""),
        NetlinkAttribute(
          UInt16(NFTA_SET_ELEM_LIST_SET.rawValue),
          string: listed.string(NFTA_SET_NAME.rawValue) ?? ""),
      ]
    ).compactMap(ListedObject.init)
    return lists.flatMap {
      (try? $0[NFTA_SET_ELEM_LIST_ELEMENTS.rawValue]?.nested()) ?? []
    }
  }

  /// What puts elements into a set.
  static func filling(
    _ listed: ListedObject, with elements: [NetlinkAttribute]
  ) -> [NetlinkMessage] {
    let flags: UInt32 = listed[NFTA_SET_FLAGS.rawValue]?.network() ?? 0
    let isInterval = flags & NFT_SET_INTERVAL.rawValue != 0
    return SetElementLists(elements, isInterval: isInterval).parts.map { part in
      NetlinkMessage(
        type: type(NFT_MSG_NEWSETELEM), flags: RouteSocket.RequestFlags.create.rawValue,
        payload: NetfilterHeader(family: listed.family).bytes
          + ([
            NetlinkAttribute(
              UInt16(NFTA_SET_ELEM_LIST_TABLE.rawValue),
              string: listed.string(NFTA_SET_TABLE.rawValue) ?? ""),
            NetlinkAttribute(
              UInt16(NFTA_SET_ELEM_LIST_SET.rawValue),
              string: listed.string(NFTA_SET_NAME.rawValue) ?? ""),
            NetlinkAttribute(UInt16(NFTA_SET_ELEM_LIST_ELEMENTS.rawValue), nested: part),
          ] as [NetlinkAttribute]).bytes)
    }
  }

  // MARK: Making

  /// Makes the same tables in the network namespace of the calling thread, which has none, in one transaction. What
  /// the kernel does not take is left out, and among the differences; of a rule that it does not take an empty one
  /// keeps the place.
  mutating func make() throws(KernelError) {
    if tables.isEmpty { return }
    var transaction = transaction()
    for refusal in try transaction.carryOut() {
      differences.append(.refused(refusal.what, errno: refusal.errno))
    }
  }

  /// What makes them.
  mutating func transaction() -> CopyTransaction {
    var transaction = CopyTransaction()
    for table in tables {
      func add(_ kind: CopyTransaction.Step.Kind, _ what: String, within: String? = nil) {
        transaction.add(
          CopyTransaction.Step(
            family: table.family, table: table.name, what: what, within: within, kind: kind))
      }
      add(.made(table.message), "table \(table.name)")
      var next: UInt64 = 1
      for object in table.objects {
        let missing = object.handle - min(next, object.handle)
        if missing <= Self.mostMissing {
          for _ in 0..<missing { add(.handle, "handle") }
        } else if !differences.contains(.handles(table.name)) {
          differences.append(.handles(table.name))
        }
        next = object.handle + 1
        if object.messages.isEmpty { add(.handle, "handle") }
        for message in object.messages { add(.made(message), object.what, within: object.within) }
      }
      for (set, message) in table.elements {
        add(.made(message), "elements of set \(set)", within: "set \(set)")
      }
      add(.end, "handle")
    }
    return transaction
  }
}
