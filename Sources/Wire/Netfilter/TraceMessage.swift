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
  /// The network header without options or extension headers: 20 octets in IPv4, 40 in IPv6.
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
      case 1: table = value.string()
      case 2: chain = value.string()
      case 3: handle = value.network()
      case 4:
        var number = value
        guard let known = number.network().flatMap({ Kind(rawValue: $0) }) else {
          throw WireError("unknown trace type \(value.rest())", at: NetfilterHeader.length)
        }
        kind = known
      case 5:
        while let part = try value.attribute() {
          var nested = try value.value(of: part)
          switch part.type {
          case 1: verdict = nested.verdict() ?? verdict
          case 2: target = nested.string()
          default: break
          }
        }
      case 6: id = value.network() ?? 0
      case 7: linkHeader = value.rest()
      case 8: networkHeader = value.rest()
      case 9: transportHeader = value.rest()
      case 10: inDevice = value.network()
      case 12: outDevice = value.network()
      case 14: mark = value.network()
      case 16: policy = value.verdict()
      case 18: conntrackID = value.network()
      case 19: conntrackDirection = value.rest().first
      case 20: conntrackStatus = value.network()
      case 21: conntrackState = value.network()
      default: break
      }
    }
    if kind == .policy, let policy { verdict = policy }
  }

  /// The payload of the netlink message.
  package var bytes: [UInt8] {
    func code(_ verdict: Verdict) -> UInt32 { UInt32(bitPattern: verdict.rawValue) }
    var attributes = [
      NetlinkAttribute(6, network: id), NetlinkAttribute(4, network: kind.rawValue),
      NetlinkAttribute(1, string: table), NetlinkAttribute(2, string: chain),
    ]
    if let handle { attributes.append(NetlinkAttribute(3, network: handle)) }
    var nested = [NetlinkAttribute(1, network: code(verdict))]
    if let target { nested.append(NetlinkAttribute(2, string: target)) }
    attributes.append(NetlinkAttribute(5, nested: nested))
    if let linkHeader { attributes.append(NetlinkAttribute(7, linkHeader)) }
    if let networkHeader { attributes.append(NetlinkAttribute(8, networkHeader)) }
    if let transportHeader { attributes.append(NetlinkAttribute(9, transportHeader)) }
    if let inDevice { attributes.append(NetlinkAttribute(10, network: inDevice)) }
    if let outDevice { attributes.append(NetlinkAttribute(12, network: outDevice)) }
    if let mark { attributes.append(NetlinkAttribute(14, network: mark)) }
    if let policy { attributes.append(NetlinkAttribute(16, network: code(policy))) }
    if let conntrackID { attributes.append(NetlinkAttribute(18, network: conntrackID)) }
    if let conntrackDirection { attributes.append(NetlinkAttribute(19, [conntrackDirection])) }
    if let conntrackStatus { attributes.append(NetlinkAttribute(20, network: conntrackStatus)) }
    if let conntrackState { attributes.append(NetlinkAttribute(21, network: conntrackState)) }
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
