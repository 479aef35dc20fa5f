internal import Wire

/// What was decided about the first fragments of packets, for those that follow: these have neither
/// ports nor ICMP types. The latest 256 are kept.
struct FragmentMemory: Sendable {
  struct Choice: Sendable, Equatable {
    var isChosen: Bool
    var isEcho: Bool
  }

  private struct Key: Sendable, Equatable {
    let id: UInt32
    let proto: UInt8
    let version: Int
    let source: UInt128
    let destination: UInt128

    init(_ bytes: [UInt8], _ layout: PacketLayout) {
      id = layout.fragmentID
      proto = layout.version == 4 ? layout.proto : 0
      version = layout.version
      source = layout.source(bytes)
      destination = layout.destination(bytes)
    }
  }

  private static let capacity = 256
  private var entries: [(key: Key, choice: Choice)] = []
  private var next = 0

  mutating func remember(_ choice: Choice, _ bytes: [UInt8], _ layout: PacketLayout) {
    let entry = (Key(bytes, layout), choice)
    if entries.count < Self.capacity {
      entries.append(entry)
    } else {
      entries[next] = entry
    }
    next = (next + 1) % Self.capacity
  }

  func recall(_ bytes: [UInt8], _ layout: PacketLayout) -> Choice? {
    let key = Key(bytes, layout)
    // The latest first: identifications come again.
    for back in 1...Self.capacity where back <= entries.count {
      let index = (next - back + Self.capacity) % Self.capacity
      if index < entries.count, entries[index].key == key { return entries[index].choice }
    }
    return nil
  }
}
