// nf_tables trace messages: <linux/netfilter/nf_tables.h>, enum nft_trace_attributes.

/// One step of one packet through the rules, for packets with `meta nftrace` on.
package struct TraceMessage: Sendable, Equatable {
  /// What the step was.
  package enum Kind: UInt32, Sendable {
    case policy = 1
    case `return` = 2
    case rule = 3
  }

  /// NFPROTO_… of the table.
  package var family: UInt8
  /// The packet's trace id: not unique, reused by later packets.
  package var id: UInt32
  /// What the step was.
  package var kind: Kind
  /// The table's name.
  package var table: String
  /// The chain's name.
  package var chain: String
  /// The rule; nil at the end of a chain and for policies.
  package var handle: UInt64?
  /// What was decided; in a policy's step, the policy.
  package var verdict: Verdict
  /// Where a jump or goto leads.
  package var target: String?
  /// The base chain's policy, in its policy event.
  package var policy: Verdict?
  /// The packet mark; the kernel leaves it out when it is 0.
  package var mark: UInt32?
  /// Index of the input interface; like the headers, only in the first step in a base chain.
  package var inDevice: UInt32?
  /// Index of the output interface, in the same steps.
  package var outDevice: UInt32?
  /// The link header, cut to 20 octets.
  package var linkHeader: [UInt8]?
  /// The network header without options or extension headers: 20 octets in IPv4, 40 in IPv6, 28 or more of ARP.
  package var networkHeader: [UInt8]?
  /// The first 20 octets of the transport header.
  package var transportHeader: [UInt8]?
  /// Id of the connection, as ctnetlink's CTA_ID; from Linux 6.16 on, like the next three.
  package var conntrackID: UInt32?
  /// 0 original, 1 reply.
  package var conntrackDirection: UInt8?
  /// IPS_… bits.
  package var conntrackStatus: UInt32?
  /// One bit: 1 invalid, 2 established, 4 related, 8 new, 64 untracked.
  package var conntrackState: UInt32?

  /// NFT_MSG_TRACE in subsystem 10.
  package static let type: UInt16 = UInt16(NetfilterSubsystem.nftables) << 8 | 17

  /// A step of these fields; the rest is nil.
  package init(
    family: UInt8, id: UInt32, kind: Kind, table: String, chain: String, handle: UInt64? = nil,
    verdict: Verdict, target: String? = nil
  ) {
    self.family = family
    self.id = id
    self.kind = kind
    self.table = table
    self.chain = chain
    self.handle = handle
    self.verdict = verdict
    self.target = target
  }

  /// Whether this is the first step in a base chain, the one that carries the headers. Of an IPv6
  /// fragment that is not the first one, that is all but the network header.
  package var startsChain: Bool {
    networkHeader != nil || transportHeader != nil || inDevice != nil || outDevice != nil
  }

  /// enum nft_trace_attributes.
  private enum Attribute {
    static let table: UInt16 = 1
    static let chain: UInt16 = 2
    static let ruleHandle: UInt16 = 3
    static let type: UInt16 = 4
    static let verdict: UInt16 = 5
    static let id: UInt16 = 6
    static let linkHeader: UInt16 = 7
    static let networkHeader: UInt16 = 8
    static let transportHeader: UInt16 = 9
    static let inDevice: UInt16 = 10
    static let outDevice: UInt16 = 12
    static let mark: UInt16 = 14
    static let policy: UInt16 = 16
    static let conntrackID: UInt16 = 18
    static let conntrackDirection: UInt16 = 19
    static let conntrackStatus: UInt16 = 20
    static let conntrackState: UInt16 = 21
  }

  /// enum nft_verdict_attributes.
  private enum VerdictAttribute {
    static let code: UInt16 = 1
    static let chain: UInt16 = 2
  }

  /// Decodes the payload of a netlink message of type 0x0a11. Throws when it is cut off or its kind
  /// of step is unknown.
  package init(_ payload: [UInt8]) throws(WireError) {
    family = try NetfilterHeader(payload).family
    id = 0
    kind = .rule
    table = ""
    chain = ""
    verdict = .continue
    var reader = ByteReader(payload.span)
    try reader.skip(NetfilterHeader.length)
    while let attribute = try reader.attribute() {
      var value = try reader.value(of: attribute)
      switch attribute.type {
      case Attribute.table: table = value.string()
      case Attribute.chain: chain = value.string()
      case Attribute.ruleHandle: handle = value.network()
      case Attribute.type:
        var number = value
        guard let known = number.network().flatMap({ Kind(rawValue: $0) }) else {
          throw WireError("unknown trace type \(value.rest())", at: NetfilterHeader.length)
        }
        kind = known
      case Attribute.verdict:
        while let part = try value.attribute() {
          var nested = try value.value(of: part)
          switch part.type {
          case VerdictAttribute.code: verdict = nested.verdict() ?? verdict
          case VerdictAttribute.chain: target = nested.string()
          default: break
          }
        }
      case Attribute.id: id = value.network() ?? 0
      case Attribute.linkHeader: linkHeader = value.rest(of: payload)
      case Attribute.networkHeader: networkHeader = value.rest(of: payload)
      case Attribute.transportHeader: transportHeader = value.rest(of: payload)
      case Attribute.inDevice: inDevice = value.network()
      case Attribute.outDevice: outDevice = value.network()
      case Attribute.mark: mark = value.network()
      case Attribute.policy: policy = value.verdict()
      case Attribute.conntrackID: conntrackID = value.network()
      case Attribute.conntrackDirection: conntrackDirection = value.rest().first
      case Attribute.conntrackStatus: conntrackStatus = value.network()
      case Attribute.conntrackState: conntrackState = value.network()
      default: break
      }
    }
    if kind == .policy, let policy { verdict = policy }
  }

  /// The same, but nil for a step in a table whose name begins with `prefix`, of which hardly anything is read.
  package init?(_ payload: [UInt8], unlessOf prefix: String) throws(WireError) {
    var reader = ByteReader(payload.span)
    try reader.skip(NetfilterHeader.length)
    while let attribute = try reader.attribute() {
      let value = try reader.value(of: attribute)
      guard attribute.type == Attribute.table else { continue }
      if value.begins(with: prefix) { return nil }
      break
    }
    try self.init(payload)
  }

  /// What tells the rule of a step from others, by the octets of family, table, chain, handle and verdict: equal for
  /// steps that say the same of them. nil for what is no rule's step, or cannot be read.
  package static func fingerprint(_ payload: [UInt8]) -> UInt64? {
    var print = Fingerprint()
    var isRule = false
    var reader = ByteReader(payload.span)
    guard let family = try? reader.u8(), (try? reader.skip(NetfilterHeader.length - 1)) != nil
    else {
      return nil
    }
    print.add(family)
    while let attribute = try? reader.attribute(), let value = try? reader.value(of: attribute) {
      switch attribute.type {
      case Attribute.ruleHandle: isRule = true
      case Attribute.table, Attribute.chain, Attribute.verdict: break
      default: continue
      }
      print.add(UInt8(truncatingIfNeeded: attribute.type))
      value.add(to: &print)
    }
    return isRule ? print.value : nil
  }

  /// The payload of the netlink message.
  package var bytes: [UInt8] {
    func code(_ verdict: Verdict) -> UInt32 { UInt32(bitPattern: verdict.rawValue) }
    var attributes = [
      NetlinkAttribute(Attribute.id, network: id),
      NetlinkAttribute(Attribute.type, network: kind.rawValue),
      NetlinkAttribute(Attribute.table, string: table),
      NetlinkAttribute(Attribute.chain, string: chain),
    ]
    if let handle { attributes.append(NetlinkAttribute(Attribute.ruleHandle, network: handle)) }
    var nested = [NetlinkAttribute(VerdictAttribute.code, network: code(verdict))]
    if let target { nested.append(NetlinkAttribute(VerdictAttribute.chain, string: target)) }
    attributes.append(NetlinkAttribute(Attribute.verdict, nested: nested))
    if let linkHeader { attributes.append(NetlinkAttribute(Attribute.linkHeader, linkHeader)) }
    if let networkHeader {
      attributes.append(NetlinkAttribute(Attribute.networkHeader, networkHeader))
    }
    if let transportHeader {
      attributes.append(NetlinkAttribute(Attribute.transportHeader, transportHeader))
    }
    if let inDevice { attributes.append(NetlinkAttribute(Attribute.inDevice, network: inDevice)) }
    if let outDevice {
      attributes.append(NetlinkAttribute(Attribute.outDevice, network: outDevice))
    }
    if let mark { attributes.append(NetlinkAttribute(Attribute.mark, network: mark)) }
    if let policy { attributes.append(NetlinkAttribute(Attribute.policy, network: code(policy))) }
    if let conntrackID {
      attributes.append(NetlinkAttribute(Attribute.conntrackID, network: conntrackID))
    }
    if let conntrackDirection {
      attributes.append(NetlinkAttribute(Attribute.conntrackDirection, [conntrackDirection]))
    }
    if let conntrackStatus {
      attributes.append(NetlinkAttribute(Attribute.conntrackStatus, network: conntrackStatus))
    }
    if let conntrackState {
      attributes.append(NetlinkAttribute(Attribute.conntrackState, network: conntrackState))
    }
    return NetfilterHeader(family: family).bytes + attributes.bytes
  }
}

extension ByteReader {
  /// All that is left as a verdict's code; nil when its size is another.
  @_lifetime(self: copy self)
  fileprivate mutating func verdict() -> Verdict? {
    (network() as UInt32?).map { Verdict(rawValue: Int32(bitPattern: $0)) }
  }
}
