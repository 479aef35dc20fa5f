/// A rule, from NFT_MSG_NEWRULE or NFT_MSG_DELRULE.
package struct NFTRuleMessage: Sendable, Equatable {
  /// NFPROTO_… of the table.
  package var family: UInt8
  /// The table's name.
  package var table: String
  /// The chain's name.
  package var chain: String
  /// The rule's number in its table.
  package var handle: UInt64
  /// The expressions in order: "meta", "cmp", "masq", "target:MASQUERADE" (an iptables target),
  /// "match:comment" (an iptables match), "nat:dnat", "fib:reverse" (the way back to the source).
  package var expressions: [String]
  /// The rule's comment: from nft(8)'s user data, or from an iptables match of that name.
  package var comment: String?
  /// Whether it asks who sends: a user, a group or a control group.
  package var asksOwner = false
  /// Rules of the same one say the same, counters apart; nil where the message does not have all
  /// that a rule says: a set or chain without a name of its own is sent by itself.
  package var fingerprint: UInt64?

  /// The chain without a name of its own that belongs to it, as the kernel calls it.
  package var namelessChain: String?

  /// NFT_MSG_NEWRULE in subsystem 10.
  package static let newType: UInt16 = 0x0a06
  /// NFT_MSG_DELRULE in subsystem 10.
  package static let deleteType: UInt16 = 0x0a08

  /// enum nft_rule_attributes.
  private enum Attribute {
    static let table: UInt16 = 1
    static let chain: UInt16 = 2
    static let handle: UInt16 = 3
    static let expressions: UInt16 = 4
    static let compatibility: UInt16 = 5
    static let userData: UInt16 = 7
  }

  /// enum nft_expr_attributes, and of what is in them enum nft_target_attributes (as of matches) and
  /// enum nft_nat_attributes.
  private enum Expression {
    static let name: UInt16 = 1
    static let data: UInt16 = 2
    static let extensionName: UInt16 = 1
    static let matchInfo: UInt16 = 3
    static let natType: UInt16 = 1
    static let metaKey: UInt16 = 2
    static let socketKey: UInt16 = 1
    static let fibResult: UInt16 = 2
    static let fibFlags: UInt16 = 3
    static let immediateData: UInt16 = 2
    static let dataVerdict: UInt16 = 2
    static let verdictChain: UInt16 = 2
  }

  /// Decodes the payload of a netlink message of one of the two types. Throws when it is cut off.
  package init(_ payload: [UInt8]) throws(WireError) {
    family = try NetfilterHeader(payload).family
    let attributes = try NetlinkAttribute.all(in: payload, from: NetfilterHeader.length)
    table = attributes[type: Attribute.table]?.string ?? ""
    chain = attributes[type: Attribute.chain]?.string ?? ""
    handle = attributes[type: Attribute.handle]?.network() ?? 0
    expressions = []
    var matched: String?
    var sum = Sum()
    for element in try attributes[type: Attribute.expressions]?.nested() ?? [] {
      let parts = try element.nested()
      let name = try Self.name(
        parts[type: Expression.name]?.string ?? "?", data: parts[type: Expression.data])
      expressions.append(name)
      if try Self.asksOwner(name, parts[type: Expression.data]) { asksOwner = true }
      if name == "immediate" {
        let chain = try Self.target(parts[type: Expression.data])
        if let chain, Self.isNameless(chain) { namelessChain = chain }
      }
      // Its information is a struct xt_comment_info: 256 octets of text.
      if name == "match:comment" {
        matched = try parts[type: Expression.data]?.nested()[type: Expression.matchInfo]?.string
      }
      sum.add(name.utf8)
      // What these have counted is nothing that the rule says.
      if let data = parts[type: Expression.data]?.value, name != "counter", name != "last" {
        sum.add(data)
      }
    }
    for type in [Attribute.compatibility, Attribute.userData] {
      sum.add(attributes[type: type]?.value ?? [])
    }
    fingerprint = sum.namesTheNameless ? nil : sum.value
    comment = attributes[type: Attribute.userData].flatMap { Self.comment($0.value) } ?? matched
  }

  /// Whether a chain has no name of its own: the kernel numbers those of `jump { … }`.
  package static func isNameless(_ chain: String) -> Bool {
    let number = chain.utf8.dropFirst("__chain".utf8.count)
    return chain.hasPrefix("__chain") && !number.isEmpty
      && number.allSatisfy { (0x30...0x39).contains($0) }
  }

  /// Whether the rule in the payload of a message leads to this chain, which has no name of its own.
  package static func leads(to chain: String, _ payload: [UInt8]) -> Bool {
    // Its name is looked for first: there may be a hundred thousand rules.
    let name = Array(chain.utf8) + [0]
    guard payload.indices.contains(where: { payload[$0...].starts(with: name) }) else {
      return false
    }
    return (try? NFTRuleMessage(payload))?.namelessChain == chain
  }

  /// The handle of the rule in the payload of a message; nil where it has none. Nothing else is read of it.
  package static func handle(_ payload: [UInt8]) -> UInt64? {
    var reader = ByteReader(payload.span)
    guard (try? reader.skip(NetfilterHeader.length)) != nil else { return nil }
    while let attribute = try? reader.attribute(), var value = try? reader.value(of: attribute) {
      if attribute.type == Attribute.handle { return value.network() }
    }
    return nil
  }

  /// The chain that the verdict of an immediate expression leads to.
  private static func target(_ data: NetlinkAttribute?) throws(WireError) -> String? {
    let value = try data?.nested()[type: Expression.immediateData]?.nested()
    return try value?[type: Expression.dataVerdict]?.nested()[type: Expression.verdictChain]?.string
  }

  /// iptables' matches, and nft's `meta skuid`, `meta skgid`, `meta cgroup` (NFT_META_SKUID and on) and `socket cgroupv2`.
  private static func asksOwner(
    _ name: String, _ data: NetlinkAttribute?
  ) throws(WireError) -> Bool {
    if name == "match:owner" || name == "match:cgroup" { return true }
    guard name == "meta" || name == "socket", let data = try data?.nested() else { return false }
    let key = data[type: name == "meta" ? Expression.metaKey : Expression.socketKey]
    let wanted: [UInt32] = name == "meta" ? [10, 11, 23] : [3]
    return key?.network(UInt32.self).map { wanted.contains($0) } ?? false
  }

  /// Whether the rule in the payload of a message asks who sends. Nothing else is read of it: there may be a hundred
  /// thousand.
  package static func asksOwner(_ payload: [UInt8]) -> Bool {
    (try? asksOwner(reading: payload)) ?? false
  }

  private static func asksOwner(reading payload: [UInt8]) throws(WireError) -> Bool {
    var reader = ByteReader(payload.span)
    try reader.skip(NetfilterHeader.length)
    while let attribute = try reader.attribute() {
      var elements = try reader.value(of: attribute)
      guard attribute.type == Attribute.expressions else { continue }
      while let element = try elements.attribute() {
        var parts = try elements.value(of: element)
        var name = ""
        while let part = try parts.attribute() {
          var value = try parts.value(of: part)
          if part.type == Expression.name { name = value.string() }
          guard part.type == Expression.data, ["meta", "socket", "match"].contains(name) else {
            continue
          }
          let data = NetlinkAttribute(part.type, value.rest(of: payload))
          if try asksOwner(Self.name(name, data: data), data) { return true }
        }
      }
    }
    return false
  }

  /// How many packets the first counter of a rule has seen, from the payload of its message; nil where it has none.
  package static func countedPackets(_ payload: [UInt8]) -> UInt64? {
    guard
      let attributes = try? NetlinkAttribute.all(in: payload, from: NetfilterHeader.length),
      let elements = try? attributes[type: Attribute.expressions]?.nested()
    else { return nil }
    for element in elements {
      guard let parts = try? element.nested(), parts[type: Expression.name]?.string == "counter",
        let data = try? parts[type: Expression.data]?.nested()
      else { continue }
      // NFTA_COUNTER_PACKETS.
      return data[type: 2]?.network()
    }
    return nil
  }

  private static func name(
    _ name: String, data: NetlinkAttribute?
  ) throws(WireError) -> String {
    guard let data = try data?.nested() else { return name }
    switch name {
    case "target", "match": return "\(name):\(data[type: Expression.extensionName]?.string ?? "?")"
    case "fib":
      // The interface (NFT_FIB_RESULT_OIF, OIFNAME) by which the source is reached (NFTA_FIB_F_SADDR).
      let result = data[type: Expression.fibResult]?.network(UInt32.self) ?? 0
      let flags = data[type: Expression.fibFlags]?.network(UInt32.self) ?? 0
      return [1, 2].contains(result) && flags & 1 != 0 ? "fib:reverse" : name
    case "nat":
      switch data[type: Expression.natType]?.network(UInt32.self) {
      case 0: return "nat:snat"
      case 1: return "nat:dnat"
      default: return name
      }
    default: return name
    }
  }

  /// libnftnl's user data: type, length, value; NFTNL_UDATA_RULE_COMMENT is 0.
  private static func comment(_ bytes: [UInt8]) -> String? {
    var at = 0
    while at + 2 <= bytes.count {
      let (type, length) = (bytes[at], Int(bytes[at + 1]))
      guard at + 2 + length <= bytes.count else { return nil }
      if type == 0 {
        let text = bytes[(at + 2)..<(at + 2 + length)].prefix { $0 != 0 }
        return String(decoding: text, as: UTF8.self)
      }
      at += 2 + length
    }
    return nil
  }

  /// Of pieces of any length.
  private struct Sum {
    private var fingerprint = Fingerprint()
    /// Whether there are names as the kernel gives them: "__set0", "__chain1".
    private(set) var namesTheNameless = false

    mutating func add(_ bytes: some Collection<UInt8>) {
      var last: UInt8 = 0
      for byte in bytes {
        if byte == 0x5f, last == 0x5f { namesTheNameless = true }
        last = byte
      }
      fingerprint.add(bytes)
      // Where a piece ends counts as well.
      fingerprint.add([0, 0xff])
    }

    var value: UInt64 { fingerprint.value }
  }

  /// What kind of address translation the rule asks for, if it does.
  package var translation: Translation? {
    for expression in expressions {
      switch expression {
      case "masq", "target:MASQUERADE": return .masquerade
      case "redir", "target:REDIRECT": return .redirect
      case "nat:snat", "target:SNAT", "target:NETMAP": return .snat
      case "nat:dnat", "target:DNAT": return .dnat
      default: continue
      }
    }
    return nil
  }

  /// Whether the rule answers what it drops with an ICMP error or a TCP reset.
  package var rejects: Bool {
    expressions.contains("reject") || expressions.contains("target:REJECT")
  }

  /// Whether the rule looks at the way back to the source, as rp_filter does.
  package var checksReversePath: Bool {
    expressions.contains("fib:reverse") || expressions.contains("match:rpfilter")
  }

  /// Whether what the rule makes of a packet may depend on packets before it: by its connection, by translation, or by
  /// what they have left in a set.
  package var remembers: Bool {
    expressions.contains { expression in
      if expression.hasPrefix("match:conn") { return true }
      return [
        "ct", "socket", "dynset", "match:state", "match:helper", "match:socket", "match:recent",
      ].contains(expression)
    } || translation != nil
  }

  /// Kinds of address translation.
  package enum Translation: String, Sendable {
    case masquerade, redirect, snat, dnat
  }
}
