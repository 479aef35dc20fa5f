import CNetfilter
import Recordings
import Testing
import Wire

/// What the netfilter project's own parsers make of the recordings, next to what Wire makes of them.
@Suite struct ComparisonTests {
  /// Calls `body` with the message where C expects one: aligned, and valid until `body` returns.
  static func withHeader<T>(
    _ recording: Recording, _ body: (UnsafePointer<nlmsghdr>) throws -> T
  ) rethrows -> T {
    let memory = UnsafeMutableRawBufferPointer.allocate(
      byteCount: recording.bytes.count, alignment: 8)
    // Each recording begins with the 16 octets of a struct nlmsghdr.
    defer { unsafe memory.deallocate() }
    unsafe memory.copyBytes(from: recording.bytes)
    return try unsafe body(
      UnsafePointer(memory.baseAddress!.assumingMemoryBound(to: nlmsghdr.self)))
  }

  // MARK: libnetfilter_log

  @Test(arguments: Recordings.log)
  func log(recording: Recording) throws {
    let ours = try LogMessage(recording.payload)
    try unsafe Self.withHeader(recording) { header in
      typealias Attribute = UnsafeMutablePointer<nlattr>?
      // One slot a type, more than any version of the library fills.
      let slots = UnsafeMutablePointer<Attribute>.allocate(capacity: 64)
      unsafe slots.initialize(repeating: nil, count: 64)
      defer { unsafe slots.deallocate() }
      #expect(unsafe nflog_nlmsg_parse(header, slots) == MNL_CB_OK)
      // struct nflog_data is a pointer to the slot of type 1: nflog_nlmsg_snprintf makes one of
      // parsed attributes in the same way.
      var data = unsafe Optional(slots + 1)
      try unsafe withUnsafeMutablePointer(to: &data) { pointer in
        try unsafe Self.compare(ours, OpaquePointer(pointer))
      }
    }
  }

