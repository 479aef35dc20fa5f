package import Wire

/// A place in the path of packets at which nftrace looks: one base chain of its own.
package struct ObservationPoint: Sendable, Hashable {
  /// The hook it is at.
  package var hook: Hook
  /// The priority of nftrace's chain. Packets meet chains in ascending order.
  package var priority: Int32
  /// What stands just before this point: "raw", "conntrack", "mangle", "nat", "filter", "security",
  /// "defrag", or the name of a user's chain. nil for the entry of a hook.
  package var table: String?
  /// The name people know, and the log prefix of its rules: "raw-PREROUTING".
  package var label: String
  /// The name of nftrace's chain.
  package var chain: String
  /// Whether `priority` only tells in which order packets come by; nil for no.
  package var isGuessed: Bool?

  /// A point of these fields.
  package init(hook: Hook, priority: Int32, table: String?, label: String, chain: String) {
    self.hook = hook
    self.priority = priority
    self.table = table
    self.label = label
    self.chain = chain
  }
}

extension ObservationPoint {
  /// Positions at which the kernel's own code and the iptables tables work, by hook:
  /// enum nf_ip_hook_priorities of <linux/netfilter_ipv4.h>. IPv6 has the same numbers.
  static let positions: [Hook: [(priority: Int32, table: String)]] = [
    .prerouting: [
      (-400, "defrag"), (-300, "raw"), (-200, "conntrack"), (-150, "mangle"), (-100, "nat"),
    ],
    .input: [(-150, "mangle"), (0, "filter"), (50, "security"), (100, "nat")],
    .forward: [(-150, "mangle"), (0, "filter"), (50, "security")],
    .output: [
      (-400, "defrag"), (-300, "raw"), (-200, "conntrack"), (-150, "mangle"), (-100, "nat"),
      (0, "filter"), (50, "security"),
    ],
    .postrouting: [(-150, "mangle"), (100, "nat")],
  ]

  /// Whether conntrack has seen a packet that comes by here.
  package var isBehindConntrack: Bool {
    switch hook {
    case .prerouting, .output: priority > -200
    case .input, .forward, .postrouting: true
    case .ingress, .egress: false
    }
  }

  /// The hooks of IP packets, in no order.
  package static let inetHooks: [Hook] = [.prerouting, .input, .forward, .output, .postrouting]

  /// The points that see a packet before and after everything that can happen to it at the
  /// hooks of IPv4 and IPv6, given the base chains that are there. `everywhere` adds the tables of iptables that
  /// nobody uses: nothing comes between those, and each point costs every packet time.
  ///
  /// Of chains with the same priority the one registered last runs first, so a point that is to
  /// stand after a chain has a priority one higher.
  package static func plan(
    around chains: [BaseChain], everywhere: Bool = false
  ) -> [ObservationPoint] {
    var points: [ObservationPoint] = []
    var names = Set<String>()
    for hook in inetHooks {
      let upper = hook.rawValue.uppercased()
      // A packet's place is told by the label: chains of one name, in other tables, need their own.
      var labels = Set([upper])
      let entry = ObservationPoint(
        hook: hook, priority: .min, table: nil, label: upper, chain: hook.rawValue)
      points.append(entry)
      names.insert(entry.chain)
      for (priority, table) in positionsWithChains(hook, chains, everywhere) {
        var chain = identifier("\(hook.rawValue)_\(table)")
        var copy = 2
        while !names.insert(chain).inserted {
          chain = identifier("\(hook.rawValue)_\(table)_\(copy)")
          copy += 1
        }
        var label = Self.label(table, hook)
        var number = 2
        while !labels.insert(label).inserted {
          label = Self.label(table, hook, number)
          number += 1
        }
        points.append(
          ObservationPoint(
            hook: hook, priority: Self.priority(behind: priority), table: table,
            label: label, chain: chain))
      }
    }
    return points
  }

  /// The priority of a point right behind a chain of this priority.
  static func priority(behind chain: Int32) -> Int32 {
    chain == .max ? .max : chain + 1
  }

