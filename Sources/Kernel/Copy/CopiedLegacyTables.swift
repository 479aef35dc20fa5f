internal import CNetfilter
internal import Glibc
internal import Wire

/// The tables of iptables-legacy, as the kernel keeps them: it takes what it gives.
struct CopiedLegacyTables: Sendable {
  private var tables: [Table] = []
  /// What is not the same in the copy.
  private(set) var differences: [CopyDifference] = []

  /// A table: how it is announced (`struct ipt_getinfo`), and its rules.
  private struct Table {
    var name: String
    var version: Int
    var info: [UInt8]
    var entries: [UInt8]

    var layout: LegacyTables.Layout { version == 4 ? .ipv4 : .ipv6 }
  }

  /// Reads them, in the network namespace of the calling thread.
  static func read() -> CopiedLegacyTables {
    var copied = CopiedLegacyTables()
    for version in [4, 6] {
      for name in LegacyTables.names(version: version) {
        var info: [UInt8] = []
        let layout: LegacyTables.Layout = version == 4 ? .ipv4 : .ipv6
        guard let entries = LegacyTables.entries(name, layout, atMost: .max, info: &info) else {
          copied.differences.append(.legacyTable(name))
          continue
        }
        if !copied.differences.contains(.limits),
          !LegacyTables.matches(entries, layout).isDisjoint(with: MadeExpression.countingMatches)
        {
          copied.differences.append(.limits)
        }
        copied.tables.append(Table(name: name, version: version, info: info, entries: entries))
      }
    }
    return copied
  }

  /// Makes them in the network namespace of the calling thread.
  mutating func make() {
    for table in tables where !Self.replace(table) {
      differences.append(.legacyTable(table.name))
    }
  }

  /// IPT_SO_SET_REPLACE with a `struct ipt_replace`; the same numbers for IPv6.
  private static func replace(_ table: Table) -> Bool {
    // Asking for the table makes it; it says how many counters it hands back.
    var there: [UInt8] = []
    guard LegacyTables.entries(table.name, table.layout, atMost: .max, info: &there) != nil else {
      return false
    }
    let count = Int(there[76]) | Int(there[77]) << 8 | Int(there[78]) << 16
    let raw = socket(table.layout.domain, Int32(SOCK_RAW.rawValue), Int32(IPPROTO_RAW))
    guard raw >= 0 else { return false }
    defer { close(raw) }
    // struct xt_counters: two numbers of eight octets.
    var counters = [UInt8](repeating: 0, count: max(count, 1) * 16)
    // Sound: the kernel writes as many counters as it said it has, while the array is there; and reads as many octets
    // of the request as it has.
    return unsafe counters.withUnsafeMutableBytes { handed in
      // Name and hooks; number of rules and their size; entries and ends of chains.
      var request = Array(table.info[..<36])
      request += table.info[76..<84]
      request += table.info[36..<76]
      request.append(littleEndian: UInt32(count))
      request.append(littleEndian: UInt64(UInt(bitPattern: handed.baseAddress!)))
      request += table.entries
      let length = socklen_t(request.count)
      return unsafe setsockopt(raw, table.layout.level, LegacyTables.getInfo, request, length) == 0
    }
  }
}
