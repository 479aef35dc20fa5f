internal import CNetfilter
internal import Glibc
internal import Wire

/// The tables of iptables-legacy, which nf_tables knows nothing of.
package enum LegacyTables {
  /// The tables there are in this namespace, for IPv4 or IPv6. Asking for one that is not there
  /// would make it, so nobody must.
  package static func names(version: Int) -> [String] {
    let file = version == 4 ? "ip_tables_names" : "ip6_tables_names"
    guard let text = try? Files.text("/proc/thread-self/net/\(file)") else { return [] }
    return text.split(separator: "\n").map(String.init)
  }

  /// The tables there are for either.
  package static var names: Set<String> { Set(names(version: 4) + names(version: 6)) }

  /// The NAT targets that the rules of the legacy nat tables use, by IP version: "MASQUERADE",
  /// "SNAT", "DNAT"…
  package static func natTargets() -> [Int: [String]] {
    var found: [Int: [String]] = [:]
    for version in [4, 6] where names(version: version).contains("nat") {
      let layout: Layout = version == 4 ? .ipv4 : .ipv6
      found[version] = Array(Set(targets(entries("nat", layout), layout))).sorted()
    }
    return found
  }

  /// Where things stand in struct ipt_entry and struct ip6t_entry, in octets.
  struct Layout {
    var domain: Int32
    var level: Int32
    var targetOffset: Int
    /// Behind comefrom and the counters, which stand at a multiple of eight: the first match.
    var matchesOffset: Int { (targetOffset + 8 + 7) & ~7 + 16 }
    static let ipv4 = Layout(domain: AF_INET, level: Int32(IPPROTO_IP), targetOffset: 88)
    static let ipv6 = Layout(domain: AF_INET6, level: Int32(IPPROTO_IPV6), targetOffset: 140)
  }

  /// IPT_SO_GET_INFO and IPT_SO_GET_ENTRIES; the same numbers for IPv6.
  static let getInfo: Int32 = 64
  private static let getEntries: Int32 = 65

  /// Numbers that differ when the tables do. The kernel tells nobody when they are changed.
  static func stamps() -> [String: UInt64] {
    var stamps: [String: UInt64] = [:]
    for version in [4, 6] {
      for name in names(version: version) {
        stamps["\(version) \(name)"] = stamp(name, version == 4 ? .ipv4 : .ipv6)
      }
    }
    return stamps
  }

  /// Octets of rules that are looked at: of a larger table it counts how large it is, and where its
  /// chains begin.
  private static let most = 1 << 17

  private static func stamp(_ table: String, _ layout: Layout) -> UInt64 {
    var info: [UInt8] = []
    var content = entries(table, layout, atMost: most, info: &info) ?? []
    var at = 0
    while at + layout.targetOffset + 4 <= content.count {
      let end = at + layout.targetOffset
      let next = Int(content[end + 2]) | Int(content[end + 3]) << 8
      // comefrom, of the kernel's own, and struct xt_counters, at a multiple of eight.
      for index in (end + 4)..<min((end + 8 + 7) & ~7 + 16, content.count) { content[index] = 0 }
      guard next > 0 else { break }
      at += next
    }
    var sum = Fingerprint()
    sum.add(info + content)
    return sum.value
  }

  /// What the matches of these rules are called.
  static func matches(_ entries: [UInt8], _ layout: Layout) -> Set<String> {
    var found: Set<String> = []
    var rule = 0
    func u16(_ at: Int) -> Int { Int(entries[at]) | Int(entries[at + 1]) << 8 }
    while rule + layout.matchesOffset <= entries.count {
      let target = u16(rule + layout.targetOffset)
      let next = u16(rule + layout.targetOffset + 2)
      guard next > 0, rule + target <= entries.count else { break }
      // struct xt_entry_match: its size in two octets, then the name.
      var match = layout.matchesOffset
      while match + 31 <= target {
        let name = entries[(rule + match + 2)..<(rule + match + 31)].prefix { $0 != 0 }
        found.insert(String(decoding: name, as: UTF8.self))
        let size = u16(rule + match)
        guard size > 0 else { break }
        match += size
      }
      rule += next
    }
    return found
  }

  /// The rules of a table as the kernel keeps them; none if they cannot be had.
  private static func entries(_ table: String, _ layout: Layout) -> [UInt8]? {
    var info: [UInt8] = []
    return entries(table, layout, atMost: .max, info: &info)
  }

  /// The same, unless they are more than so many octets; `info` is what they are announced by.
  static func entries(
    _ table: String, _ layout: Layout, atMost limit: Int, info: inout [UInt8]
  ) -> [UInt8]? {
    let raw = socket(layout.domain, Int32(SOCK_RAW.rawValue), Int32(IPPROTO_RAW))
    guard raw >= 0 else { return nil }
    defer { close(raw) }
    var name = Array(table.utf8)
    while name.count < 32 { name.append(0) }
    // struct ipt_getinfo: name[32], valid_hooks, hook_entry[5], underflow[5], num_entries, size.
    info = name + [UInt8](repeating: 0, count: 84 - 32)
    var length = socklen_t(info.count)
    // Sound: the length is that of the array, and the kernel writes no more.
    guard unsafe getsockopt(raw, layout.level, getInfo, &info, &length) == 0 else { return nil }
    let size = info[80..<84].reversed().reduce(0) { $0 << 8 | Int($1) }
    guard size <= limit else { return nil }
    // struct ipt_get_entries: name[32], size, then the entries at a multiple of eight.
    var request = name
    request.append(littleEndian: UInt32(size))
    request.append(littleEndian: UInt32(0))
    request += [UInt8](repeating: 0, count: size)
    length = socklen_t(request.count)
    guard unsafe getsockopt(raw, layout.level, getEntries, &request, &length) == 0 else {
      return nil
    }
    return Array(request[40...])
  }

  /// The names of the targets, by walking from entry to entry.
  private static func targets(_ entries: [UInt8]?, _ layout: Layout) -> [String] {
    guard let entries else { return [] }
    func u16(_ at: Int) -> Int { Int(entries[at]) | Int(entries[at + 1]) << 8 }
    var found: [String] = []
    var at = 0
    while at + layout.targetOffset + 4 <= entries.count {
      let next = u16(at + layout.targetOffset + 2)
      // struct xt_entry_target: a size of two octets, then the name.
      let name = at + u16(at + layout.targetOffset) + 2
      guard next > 0, name + 29 <= entries.count else { break }
      found.append(String(decoding: entries[name..<(name + 29)].prefix { $0 != 0 }, as: UTF8.self))
      at += next
    }
    return found.filter { ["MASQUERADE", "SNAT", "DNAT", "REDIRECT", "NETMAP"].contains($0) }
  }
}
