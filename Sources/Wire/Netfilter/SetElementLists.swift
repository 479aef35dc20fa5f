/// Elements of an nf_tables set, as the kernel lists them (`NFTA_LIST_ELEM` of <linux/netfilter/nf_tables.h>), made
/// ready to be given to it again.
package struct SetElementLists: Sendable {
  /// The elements, as many in a list as an attribute has room for.
  package private(set) var parts: [[NetlinkAttribute]] = []

  /// Octets of elements in a list: the length of an attribute has 16 bits.
  private static let room = 48_000

  /// enum nft_set_elem_attributes.
  private enum Attribute {
    static let key: UInt16 = 1
    static let flags: UInt16 = 3
  }
  /// enum nft_data_attributes: NFTA_DATA_VALUE.
  private static let value: UInt16 = 1

  /// These elements. Of a set of intervals the kernel wants where each begins before where it ends, and lists
  /// them the other way round.
  package init(_ elements: [NetlinkAttribute], isInterval: Bool) {
    let ordered = isInterval ? Self.ascending(elements) : elements
    var part: [NetlinkAttribute] = []
    var size = 0
    for element in ordered {
      let length = element.value.count + 8
      if size + length > Self.room {
        parts.append(part)
        (part, size) = ([], 0)
      }
      part.append(NetlinkAttribute(1 | NetlinkAttribute.nestedFlag, element.value))
      size += length
    }
    if !part.isEmpty { parts.append(part) }
  }

  /// By their keys; where one interval ends and the next begins, the end comes first. What has no key (the one for
  /// all others) stays at the end.
  private static func ascending(_ elements: [NetlinkAttribute]) -> [NetlinkAttribute] {
    elements.map { element in
      let attributes = (try? element.nested()) ?? []
      let key = (try? attributes[type: Attribute.key]?.nested()[type: value]?.value) ?? []
      // NFT_SET_ELEM_INTERVAL_END is 1.
      let flags: UInt32 = attributes[type: Attribute.flags]?.network() ?? 0
      return (element: element, key: key, isBeginning: flags & 1 == 0)
    }.sorted { first, second in
      if first.key == second.key { return !first.isBeginning && second.isBeginning }
      if first.key.isEmpty || second.key.isEmpty { return second.key.isEmpty }
      return first.key.lexicographicallyPrecedes(second.key)
    }.map(\.element)
  }
}
