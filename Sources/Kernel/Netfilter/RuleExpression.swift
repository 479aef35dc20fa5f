internal import CNetfilter
internal import Wire

/// The expressions nftrace's own rules are made of, as libnftnl knows them. They use register 1 where they
/// do not name another.
///
/// Sound, all of it: an expression is made whole here, libnftnl copies the texts and octets it is
/// given, and it is the caller's then, who puts it into a rule.
enum RuleExpression {
  /// Loads the packet's family, NFPROTO_…
  case loadFamily
  /// Loads the EtherType.
  case loadProtocol
  /// Loads the transport protocol.
  case loadTransport
  /// Loads the name of the interface the packet leaves by.
  case loadOutDevice
  /// What conntrack says of the packet's connection (`IPS_…`), 32 bits of this machine's order. The rule ends here for a packet that
  /// has none.
  case loadConnectionStatus
  /// An address of the connection's packets in one of its directions. The rule ends here likewise.
  case loadConnectionAddress(isSource: Bool, isOriginal: Bool, version: Int)
  /// Of 32 bits of this machine's order, those of a mask alone.
  case mask(UInt32)
  /// Loads the transport protocol into a register of four octets.
  case loadTransportInto(UInt32)
  /// Loads octets of a header.
  case loadPayload(base: Header, offset: UInt32, length: UInt32, into: UInt32 = 1)
  /// Writes octets into a header, and corrects the checksum at this offset of the same header; an address, which
  /// the transport's checksum covers, that one too.
  case storePayload(
    from: UInt32, base: Header, offset: UInt32, length: UInt32, checksum: UInt32?,
    isAddress: Bool = false)
  /// Goes on only if the register is (or is not) these octets.
  case compare([UInt8], equal: Bool)
  /// Goes on only if the register is, as a number in network order, one of these or between them.
  case within([UInt8], [UInt8])
  /// Goes on only if the register is, as a number in network order, less than the first or more than the second.
  case outside([UInt8], [UInt8])
  /// Goes on only if the register is (or is not) in the set.
  case lookup(set: String, id: UInt32, isIn: Bool = true)
  /// Goes on only if what begins at a register is in the map, with what belongs to it in others.
  case lookupValue(map: String, id: UInt32, from: UInt32, into: UInt32)
  /// Loads the octet 1.
  case one
  /// Turns `meta nftrace` on for the packet if the register holds 1.
  case trace
  /// Sends the packet to an NFLOG group, `snapLength` octets of it at most.
  case logToGroup(UInt16, prefix: String, snapLength: UInt32)
  /// Writes a line to the kernel log.
  case logToKernel(prefix: String)
  /// Accepts or drops.
  case verdict(Verdict)
  case counter
  case masquerade
  /// Keeps the packet from being tracked; it has to come before conntrack does.
  case notrack

  enum Header: UInt32 { case network = 1, transport = 2 }

