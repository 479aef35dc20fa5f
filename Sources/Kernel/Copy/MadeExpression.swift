internal import CNetfilter
internal import Wire

/// Expressions and objects of rules that the kernel lists otherwise than it takes them.
enum MadeExpression {
  private static let name: UInt16 = 1
  private static let data: UInt16 = 2
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

  /// What makes a quota that is listed so: `NFTA_QUOTA_…`.
  static func quota(_ values: [NetlinkAttribute]) -> [NetlinkAttribute] {
    let flags = UInt16(NFTA_QUOTA_FLAGS.rawValue)
    return values.map { value in
      guard value.type == flags, let number: UInt32 = value.network() else { return value }
      return NetlinkAttribute(flags, network: number & ~depleted)
    }
  }
}