  /// The priority of the chain that a packet has passed right before this point: a session's header may hold any.
  var chainPriority: Int32 {
    priority == .max || priority == .min ? priority : priority - 1
  }

  private static func positionsWithChains(
    _ hook: Hook, _ chains: [BaseChain], _ everywhere: Bool
  ) -> [(priority: Int32, table: String)] {
    var positions = positions[hook] ?? []
    let last = positions.last?.priority
    if !everywhere {
      let used = Set(chains.filter { $0.hook == hook }.map(\.priority))
      // Conntrack is told apart from what comes before and after it, and the end of a hook from what follows.
      positions.removeAll {
        $0.table != "conntrack" && $0.priority != last && !used.contains($0.priority)
      }
    }
    for chain in chains where chain.hook == hook && chain.priority != .min {
      // All NAT chains of a hook run inside the one NAT position, whatever their priority.
      if chain.type == "nat" || positions.contains(where: { $0.priority == chain.priority }) {
        continue
      }
      positions.append((chain.priority, chain.name))
    }
    return positions.sorted { $0.priority < $1.priority }
  }

  /// "TABLE-HOOK", or "TABLE_2-HOOK", as a rule's log prefix has room for it: 127 octets
  /// (NF_LOG_PREFIXLEN), of which ": " in the kernel log takes two, and the namespace some.
  private static func label(_ table: String, _ hook: Hook, _ number: Int? = nil) -> String {
    let end = (number.map { "_\($0)" } ?? "") + "-\(hook.rawValue.uppercased())"
    var name = table[...]
    while name.utf8.count > 125 - logNamespaceLength - end.utf8.count { name.removeLast() }
    return name + end
  }

  /// `text` as nft(8) takes a chain's name: letters, digits and underscores, 120 octets at most.
  private static func identifier(_ text: String) -> String {
    let octets = text.unicodeScalars.prefix(120).map { scalar -> UInt8 in
      switch scalar {
      case "a"..."z", "A"..."Z", "0"..."9": UInt8(scalar.value)
      default: UInt8(ascii: "_")
      }
    }
    return String(decoding: octets, as: UTF8.self)
  }

  /// The point of a packet that arrived: the first chain of the netdev family's ingress hook.
  package static let ingress = ObservationPoint(
    hook: .ingress, priority: .min, table: nil, label: "INGRESS", chain: "ingress")

  /// The point of a packet that leaves: after all other egress chains of the netdev family.
  package static let egress = ObservationPoint(
    hook: .egress, priority: .max, table: nil, label: "EGRESS", chain: "egress")

  /// The point a log prefix names, for captures that came without a list of points: "TABLE-HOOK"
  /// or "HOOK", trailing punctuation ignored. `hook` is what the message itself says.
  package static func guessed(prefix: String, hook: Hook) -> ObservationPoint {
    let label = String(prefix.reversed().drop { " :".contains($0) }.reversed())
    let suffix = "-\(hook.rawValue.uppercased())"
    var table: String?
    if label.uppercased().hasSuffix(suffix), label.count > suffix.count {
      table = String(label.dropLast(suffix.count))
    } else if !label.isEmpty, label.uppercased() != hook.rawValue.uppercased() {
      table = label
    }
    let known = positions[hook]?.first { $0.table == table?.lowercased() }
    let priority: Int32 =
      known.map { Self.priority(behind: $0.priority) }
      ?? (hook == .egress ? .max : table == nil ? .min : 0)
    return ObservationPoint(
      hook: hook, priority: priority, table: known?.table ?? table,
      label: label.isEmpty ? hook.rawValue.uppercased() : label, chain: "")
  }
}

extension Hook: JSONCoded {}

extension ObservationPoint: JSONObject {
  static var blank: ObservationPoint {
    ObservationPoint(hook: .prerouting, priority: 0, table: nil, label: "", chain: "")
  }

  mutating func members(_ json: inout JSONMembers) {
    json.member("chain", &chain)
    json.member("hook", &hook)
    json.member("isGuessed", &isGuessed)
    json.member("label", &label)
    json.member("priority", &priority)
    json.member("table", &table)
  }
}
