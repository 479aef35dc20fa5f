internal import CNetfilter
internal import Glibc
internal import Wire

/// An nf_tables transaction under construction: messages made by libnftnl, sent in one datagram,
/// carried out whole or not at all.
///
/// Sound, all of it: an object of libnftnl's is freed once, by the function that made it; what it is
/// given (texts, octets, names) it copies, and what is put into another is the other's from then on.
/// A message is written into a buffer of 65536 octets, which none of those made here needs.
struct RulesetBatch {
  /// The messages so far, the one that begins the batch first.
  private(set) var bytes: [UInt8] = []
  /// What each message was for, by sequence number less `firstSequence`.
  private(set) var steps: [RulesetStep] = []
  /// Sequence number of the batch's beginning.
  let firstSequence: UInt32
  private var nextSetID: UInt32 = 1

  init(firstSequence: UInt32) {
    self.firstSequence = firstSequence
    unsafe append(.begin) { unsafe nftnl_batch_begin($0, $1) }
  }

  /// The sequence number whose acknowledgment says that all of it is done.
  var lastObject: UInt32 { firstSequence + UInt32(steps.count) - 2 }

  /// Ends the batch and asks for the acknowledgment of its last object.
  mutating func end() {
    setFlags(UInt16(NLM_F_ACK), at: lastStart)
    unsafe append(.end) { unsafe nftnl_batch_end($0, $1) }
  }

  /// Asks for the acknowledgment of the last object, and does not end the batch: the kernel looks
  /// at each object and then forgets them all.
  mutating func leaveOpen() { setFlags(UInt16(NLM_F_ACK), at: lastStart) }

  private var lastStart = 0

  private mutating func setFlags(_ flags: UInt16, at start: Int) {
    // nlmsg_flags stands at octet 6 of struct nlmsghdr.
    bytes[start + 6] |= UInt8(truncatingIfNeeded: flags)
    bytes[start + 7] |= UInt8(flags >> 8)
  }

