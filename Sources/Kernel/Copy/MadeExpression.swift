internal import CNetfilter
internal import Wire

/// Expressions and objects of rules that the kernel lists otherwise than it takes them.
enum MadeExpression {
  private static let name: UInt16 = 1
  private static let data: UInt16 = 2
  /// `NFTA_MATCH_NAME` and `NFTA_TARGET_NAME`, of what iptables has.
  private static let extensionName: UInt16 = 1
  /// `NFT_QUOTA_F_DEPLETED`: the kernel's own note that a quota is used up. What was used says it.
  private static let depleted: UInt32 = 2

  /// What makes an expression (`NFTA_LIST_ELEM`) that is listed so.
  static func made(_ expression: NetlinkAttribute) -> NetlinkAttribute {
    guard let parts = try? expression.nested(), let kind = parts[type: name]?.string,
      let values = (try? parts[type: data]?.nested()) ?? nil
    else { return expression }
    let kept: [NetlinkAttribute]
    switch kind {
    case "quota": kept = quota(values)
    // What takes a TCP option away looks at nothing, and still lists where.
    case "exthdr"
    where values[type: UInt16(NFTA_EXTHDR_DREG.rawValue)] == nil
      && values[type: UInt16(NFTA_EXTHDR_SREG.rawValue)] == nil:
      kept = values.filter {
        [NFTA_EXTHDR_TYPE.rawValue, NFTA_EXTHDR_OP.rawValue].contains(UInt32($0.type))
      }
    // What writes a TCP option has no result, and still lists how that would be had.
    case "exthdr" where values[type: UInt16(NFTA_EXTHDR_SREG.rawValue)] != nil:
      kept = values.filter { $0.type != UInt16(NFTA_EXTHDR_FLAGS.rawValue) }
    // That an element has no time of its own is listed as one of zero, which a set without any does not take.
    case "dynset":
      kept = values.filter {
        $0.type != UInt16(NFTA_DYNSET_TIMEOUT.rawValue) || $0.value.contains { $0 != 0 }
      }
    // That no version is asked for is listed as flags of which there are none, which are none to give.
    case "osf":
      kept = values.filter {
        $0.type != UInt16(NFTA_OSF_FLAGS.rawValue) || $0.value.contains { $0 != 0 }
      }
    default: return expression
    }
    return NetlinkAttribute(
      expression.type,
      nested: parts.map { $0.type == data ? NetlinkAttribute(data, nested: kept) : $0 })
  }

  /// The set that an expression looks something up in; nil for others.
  static func set(_ expression: NetlinkAttribute) -> String? {
    guard let parts = try? expression.nested(), let kind = parts[type: name]?.string,
      let values = (try? parts[type: data]?.nested()) ?? nil
    else { return nil }
    switch kind {
    case "lookup": return values[type: UInt16(NFTA_LOOKUP_SET.rawValue)]?.string
    case "objref": return values[type: UInt16(NFTA_OBJREF_SET_NAME.rawValue)]?.string
    default: return nil
    }
  }

  /// Whether an expression is the jump into a chain that has no name of its own.
  static func entersNameless(_ expression: NetlinkAttribute) -> Bool {
    guard let parts = try? expression.nested(), parts[type: name]?.string == "immediate",
      let values = try? parts[type: data]?.nested(),
      let value = try? values[type: UInt16(NFTA_IMMEDIATE_DATA.rawValue)]?.nested(),
      let verdict = try? value[type: UInt16(NFTA_DATA_VERDICT.rawValue)]?.nested(),
      let chain = verdict[type: UInt16(NFTA_VERDICT_CHAIN.rawValue)]?.string
    else { return false }
    return NFTRuleMessage.isNameless(chain)
  }

