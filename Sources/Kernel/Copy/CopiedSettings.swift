internal import Glibc
internal import Wire

/// The sysctls of a network namespace.
struct CopiedSettings: Sendable {
  private var values: [String: String]
  /// What is not the same in the copy.
  private(set) var differences: [CopyDifference] = []

  /// Where they are.
  private static let root = "/proc/sys/net"
  /// What is left as it is: times of neighbours, who logs, and what would keep the copy's addresses waiting or
  /// make it ask for routers.
  private static func isWanted(_ name: String) -> Bool {
    ![
      "neigh", "nf_log", "stable_secret", "addr_gen_mode", "accept_dad", "dad_transmits",
      "router_solicitations", "router_solicitation_interval", "router_solicitation_delay",
      "router_solicitation_max_interval", "nf_conntrack_count", "flush", "nf_conntrack_buckets",
      "nf_conntrack_max", "nf_conntrack_expect_max", "optimistic_dad", "use_tempaddr",
    ].contains(name)
  }

  /// Reads them, in the network namespace of the calling thread: those of interfaces, and those of none, that are
  /// wanted.
  static func read(where isWanted: (_ interface: String?) -> Bool = { _ in true }) -> CopiedSettings
  {
    var values: [String: String] = [:]
    collect(root, into: &values, where: isWanted)
    return CopiedSettings(values: values)
  }

  /// The same of all, where interfaces of a group are known to be set alike: one of each is read.
  static func read(alike groups: [[String]]) -> CopiedSettings {
    let chosen = Set(groups.compactMap(\.first))
    var settings = read { $0.map(chosen.contains) ?? true }
    for group in groups {
      guard let first = group.first, group.count > 1 else { continue }
      for version in ["ipv4", "ipv6"] {
        let conf = "\(root)/\(version)/conf/"
        let known = settings.values.filter { $0.key.hasPrefix("\(conf)\(first)/") }
        for name in group.dropFirst() {
          for (path, value) in known {
            settings.values[conf + name + path.dropFirst(conf.count + first.count)] = value
          }
        }
      }
      // Of these nothing is listed.
      let others = Set(group.dropFirst())
      collect("\(root)/mpls/conf", into: &settings.values) { $0.map(others.contains) ?? false }
    }
    return settings
  }

  private static func collect(
    _ directory: String, into values: inout [String: String], where isOfWanted: (String?) -> Bool
  ) {
    for name in Files.names(in: directory) where isWanted(name) {
      let path = "\(directory)/\(name)"
      // Of what is above interfaces all are looked at.
      if directory.hasSuffix("/conf") || directory.contains("/conf/") {
        guard isOfWanted(interface(of: path + "/")) else { continue }
      } else if !isOfWanted(nil), !directory.hasSuffix("/net"), name != "conf" {
        continue
      }
      // A directory cannot be read as a file.
      if let text = try? Files.text(path) {
        values[path] = text
      } else if name.utf8.contains(0x5f) == false || directory.hasSuffix("/conf") {
        collect(path, into: &values, where: isOfWanted)
      }
    }
  }

  /// Before there are interfaces: addresses are usable at once, none comes by itself, and no router is asked for.
  static func prepare() throws(KernelError) {
    for (name, value) in [
      ("accept_dad", "0"), ("dad_transmits", "0"), ("router_solicitations", "0"),
      ("addr_gen_mode", "1"), ("use_tempaddr", "0"),
    ] {
      for scope in ["all", "default"] {
        if let setting = Sysctl.interface(scope, family: 6, name), setting.exists {
          try? setting.write(value)
        }
      }
    }
  }

  /// Has neighbours found without waiting, in the network namespace of the calling thread: who answers for somebody else
  /// (proxy_arp) waits up to 0.8 s by itself, to let him answer first, and who does not answer is asked again after a second, twice.
  /// The world of a copy answers at once, or never.
  static func hurryNeighbours() {
    for version in ["ipv4", "ipv6"] {
      for interface in Files.names(in: "\(root)/\(version)/neigh") {
        for (name, value) in [("proxy_delay", "0"), ("retrans_time_ms", "\(pause)")] {
          try? Sysctl(path: "net/\(version)/neigh/\(interface)/\(name)")?.write(value)
        }
      }
    }
  }

  /// Has this network namespace tell of every packet that it does not want, however many: who asks one question after the other
  /// is to be told each time.
  static func answerAll() {
    for (name, value) in [
      ("ipv4/icmp_ratelimit", "0"), ("ipv6/icmp/ratelimit", "0"),
      ("ipv4/icmp_msgs_burst", "1000000"),
      ("ipv4/icmp_msgs_per_sec", "1000000"),
    ] {
      try? Sysctl(path: "net/\(name)")?.write(value)
    }
  }

  /// Milliseconds until a neighbour is asked again.
  private static let pause = 100

  /// Gives those that differ the same values, in the network namespace of the calling thread: those for all
  /// interfaces first, for they change those of each. Interfaces are made alike, so that what one of them is set to then, the
  /// others are.
  mutating func make() {
    let groups = Dictionary(grouping: values) { Self.interface(of: $0.key) }
    let shared = Dictionary(uniqueKeysWithValues: (groups[nil] ?? []).map { ($0.key, $0.value) })
    write(shared, there: Self.read { $0 == nil }.values)
    var alike: [String: String]?
    var differing: [String: String] = [:]
    for (interface, own) in groups.sorted(by: { $0.key ?? "" < $1.key ?? "" }) {
      guard let interface else { continue }
      if interface == "lo" || alike == nil {
        let there = Self.read { $0 == interface }.values
        write(Dictionary(uniqueKeysWithValues: own.map { ($0.key, $0.value) }), there: there)
        if interface != "lo" { alike = Self.named(there) }
      } else {
        for (path, value) in own where alike?[Self.name(path)] != value { differing[path] = value }
      }
    }
    write(differing, there: differing.mapValues { _ in "" })
  }

  private mutating func write(_ wanted: [String: String], there: [String: String]) {
    let differing = wanted.filter { there[$0.key] != nil && there[$0.key] != $0.value }
    for (path, value) in differing.sorted(by: { Self.rank($0.key) < Self.rank($1.key) }) {
      guard let setting = Sysctl(path: String(path.dropFirst("/proc/sys/".count))) else { continue }
      let text = String(value.reversed().drop { $0 == "\n" }.reversed())
      if (try? setting.write(text)) == nil, setting.isWritable {
        differences.append(.setting("\(setting)"))
      }
    }
  }

  /// The interface that a setting is of; nil for one of all or of none.
  private static func interface(of path: String) -> String? {
    guard let conf = path.firstRange(of: "/conf/") else { return nil }
    let name = path[conf.upperBound...].prefix { $0 != "/" }
    return name == "all" || name == "default" ? nil : String(name)
  }

  /// What a setting of an interface is called, without the interface: "ipv4/rp_filter".
  private static func name(_ path: String) -> String {
    let parts = path.split(separator: "/")
    return "\(parts.dropLast(3).last ?? "")/\(parts.last ?? "")"
  }

  private static func named(_ values: [String: String]) -> [String: String] {
    Dictionary(values.map { (name($0.key), $0.value) }) { first, _ in first }
  }

  private static func rank(_ path: String) -> String {
    let isOfOne = path.contains("/conf/")
    let isOfAll = path.contains("/conf/all/") || path.contains("/conf/default/")
    return (isOfOne ? isOfAll ? "1" : "2" : "0") + path
  }
}