  /// Appends the message that `build` makes in the buffer it gets.
  private mutating func append(
    _ step: RulesetStep,
    _ build: (UnsafeMutablePointer<CChar>, UInt32) -> UnsafeMutablePointer<nlmsghdr>?
  ) {
    let sequence = firstSequence + UInt32(steps.count)
    // Larger than any one message here: elements of a set are the longest. It need not be cleared.
    let message = unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 1 << 16) {
      memory -> [UInt8] in
      // Sound: libnftnl writes a message of nlmsg_len octets at the start of the buffer.
      guard let header = unsafe build(memory.baseAddress!, sequence) else { return [] }
      let length = Int(unsafe header.pointee.nlmsg_len)
      return unsafe Array(UnsafeRawBufferPointer(start: header, count: length))
    }
    append(step, message)
  }

  private mutating func append(_ step: RulesetStep, _ message: [UInt8]) {
    lastStart = bytes.count
    bytes += message
    bytes.pad(to: 4)
    steps.append(step)
  }

  /// Appends a message of this type whose payload `fill` adds.
  mutating func append(
    _ step: RulesetStep, _ type: nf_tables_msg_types, family: UInt8, flags: UInt16,
    _ fill: (UnsafeMutablePointer<nlmsghdr>) -> Void
  ) {
    unsafe append(step) { buffer, sequence in
      guard
        let header = unsafe nftnl_nlmsg_build_hdr(
          buffer, UInt16(type.rawValue), UInt16(family), flags, sequence)
      else { return nil }
      unsafe fill(header)
      return unsafe header
    }
  }

  static let create = UInt16(NLM_F_CREATE)

  /// An id for a set within this batch.
  mutating func takeSetID() -> UInt32 {
    defer { nextSetID += 1 }
    return nextSetID
  }

  mutating func addTable(family: UInt8, name: String, owned: Bool) {
    let table = unsafe nftnl_table_alloc()!
    defer { unsafe nftnl_table_free(table) }
    unsafe nftnl_table_set_str(table, NFTNL_TABLE_NAME.number, name)
    unsafe nftnl_table_set_u32(table, NFTNL_TABLE_FAMILY.number, UInt32(family))
    if owned { unsafe nftnl_table_set_u32(table, NFTNL_TABLE_FLAGS.number, 2) }
    unsafe append(
      .addTable(family: family, name, isOwned: owned), NFT_MSG_NEWTABLE, family: family,
      flags: Self.create
    ) { header in
      unsafe nftnl_table_nlmsg_build_payload(header, table)
    }
  }

  mutating func deleteTable(family: UInt8, name: String) {
    let table = unsafe nftnl_table_alloc()!
    defer { unsafe nftnl_table_free(table) }
    unsafe nftnl_table_set_str(table, NFTNL_TABLE_NAME.number, name)
    unsafe append(
      .deleteTable(family: family, name), NFT_MSG_DELTABLE, family: family, flags: 0
    ) { header in
      unsafe nftnl_table_nlmsg_build_payload(header, table)
    }
  }

  /// A base chain of policy accept. `devices` is for the netdev family alone.
  mutating func addBaseChain(
    family: UInt8, table: String, name: String, type: String = "filter", hook: UInt32,
    priority: Int32, devices: [String] = []
  ) {
    let chain = unsafe nftnl_chain_alloc()!
    defer { unsafe nftnl_chain_free(chain) }
    unsafe nftnl_chain_set_str(chain, NFTNL_CHAIN_TABLE.number, table)
    unsafe nftnl_chain_set_str(chain, NFTNL_CHAIN_NAME.number, name)
    unsafe nftnl_chain_set_str(chain, NFTNL_CHAIN_TYPE.number, type)
    unsafe nftnl_chain_set_u32(chain, NFTNL_CHAIN_HOOKNUM.number, hook)
    unsafe nftnl_chain_set_s32(chain, NFTNL_CHAIN_PRIO.number, priority)
    unsafe nftnl_chain_set_u32(chain, NFTNL_CHAIN_POLICY.number, UInt32(NF_ACCEPT))
    if !devices.isEmpty {
      // libnftnl copies the names: the C strings may go when it returns.
      var names = unsafe devices.map { unsafe UnsafePointer<CChar>?(strdup($0.nameForC)) } + [nil]
      unsafe nftnl_chain_set_array(chain, NFTNL_CHAIN_DEVICES.number, &names)
      unsafe names.forEach { unsafe free(UnsafeMutablePointer(mutating: $0)) }
    }
    unsafe append(
      .addChain(family: family, table: table, name), NFT_MSG_NEWCHAIN, family: family,
      flags: Self.create
    ) { header in
      unsafe nftnl_chain_nlmsg_build_payload(header, chain)
    }
  }

  /// A base chain of the netdev family and policy accept, at all devices that there are and that come: since Linux 6.18.
  mutating func addBaseChainAtAllDevices(
    table: String, name: String, hook: UInt32, priority: Int32
  ) {
    let netdev = NFProto.netdev
    let place = [
      NetlinkAttribute(UInt16(NFTA_HOOK_HOOKNUM.rawValue), network: hook),
      NetlinkAttribute(UInt16(NFTA_HOOK_PRIORITY.rawValue), network: priority),
      // NFTA_DEVICE_PREFIX, which every name begins with.
      NetlinkAttribute(
        UInt16(NFTA_HOOK_DEVS.rawValue), nested: [NetlinkAttribute(2, string: "")]),
    ]
    let message = NetlinkMessage(
      type: NFT_MSG_NEWCHAIN.inNetlink, flags: UInt16(NLM_F_REQUEST) | Self.create,
      sequence: firstSequence + UInt32(steps.count),
      payload: NetfilterHeader(family: netdev).bytes
        + [
          NetlinkAttribute(UInt16(NFTA_CHAIN_TABLE.rawValue), string: table),
          NetlinkAttribute(UInt16(NFTA_CHAIN_NAME.rawValue), string: name),
          NetlinkAttribute(UInt16(NFTA_CHAIN_HOOK.rawValue), nested: place),
          NetlinkAttribute(
            UInt16(NFTA_CHAIN_POLICY.rawValue), network: UInt32(NF_ACCEPT)),
          NetlinkAttribute(UInt16(NFTA_CHAIN_TYPE.rawValue), string: "filter"),
        ].bytes)
    append(.addChain(family: netdev, table: table, name), message.bytes)
  }

  /// An interval set of addresses, with its elements. Returns its id within this batch.
  mutating func addSet(
    family: UInt8, table: String, name: String, ranges: [AddressRange], version: Int
  ) -> UInt32 {
    let id = takeSetID()
    let set = unsafe nftnl_set_alloc()!
    defer { unsafe nftnl_set_free(set) }
    unsafe nftnl_set_set_str(set, NFTNL_SET_TABLE.number, table)
    unsafe nftnl_set_set_str(set, NFTNL_SET_NAME.number, name)
    unsafe nftnl_set_set_u32(set, NFTNL_SET_FAMILY.number, UInt32(family))
    unsafe nftnl_set_set_u32(set, NFTNL_SET_FLAGS.number, UInt32(NFT_SET_INTERVAL.rawValue))
    // nft's own numbers of the types ipv4_addr and ipv6_addr, so that nft lists the set.
    unsafe nftnl_set_set_u32(set, NFTNL_SET_KEY_TYPE.number, version == 4 ? 7 : 8)
    unsafe nftnl_set_set_u32(set, NFTNL_SET_KEY_LEN.number, version == 4 ? 4 : 16)
    unsafe nftnl_set_set_u32(set, NFTNL_SET_ID.number, id)
    unsafe append(
      .addSet(family: family, table: table, name), NFT_MSG_NEWSET, family: family,
      flags: Self.create
    ) { header in
      unsafe nftnl_set_nlmsg_build_payload(header, set)
    }
    addElements(ranges, family: family, table: table, set: name, id: id)
    return id
  }

  /// Elements of an interval set: where each range begins, and behind it where it is over. They come
  /// in several messages, for the length of an attribute has 16 bits.
  private mutating func addElements(
    _ ranges: [AddressRange], family: UInt8, table: String, set name: String, id: UInt32
  ) {
    var elements: [(address: [UInt8], isEnd: Bool)] = []
    if let first = ranges.first, !first.first.isUnspecified {
      elements.append((first.first.bytes.map { _ in 0 }, true))
    }
    for range in ranges {
      elements.append((range.first.bytes, false))
      if let behind = range.behind { elements.append((behind.bytes, true)) }
    }
    let most = 512
    for start in stride(from: 0, to: elements.count, by: most) {
      let set = unsafe nftnl_set_alloc()!
      defer { unsafe nftnl_set_free(set) }
      unsafe nftnl_set_set_str(set, NFTNL_SET_TABLE.number, table)
      unsafe nftnl_set_set_str(set, NFTNL_SET_NAME.number, name)
      unsafe nftnl_set_set_u32(set, NFTNL_SET_FAMILY.number, UInt32(family))
      unsafe nftnl_set_set_u32(set, NFTNL_SET_ID.number, id)
      for (address, isEnd) in elements[start..<min(start + most, elements.count)] {
        // The set owns the element from here on.
        unsafe nftnl_set_elem_add(set, Self.element(address, isEnd: isEnd))
      }
      unsafe append(
        .fillSet(family: family, table: table, name), NFT_MSG_NEWSETELEM, family: family,
        flags: Self.create
      ) { header in
        unsafe nftnl_set_elems_nlmsg_build_payload(header, set)
      }
    }
  }

  private static func element(_ address: [UInt8], isEnd: Bool) -> OpaquePointer {
    let element = unsafe nftnl_set_elem_alloc()!
    unsafe address.withUnsafeBytes { key in
      _ = unsafe nftnl_set_elem_set(
        element, UInt16(NFTNL_SET_ELEM_KEY), key.baseAddress!, UInt32(key.count))
    }
    if isEnd {
      unsafe nftnl_set_elem_set_u32(
        element, UInt16(NFTNL_SET_ELEM_FLAGS), UInt32(NFT_SET_ELEM_INTERVAL_END.rawValue))
    }
    return unsafe element
  }

  /// A rule at the end of a chain.
  mutating func addRule(
    family: UInt8, table: String, chain: String, _ expressions: [RuleExpression]
  ) {
    let rule = unsafe nftnl_rule_alloc()!
    defer { unsafe nftnl_rule_free(rule) }
    unsafe nftnl_rule_set_str(rule, NFTNL_RULE_TABLE.number, table)
    unsafe nftnl_rule_set_str(rule, NFTNL_RULE_CHAIN.number, chain)
    unsafe nftnl_rule_set_u32(rule, NFTNL_RULE_FAMILY.number, UInt32(family))
    for expression in expressions {
      // The rule owns the expression from here on.
      unsafe nftnl_rule_add_expr(rule, expression.made())
    }
    unsafe append(
      .addRule(family: family, table: table, chain: chain), NFT_MSG_NEWRULE,
      family: family, flags: Self.create | UInt16(NLM_F_APPEND)
    ) { header in
      unsafe nftnl_rule_nlmsg_build_payload(header, rule)
    }
  }
}

extension RawRepresentable where RawValue == UInt32 {
  /// The number of a libnftnl attribute, as its functions take it.
  var number: UInt16 { UInt16(rawValue) }
}