  /// What no packet gets past: that zero is not zero.
  static var never: [NetlinkAttribute] {
    func expression(_ kind: String, _ values: [NetlinkAttribute]) -> NetlinkAttribute {
      NetlinkAttribute(
        UInt16(NFTA_LIST_ELEM.rawValue),
        nested: [
          NetlinkAttribute(name, string: kind), NetlinkAttribute(data, nested: values),
        ])
    }
    func zero(_ type: UInt16) -> NetlinkAttribute {
      NetlinkAttribute(
        type, nested: [NetlinkAttribute(UInt16(NFTA_DATA_VALUE.rawValue), network: UInt32(0))])
    }
    let register = NFT_REG_1.rawValue
    return [
      expression(
        "immediate",
        [
          NetlinkAttribute(UInt16(NFTA_IMMEDIATE_DREG.rawValue), network: register),
          zero(UInt16(NFTA_IMMEDIATE_DATA.rawValue)),
        ]),
      expression(
        "cmp",
        [
          NetlinkAttribute(UInt16(NFTA_CMP_SREG.rawValue), network: register),
          NetlinkAttribute(UInt16(NFTA_CMP_OP.rawValue), network: UInt32(NFT_CMP_NEQ.rawValue)),
          zero(UInt16(NFTA_CMP_DATA.rawValue)),
        ]),
    ]
  }

  /// Whether an expression looks at the kind of an interface, or at its link-layer type.
  static func asksForKind(_ expression: NetlinkAttribute) -> Bool {
    guard let parts = try? expression.nested(), parts[type: name]?.string == "meta",
      let values = try? parts[type: data]?.nested(),
      let key: UInt32 = values[type: UInt16(NFTA_META_KEY.rawValue)]?.network()
    else { return false }
    // NFT_META_IIFTYPE and OIFTYPE, IIFKIND and OIFKIND.
    return [8, 9, 26, 27].contains(key)
  }

  /// Whether a rule of these expressions decides by how much came before, which the kernel keeps to itself.
  static func decidesByLimit(_ expressions: [NetlinkAttribute]) -> Bool {
    let parts = expressions.map { ($0, (try? $0.nested()) ?? []) }
    return parts.contains { isLimit($0, $1) } && parts.contains { decides($1) }
  }

  /// What iptables' matches are called that go by what came before, and keep that to themselves.
  static let countingMatches: Set<String> = [
    "limit", "hashlimit", "recent", "connlimit", "statistic", "quota",
  ]

  private static func isLimit(
    _ expression: NetlinkAttribute, _ parts: [NetlinkAttribute]
  ) -> Bool {
    let values = (try? parts[type: data]?.nested()) ?? []
    switch parts[type: name]?.string {
    case "limit", "connlimit": return true
    case "match":
      return values[type: extensionName].map { countingMatches.contains($0.string) } ?? false
    case "objref":
      return values[type: UInt16(NFTA_OBJREF_IMM_TYPE.rawValue)]?.network()
        == UInt32(NFT_OBJECT_LIMIT)
    // What each element of a dynamic set has.
    case "dynset":
      let own = values[type: UInt16(NFTA_DYNSET_EXPR.rawValue)].map { [$0] } ?? []
      let several = (try? values[type: UInt16(NFTA_DYNSET_EXPRESSIONS.rawValue)]?.nested()) ?? []
      return (own + several).contains { isLimit($0, (try? $0.nested()) ?? []) }
    default: return false
    }
  }

  private static func decides(_ parts: [NetlinkAttribute]) -> Bool {
    let values = (try? parts[type: data]?.nested()) ?? []
    switch parts[type: name]?.string {
    // Into the register of verdicts, NFT_REG_VERDICT.
    case "immediate":
      return values[type: UInt16(NFTA_IMMEDIATE_DREG.rawValue)]?.network() == UInt32(0)
    case "reject", "queue", "nat", "masq", "redir", "tproxy", "synproxy", "fwd": return true
    case "target":
      let name = values[type: extensionName]?.string ?? ""
      return !["LOG", "NFLOG", "CT", "MARK"].contains(name)
    default: return false
    }
  }

  /// What makes a quota that is listed so: `NFTA_QUOTA_…`.
  static func quota(_ values: [NetlinkAttribute]) -> [NetlinkAttribute] {
    let flags = UInt16(NFTA_QUOTA_FLAGS.rawValue)
    return values.map { value in
      guard value.type == flags, let number: UInt32 = value.network() else { return value }
      return NetlinkAttribute(flags, network: number & ~depleted)
    }
  }
}
