internal import Wire

/// The sets of ipset, as the kernel lists them. Rules of iptables name them by their number in the kernel's list of sets.
struct CopiedAddressSets: Sendable {
  private var sets: [AddressSet] = []
  /// What is not the same in the copy.
  private(set) var differences: [CopyDifference] = []

  private struct AddressSet {
    var number: UInt16
    var name: String
    /// What it is made with.
    var creation: [NetlinkAttribute]
    /// Its elements, by the messages that listed them.
    var elements: [[UInt8]] = []
    /// Whether a rule or another set looks something up in it.
    var isUsed = false
  }

  /// `IPSET_ATTR_…`.
  private enum Attribute {
    static let name: UInt16 = 2
    static let typeName: UInt16 = 3
    static let revision: UInt16 = 4
    static let family: UInt16 = 5
    static let data: UInt16 = 7
    static let elements: UInt16 = 8
    static let line: UInt16 = 9
    static let number: UInt16 = 11
    static let count: UInt16 = 24
    static let references: UInt16 = 25
    static let memory: UInt16 = 26
    /// `NLA_F_NESTED`, `NLA_F_NET_BYTEORDER`.
    static let nested: UInt16 = 0x8000
    static let networkOrder: UInt16 = 0x4000
  }

  private static let attempt = "copy the sets of ipset"

  /// Reads them, in the network namespace of the calling thread. A kernel without them has none.
  static func read() -> CopiedAddressSets {
    var copied = CopiedAddressSets()
    guard var conversation = try? NetlinkConversation(with: .netfilter, attempt: attempt),
      let messages = try? conversation.dump(AddressSets.message(.list, []), attempt: attempt)
    else { return copied }
    for listed in messages.compactMap(ListedObject.init) {
      guard let name = listed.string(UInt32(Attribute.name)) else { continue }
      if let number: UInt16 = listed[UInt32(Attribute.number)]?.network(),
        !copied.sets.contains(where: { $0.name == name })
      {
        copied.sets.append(Self.set(listed, number, name))
      }
      // Of a set that is long several messages list it.
      guard let elements = listed[UInt32(Attribute.elements)]?.value, !elements.isEmpty,
        let place = copied.sets.firstIndex(where: { $0.name == name })
      else { continue }
      copied.sets[place].elements.append(sendable(elements, .list))
    }
    copied.sets.sort { $0.number < $1.number }
    return copied
  }

  private static func set(_ listed: ListedObject, _ number: UInt16, _ name: String) -> AddressSet {
    let kept = [Attribute.typeName, Attribute.revision, Attribute.family]
    let data = listed[UInt32(Attribute.data)]?.value ?? []
    var set = AddressSet(
      number: number, name: name,
      creation: kept.compactMap { listed[UInt32($0)] } + [
        NetlinkAttribute(
          Attribute.data | Attribute.nested,
          sendable(
            data, .one, without: [Attribute.count, Attribute.references, Attribute.memory]))
      ])
    let inner = (try? NetlinkAttribute.all(in: data)) ?? []
    set.isUsed = inner[type: Attribute.references]?.network(UInt32.self) != 0
    return set
  }

  /// How deep attributes are: of a list of elements, of an element or a set, of an address.
  private enum Depth: Int {
    case list, one, address
  }

  /// Attributes as they were listed, with the marks that ipset looks for: it does not say of an address that it is in network
  /// order, and wants to be told so. Some types it does not take.
  private static func sendable(
    _ octets: [UInt8], _ depth: Depth, without left: [UInt16] = []
  ) -> [UInt8] {
    var made: [UInt8] = []
    var at = 0
    while at + 4 <= octets.count {
      let length = max(Int(octets[at]) | Int(octets[at + 1]) << 8, 4)
      let type = UInt16(octets[at + 2]) | UInt16(octets[at + 3]) << 8
      let end = min(at + length, octets.count)
      var value = Array(octets[at + 4..<end])
      if type & Attribute.nested != 0, let below = Depth(rawValue: depth.rawValue + 1) {
        value = sendable(value, below)
      }
      if !left.contains(type & 0x3fff) {
        made +=
          [
            NetlinkAttribute(depth == .address ? type | Attribute.networkOrder : type, value)
          ].bytes
      }
      at += (length + 3) / 4 * 4
    }
    return made
  }

  private static func name(_ name: String) -> NetlinkAttribute {
    NetlinkAttribute(Attribute.name, string: name)
  }

  /// Makes them in the network namespace of the calling thread, which has none. The kernel gives each the first number that is
  /// free; elements are put into those that something looks at, or into `all`.
  mutating func make(all: Bool) {
    guard let last = sets.last?.number,
      var conversation = try? NetlinkConversation(with: .netfilter, attempt: Self.attempt)
    else { return }
    var placeholders: [String] = []
    for number in 0...last {
      let set = sets.first { $0.number == number }
      let name = set?.name ?? "nftrace-gap-\(number)"
      do {
        try conversation.acknowledge(
          AddressSets.message(.create, [Self.name(name)] + (set?.creation ?? Self.placeholder)),
          attempt: Self.attempt)
        if set == nil { placeholders.append(name) }
      } catch {
        guard set != nil else { return }
        differences.append(.refused("set \(name) of ipset", errno: error.errno))
        // Its number is for no other.
        try? conversation.acknowledge(
          AddressSets.message(.create, [Self.name(name)] + Self.placeholder), attempt: Self.attempt)
      }
    }
    for set in sets where set.isUsed || all {
      for elements in set.elements {
        do {
          try conversation.acknowledge(
            AddressSets.message(
              .add,
              [
                Self.name(set.name), NetlinkAttribute(Attribute.line, network: UInt32(1)),
                NetlinkAttribute(Attribute.elements | Attribute.nested, elements),
              ]), attempt: Self.attempt)
        } catch {
          differences.append(.refused("content of set \(set.name) of ipset", errno: error.errno))
          break
        }
      }
    }
    for name in placeholders {
      try? conversation.acknowledge(
        AddressSets.message(.destroy, [Self.name(name)]), attempt: Self.attempt)
    }
  }

  /// What a set is made with that nobody looks at: addresses, of the oldest revision.
  private static let placeholder = [
    NetlinkAttribute(Attribute.typeName, string: "hash:ip"),
    NetlinkAttribute(Attribute.revision, [0]), NetlinkAttribute(Attribute.family, [2]),
    NetlinkAttribute(Attribute.data | Attribute.nested, []),
  ]
}
