internal import Glibc
package import Wire

/// The namespace's counters, as /proc/thread-self/net tells them.
package enum Counters {
  /// All counters that tell of losses, cumulative: "IpInAddrErrors", "TcpExtIPReversePathFilter",
  /// "Ip6InNoRoutes", "ct.drop", "eth0.tx_dropped"; "eth0.queue_dropped" is what its queues and tc
  /// filters dropped. `links` are the interfaces' messages, where they are there.
  package static func read(links known: [NetlinkMessage]? = nil) -> [String: UInt64] {
    var counters: [String: UInt64] = [:]
    for file in ["snmp", "netstat"] { addTable(text(file), to: &counters) }
    for file in ["snmp6", "xfrm_stat"] { addPairs(text(file), to: &counters) }
    addConntrack(text("stat/nf_conntrack"), to: &counters)
    addDevices(text("dev"), to: &counters)
    addQueues(known, to: &counters)
    return counters
  }

  /// A kernel without queueing disciplines has no such counters.
  private static func addQueues(_ known: [NetlinkMessage]?, to counters: inout [String: UInt64]) {
    guard var routes = try? RouteSocket(), let qdiscs = try? routes.qdiscs() else { return }
    var drops: [UInt32: UInt64] = [:]
    for qdisc in qdiscs { drops[qdisc.interface, default: 0] += UInt64(qdisc.drops) }
    guard let links = try? known ?? routes.dump(RouteMessageType.getLink) else { return }
    for link in links.compactMap(LinkMessage.called) {
      counters["\(link.name).queue_dropped"] = drops[link.index] ?? 0
    }
  }

  private static func text(_ file: String) -> String {
    (try? Files.text("/proc/thread-self/net/\(file)")) ?? ""
  }

  /// Two lines a group: names, then values, each behind "Group:".
  static func addTable(_ text: String, to counters: inout [String: UInt64]) {
    let lines = text.split(separator: "\n")
    for (names, values) in zip(lines, lines.dropFirst()) {
      let (keys, numbers) = (names.split(separator: " "), values.split(separator: " "))
      guard let group = keys.first, group == numbers.first, keys.count == numbers.count,
        Int(numbers.last ?? "") != nil, Int(keys.last ?? "") == nil
      else { continue }
      for (key, number) in zip(keys, numbers).dropFirst() {
        if let value = UInt64(number) { counters["\(group.dropLast())\(key)"] = value }
      }
    }
  }

  /// A name and a value a line.
  static func addPairs(_ text: String, to counters: inout [String: UInt64]) {
    for line in text.split(separator: "\n") {
      let parts = line.split(whereSeparator: { $0 == " " || $0 == "\t" })
      if parts.count == 2, let value = UInt64(parts[1]) { counters[String(parts[0])] = value }
    }
  }

  /// Names in the first line, then a line a processor, in hexadecimal.
  static func addConntrack(_ text: String, to counters: inout [String: UInt64]) {
    let lines = text.split(separator: "\n")
    guard let names = lines.first?.split(separator: " ") else { return }
    for line in lines.dropFirst() {
      for (name, value) in zip(names, line.split(separator: " ")) {
        let known = counters["ct.\(name)"] ?? 0
        counters["ct.\(name)"] = known.adding(clamped: UInt64(value, radix: 16) ?? 0)
      }
    }
  }

  /// "eth0: " and 16 numbers: the fourth is packets dropped on receipt, the twelfth on sending.
  static func addDevices(_ text: String, to counters: inout [String: UInt64]) {
    for line in text.split(separator: "\n") {
      guard let colon = line.firstIndex(of: ":") else { continue }
      let numbers = line[line.index(after: colon)...].split(separator: " ").compactMap {
        UInt64($0)
      }
      guard numbers.count >= 16 else { continue }
      let name = line[..<colon].drop { $0 == " " }
      counters["\(name).rx_dropped"] = numbers[3]
      counters["\(name).tx_dropped"] = numbers[11]
    }
  }
}