  /// Zero is the library's word for "none" where its functions give no error.
  static func compare(_ ours: LogMessage, _ theirs: OpaquePointer) throws {
    let header = try unsafe #require(nflog_get_msg_packet_hdr(theirs))
    #expect(unsafe header.pointee.hw_protocol.byteSwapped == ours.hardwareProtocol)
    #expect(unsafe header.pointee.hook == ours.hookNumber)
    #expect(unsafe String(cString: nflog_get_prefix(theirs)) == ours.prefix)
    #expect(unsafe nflog_get_nfmark(theirs) == ours.mark)
    #expect(unsafe nflog_get_indev(theirs) == ours.inDevice ?? 0)
    #expect(unsafe nflog_get_outdev(theirs) == ours.outDevice ?? 0)
    #expect(unsafe nflog_get_physindev(theirs) == ours.physicalInDevice ?? 0)
    #expect(unsafe nflog_get_physoutdev(theirs) == ours.physicalOutDevice ?? 0)
    #expect(unsafe nflog_get_hwtype(theirs) == ours.hardwareType ?? 0)
    var number: UInt32 = 0
    #expect(unsafe (nflog_get_uid(theirs, &number) == 0 ? number : nil) == ours.uid)
    #expect(unsafe (nflog_get_gid(theirs, &number) == 0 ? number : nil) == ours.gid)
    #expect(unsafe (nflog_get_seq(theirs, &number) == 0 ? number : nil) == ours.sequence)
    var time = timeval()
    let hasTime = unsafe nflog_get_timestamp(theirs, &time) == 0
    let nanoseconds = UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_usec) * 1000
    #expect((hasTime ? nanoseconds : nil) == ours.timestamp)
    if let address = unsafe nflog_get_packet_hw(theirs) {
      let octets = unsafe withUnsafeBytes(of: address.pointee.hw_addr) { unsafe Array($0) }
      let length = unsafe Int(address.pointee.hw_addrlen.byteSwapped)
      #expect(Array(octets.prefix(length)) == ours.hardwareAddress)
    } else {
      #expect(ours.hardwareAddress == nil)
    }
    var payload: UnsafeMutablePointer<CChar>?
    let count = unsafe nflog_get_payload(theirs, &payload)
    let octets = unsafe UnsafeBufferPointer(start: payload, count: Int(count))
    #expect(unsafe octets.map { UInt8(bitPattern: $0) } == ours.payload)
  }

  // MARK: libnftnl

  @Test(arguments: Recordings.trace)
  func trace(recording: Recording) throws {
    let ours = try TraceMessage(recording.payload)
    let theirs = try unsafe #require(nftnl_trace_alloc())
    defer { unsafe nftnl_trace_free(theirs) }
    let result = unsafe Self.withHeader(recording) { unsafe nftnl_trace_nlmsg_parse($0, theirs) }
    #expect(result == 0)
    func number(_ attribute: nftnl_trace_attr) -> UInt32? {
      let type = UInt16(attribute.rawValue)
      return unsafe nftnl_trace_is_set(theirs, type) ? nftnl_trace_get_u32(theirs, type) : nil
    }
    func string(_ attribute: nftnl_trace_attr) -> String? {
      unsafe nftnl_trace_get_str(theirs, UInt16(attribute.rawValue)).map {
        unsafe String(cString: $0)
      }
    }
    func octets(_ attribute: nftnl_trace_attr) -> [UInt8]? {
      var count: UInt32 = 0
      let start = unsafe nftnl_trace_get_data(theirs, UInt16(attribute.rawValue), &count)
      return unsafe start.map { unsafe Array(UnsafeRawBufferPointer(start: $0, count: Int(count))) }
    }
    #expect(number(NFTNL_TRACE_FAMILY) == UInt32(ours.family))
    #expect(number(NFTNL_TRACE_ID) == ours.id)
    #expect(number(NFTNL_TRACE_TYPE) == ours.kind.rawValue)
    #expect(number(NFTNL_TRACE_IIF) == ours.inDevice)
    #expect(number(NFTNL_TRACE_OIF) == ours.outDevice)
    #expect(number(NFTNL_TRACE_MARK) == ours.mark)
    #expect(number(NFTNL_TRACE_POLICY) == ours.policy.map { UInt32(bitPattern: $0.rawValue) })
    let verdict = number(NFTNL_TRACE_VERDICT) ?? number(NFTNL_TRACE_POLICY)
    #expect(verdict == UInt32(bitPattern: ours.verdict.rawValue))
    let handle = UInt16(NFTNL_TRACE_RULE_HANDLE.rawValue)
    #expect(
      unsafe (nftnl_trace_is_set(theirs, handle) ? nftnl_trace_get_u64(theirs, handle) : nil)
        == ours.handle)
    #expect(string(NFTNL_TRACE_TABLE) == ours.table)
    #expect(string(NFTNL_TRACE_CHAIN) == ours.chain)
    #expect(string(NFTNL_TRACE_JUMP_TARGET) == ours.target)
    #expect(octets(NFTNL_TRACE_LL_HEADER) == ours.linkHeader)
    #expect(octets(NFTNL_TRACE_NETWORK_HEADER) == ours.networkHeader)
    #expect(octets(NFTNL_TRACE_TRANSPORT_HEADER) == ours.transportHeader)
  }

  /// libnftnl 1.2.4 leaves CT_* out: libmnl reads them, with the types of <linux/netfilter/nf_tables.h>.
  @Test(arguments: Recordings.trace)
  func connectionOfATrace(recording: Recording) throws {
    let ours = try TraceMessage(recording.payload)
    let theirs = Self.attributes(recording)
    #expect(theirs[18]?.network() == ours.conntrackID)
    #expect(theirs[19]?.value.first == ours.conntrackDirection)
    #expect(theirs[20]?.network() == ours.conntrackStatus)
    #expect(theirs[21]?.network() == ours.conntrackState)
  }

  /// The attributes as libmnl walks them.
  static func attributes(_ recording: Recording) -> [UInt16: NetlinkAttribute] {
    var found: [UInt16: NetlinkAttribute] = [:]
    unsafe withHeader(recording) { header in
      guard var attribute = unsafe mnl_nlmsg_get_payload_offset(header, 4) else { return }
      let end = unsafe mnl_nlmsg_get_payload_tail(header)
      while let next = unsafe attribute.assumingMemoryBound(to: nlattr.self)
        as UnsafeMutablePointer?,
        unsafe mnl_attr_ok(next, Int32(end! - attribute))
      {
        let count = unsafe Int(mnl_attr_get_payload_len(next))
        let value = unsafe UnsafeRawBufferPointer(start: mnl_attr_get_payload(next), count: count)
        let type = unsafe mnl_attr_get_type(next)
        found[type] = unsafe NetlinkAttribute(type, Array(value))
        guard let following = unsafe mnl_attr_next(next) else { return }
        unsafe attribute = UnsafeMutableRawPointer(following)
      }
    }
    return found
  }

  @Test(arguments: Recordings.all)
  func attributes(recording: Recording) throws {
    let ours = try NetlinkAttribute.all(in: recording.payload, from: NetfilterHeader.length)
    let theirs = Self.attributes(recording)
    #expect(ours.count == theirs.count)
    for attribute in ours { #expect(theirs[attribute.type] == attribute) }
  }

  // MARK: libnetfilter_conntrack

  /// The types of one direction's attributes in enum nf_conntrack_attr.
  struct Direction {
    let v4: (nf_conntrack_attr, nf_conntrack_attr)
    let v6: (nf_conntrack_attr, nf_conntrack_attr)
    let ports: (nf_conntrack_attr, nf_conntrack_attr)
    let proto: nf_conntrack_attr
  }

  static let directions = [
    Direction(
      v4: (ATTR_ORIG_IPV4_SRC, ATTR_ORIG_IPV4_DST), v6: (ATTR_ORIG_IPV6_SRC, ATTR_ORIG_IPV6_DST),
      ports: (ATTR_ORIG_PORT_SRC, ATTR_ORIG_PORT_DST), proto: ATTR_ORIG_L4PROTO),
    Direction(
      v4: (ATTR_REPL_IPV4_SRC, ATTR_REPL_IPV4_DST), v6: (ATTR_REPL_IPV6_SRC, ATTR_REPL_IPV6_DST),
      ports: (ATTR_REPL_PORT_SRC, ATTR_REPL_PORT_DST), proto: ATTR_REPL_L4PROTO),
  ]

  @Test(arguments: Recordings.conntrack)
  func conntrack(recording: Recording) throws {
    let message = try NetlinkMessage.all(in: recording.bytes)[0]
    let ours = try #require(try ConntrackMessage(message))
    let theirs = try unsafe #require(nfct_new())
    defer { unsafe nfct_destroy(theirs) }
    #expect(unsafe Self.withHeader(recording) { unsafe nfct_nlmsg_parse($0, theirs) } == 0)
    func isSet(_ attribute: nf_conntrack_attr) -> Bool {
      unsafe nfct_attr_is_set(theirs, attribute) > 0
    }
    func number(_ attribute: nf_conntrack_attr) -> UInt32? {
      unsafe isSet(attribute) ? nfct_get_attr_u32(theirs, attribute) : nil
    }
    func short(_ attribute: nf_conntrack_attr) -> UInt16? {
      unsafe isSet(attribute) ? nfct_get_attr_u16(theirs, attribute) : nil
    }
    func octets(_ attribute: nf_conntrack_attr, _ count: Int) -> [UInt8] {
      unsafe Array(
        UnsafeRawBufferPointer(start: nfct_get_attr(theirs, attribute), count: count))
    }
    #expect(number(ATTR_ID) == ours.id)
    #expect(number(ATTR_STATUS) == ours.status.rawValue)
    #expect(number(ATTR_TIMEOUT) == ours.timeout)
    #expect(short(ATTR_ZONE) == ours.zone)
    for (direction, tuple) in zip(Self.directions, [ours.original, ours.reply]) {
      let types = tuple.source.family == 4 ? direction.v4 : direction.v6
      let count = tuple.source.bitWidth / 8
      #expect(octets(types.0, count) == tuple.source.bytes)
      #expect(octets(types.1, count) == tuple.destination.bytes)
      #expect(octets(direction.proto, 1) == [tuple.proto.rawValue])
      // In network order, as on the wire.
      #expect(short(direction.ports.0)?.byteSwapped == tuple.sourcePort)
      #expect(short(direction.ports.1)?.byteSwapped == tuple.destinationPort)
    }
    if ours.original.proto.isICMP {
      #expect(short(ATTR_ICMP_ID)?.byteSwapped == ours.original.icmpID)
      #expect(octets(ATTR_ICMP_TYPE, 1).first == ours.original.icmpType)
      #expect(octets(ATTR_ICMP_CODE, 1).first == ours.original.icmpCode)
    }
  }

  // MARK: libnftnl's chains and rules

  @Test(arguments: Recordings.chains)
  func chain(recording: Recording) throws {
    let ours = try ChainMessage(recording.payload)
    let theirs = try unsafe #require(nftnl_chain_alloc())
    defer { unsafe nftnl_chain_free(theirs) }
    #expect(unsafe Self.withHeader(recording) { unsafe nftnl_chain_nlmsg_parse($0, theirs) } == 0)
    func number(_ attribute: nftnl_chain_attr) -> UInt32? {
      let type = UInt16(attribute.rawValue)
      return unsafe nftnl_chain_is_set(theirs, type) ? nftnl_chain_get_u32(theirs, type) : nil
    }
    func string(_ attribute: nftnl_chain_attr) -> String? {
      unsafe nftnl_chain_get_str(theirs, UInt16(attribute.rawValue)).map {
        unsafe String(cString: $0)
      }
    }
    #expect(number(NFTNL_CHAIN_FAMILY) == UInt32(ours.family))
    #expect(string(NFTNL_CHAIN_TABLE) == ours.table)
    #expect(string(NFTNL_CHAIN_NAME) == ours.name)
    #expect(string(NFTNL_CHAIN_TYPE) == ours.type)
    #expect(number(NFTNL_CHAIN_HOOKNUM) == ours.hookNumber)
    #expect(number(NFTNL_CHAIN_PRIO) == ours.priority.map { UInt32(bitPattern: $0) })
    #expect(number(NFTNL_CHAIN_POLICY) == ours.policy.map { UInt32(bitPattern: $0.rawValue) })
    #expect(unsafe nftnl_chain_get_u64(theirs, UInt16(NFTNL_CHAIN_HANDLE.rawValue)) == ours.handle)
    var devices: [String] = []
    let names = unsafe nftnl_chain_get_array(theirs, UInt16(NFTNL_CHAIN_DEVICES.rawValue))
    if var name = unsafe names {
      while let text = unsafe name.pointee {
        unsafe devices.append(String(cString: text))
        unsafe name += 1
      }
    }
    #expect(devices == ours.devices)
  }

  @Test(arguments: Recordings.rules)
  func rule(recording: Recording) throws {
    let ours = try NFTRuleMessage(recording.payload)
    let theirs = try unsafe #require(nftnl_rule_alloc())
    defer { unsafe nftnl_rule_free(theirs) }
    #expect(unsafe Self.withHeader(recording) { unsafe nftnl_rule_nlmsg_parse($0, theirs) } == 0)
    #expect(
      unsafe String(cString: nftnl_rule_get_str(theirs, UInt16(NFTNL_RULE_TABLE.rawValue)))
        == ours.table)
    #expect(
      unsafe String(cString: nftnl_rule_get_str(theirs, UInt16(NFTNL_RULE_CHAIN.rawValue)))
        == ours.chain)
    #expect(unsafe nftnl_rule_get_u64(theirs, UInt16(NFTNL_RULE_HANDLE.rawValue)) == ours.handle)
    let iterator = try unsafe #require(nftnl_expr_iter_create(theirs))
    defer { unsafe nftnl_expr_iter_destroy(iterator) }
    var names: [String] = []
    while let expression = unsafe nftnl_expr_iter_next(iterator) {
      unsafe names.append(
        String(cString: nftnl_expr_get_str(expression, UInt16(NFTNL_EXPR_NAME))))
    }
    #expect(names == ours.expressions.map { $0.split(separator: ":").first.map(String.init) ?? "" })
  }
}