  /// The expression, to be owned by a rule.
  func made() -> OpaquePointer {
    switch self {
    case .loadFamily: unsafe meta(NFT_META_NFPROTO)
    case .loadProtocol: unsafe meta(NFT_META_PROTOCOL)
    case .loadTransport: unsafe meta(NFT_META_L4PROTO)
    case .loadOutDevice: unsafe meta(NFT_META_OIFNAME)
    case .loadConnectionStatus:
      unsafe expression(
        "ct", [(NFTNL_EXPR_CT_KEY, NFT_CT_STATUS.rawValue), (NFTNL_EXPR_CT_DREG, 1)])
    case .loadConnectionAddress(let isSource, let isOriginal, let version):
      unsafe connectionAddress(isSource, isOriginal, version)
    case .mask(let bits): unsafe mask(bits)
    case .loadTransportInto(let register): unsafe meta(NFT_META_L4PROTO, into: register)
    case .loadPayload(let base, let offset, let length, let register):
      unsafe expression(
        "payload",
        [
          (NFTNL_EXPR_PAYLOAD_DREG, register), (NFTNL_EXPR_PAYLOAD_BASE, base.rawValue),
          (NFTNL_EXPR_PAYLOAD_OFFSET, offset), (NFTNL_EXPR_PAYLOAD_LEN, length),
        ])
    case .storePayload(let register, let base, let offset, let length, let checksum, let isAddress):
      unsafe expression(
        "payload",
        [
          (NFTNL_EXPR_PAYLOAD_SREG, register), (NFTNL_EXPR_PAYLOAD_BASE, base.rawValue),
          (NFTNL_EXPR_PAYLOAD_OFFSET, offset), (NFTNL_EXPR_PAYLOAD_LEN, length),
          (NFTNL_EXPR_PAYLOAD_CSUM_TYPE, checksum == nil ? 0 : NFT_PAYLOAD_CSUM_INET.rawValue),
          (NFTNL_EXPR_PAYLOAD_CSUM_OFFSET, checksum ?? 0),
          (NFTNL_EXPR_PAYLOAD_FLAGS, isAddress ? NFT_PAYLOAD_L4CSUM_PSEUDOHDR.rawValue : 0),
        ])
    case .compare(let bytes, let equal):
      unsafe compare(bytes, equal: equal)
    case .within(let least, let most): unsafe range(NFT_RANGE_EQ, least, most)
    case .outside(let least, let most): unsafe range(NFT_RANGE_NEQ, least, most)
    case .lookup(let set, let id, let isIn):
      unsafe lookup(
        set, id,
        [(NFTNL_EXPR_LOOKUP_SREG, 1)]
          + (isIn ? [] : [(NFTNL_EXPR_LOOKUP_FLAGS, NFT_LOOKUP_F_INV.rawValue)]))
    case .lookupValue(let map, let id, let key, let value):
      unsafe lookup(map, id, [(NFTNL_EXPR_LOOKUP_SREG, key), (NFTNL_EXPR_LOOKUP_DREG, value)])
    case .one: unsafe immediate([1])
    case .trace: unsafe setTrace()
    case .logToGroup(let group, let prefix, let snapLength):
      unsafe log(prefix, group: group, snapLength: snapLength)
    case .logToKernel(let prefix): unsafe log(prefix, group: nil, snapLength: 0)
    case .verdict(let verdict):
      unsafe expression(
        "immediate",
        [(NFTNL_EXPR_IMM_DREG, 0), (NFTNL_EXPR_IMM_VERDICT, UInt32(bitPattern: verdict.rawValue))])
    case .counter: unsafe expression("counter", [])
    case .masquerade: unsafe expression("masq", [])
    case .notrack: unsafe expression("notrack", [])
    }
  }

  private func expression(_ name: String, _ values: [(Int, UInt32)]) -> OpaquePointer {
    let made = unsafe nftnl_expr_alloc(name)!
    for (attribute, value) in values {
      unsafe nftnl_expr_set_u32(made, UInt16(attribute), value)
    }
    return unsafe made
  }

  private func meta(_ key: nft_meta_keys, into register: UInt32 = 1) -> OpaquePointer {
    unsafe expression(
      "meta", [(NFTNL_EXPR_META_KEY, key.rawValue), (NFTNL_EXPR_META_DREG, register)])
  }

  private func connectionAddress(
    _ isSource: Bool, _ isOriginal: Bool, _ version: Int
  ) -> OpaquePointer {
    let key =
      version == 4
      ? isSource ? NFT_CT_SRC_IP : NFT_CT_DST_IP : isSource ? NFT_CT_SRC_IP6 : NFT_CT_DST_IP6
    let made = unsafe expression(
      "ct", [(NFTNL_EXPR_CT_KEY, key.rawValue), (NFTNL_EXPR_CT_DREG, 1)])
    // IP_CT_DIR_ORIGINAL and IP_CT_DIR_REPLY.
    unsafe nftnl_expr_set_u8(made, UInt16(NFTNL_EXPR_CT_DIR), isOriginal ? 0 : 1)
    return unsafe made
  }

  private func mask(_ bits: UInt32) -> OpaquePointer {
    let made = unsafe expression(
      "bitwise",
      [
        (NFTNL_EXPR_BITWISE_SREG, 1), (NFTNL_EXPR_BITWISE_DREG, 1), (NFTNL_EXPR_BITWISE_LEN, 4),
      ])
    unsafe set(made, NFTNL_EXPR_BITWISE_MASK, Self.octets(bits))
    unsafe set(made, NFTNL_EXPR_BITWISE_XOR, Self.octets(0))
    return unsafe made
  }

  /// A number as this machine has it in its memory.
  static func octets(_ number: UInt32) -> [UInt8] {
    // Sound: the octets are read while the number is there.
    unsafe withUnsafeBytes(of: number) { unsafe Array($0) }
  }

  private func compare(_ bytes: [UInt8], equal: Bool) -> OpaquePointer {
    let made = unsafe expression(
      "cmp",
      [
        (NFTNL_EXPR_CMP_SREG, 1),
        (NFTNL_EXPR_CMP_OP, equal ? NFT_CMP_EQ.rawValue : NFT_CMP_NEQ.rawValue),
      ])
    unsafe set(made, NFTNL_EXPR_CMP_DATA, bytes)
    return unsafe made
  }

  private func range(
    _ operation: nft_range_ops, _ least: [UInt8], _ most: [UInt8]
  ) -> OpaquePointer {
    let made = unsafe expression(
      "range", [(NFTNL_EXPR_RANGE_SREG, 1), (NFTNL_EXPR_RANGE_OP, operation.rawValue)])
    unsafe set(made, NFTNL_EXPR_RANGE_FROM_DATA, least)
    unsafe set(made, NFTNL_EXPR_RANGE_TO_DATA, most)
    return unsafe made
  }

  private func set(_ made: OpaquePointer, _ attribute: Int, _ bytes: [UInt8]) {
    // libnftnl copies the octets.
    unsafe bytes.withUnsafeBytes { data in
      _ = unsafe nftnl_expr_set(made, UInt16(attribute), data.baseAddress!, UInt32(data.count))
    }
  }

  private func lookup(
    _ name: String, _ id: UInt32, _ registers: [(Int, UInt32)]
  ) -> OpaquePointer {
    let made = unsafe expression("lookup", registers + [(NFTNL_EXPR_LOOKUP_SET_ID, id)])
    unsafe nftnl_expr_set_str(made, UInt16(NFTNL_EXPR_LOOKUP_SET), name)
    return unsafe made
  }

  private func immediate(_ bytes: [UInt8]) -> OpaquePointer {
    let made = unsafe expression("immediate", [(NFTNL_EXPR_IMM_DREG, 1)])
    unsafe set(made, NFTNL_EXPR_IMM_DATA, bytes)
    return unsafe made
  }

  /// `meta nftrace set 1`: the register must hold 1, so this stands behind an immediate.
  private func setTrace() -> OpaquePointer {
    unsafe expression(
      "meta", [(NFTNL_EXPR_META_KEY, NFT_META_NFTRACE.rawValue), (NFTNL_EXPR_META_SREG, 1)])
  }

  private func log(_ prefix: String, group: UInt16?, snapLength: UInt32) -> OpaquePointer {
    let made = unsafe nftnl_expr_alloc("log")!
    unsafe nftnl_expr_set_str(made, UInt16(NFTNL_EXPR_LOG_PREFIX), prefix)
    if let group {
      unsafe nftnl_expr_set_u16(made, UInt16(NFTNL_EXPR_LOG_GROUP), group)
      unsafe nftnl_expr_set_u32(made, UInt16(NFTNL_EXPR_LOG_SNAPLEN), snapLength)
    }
    return unsafe made
  }
}
