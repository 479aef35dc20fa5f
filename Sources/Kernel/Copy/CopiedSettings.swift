internal import Glibc
internal import Wire

/// The sysctls of a network namespace.
struct CopiedSettings: Sendable {
  private let values: [String: String]
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

  /// Reads them, in the network namespace of the calling thread.
  static func read() -> CopiedSettings {
    var values: [String: String] = [:]
    collect(root, into: &values)
    return CopiedSettings(values: values)
  }

  private static func collect(_ directory: String, into values: inout [String: String]) {
    for name in Files.names(in: directory) where isWanted(name) {
      let path = "\(directory)/\(name)"
      // A directory cannot be read as a file.
      if let text = try? Files.text(path) {
        values[path] = text
      } else if name.utf8.contains(0x5f) == false || directory.hasSuffix("/conf") {
        collect(path, into: &values)
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

  /// Gives those that differ the same values, in the network namespace of the calling thread: those for all
  /// interfaces first, for they change those of each.
  mutating func make() {
    for round in 1...2 {
      let there = Self.read().values
      let differing = values.filter { there[$0.key] != nil && there[$0.key] != $0.value }
      if differing.isEmpty { return }
      for (path, value) in differing.sorted(by: { Self.rank($0.key) < Self.rank($1.key) }) {
        guard let setting = Sysctl(path: String(path.dropFirst("/proc/sys/".count))) else {
          continue
        }
        let text = String(value.reversed().drop { $0 == "\n" }.reversed())
        if (try? setting.write(text)) == nil, round == 2, setting.isWritable {
          differences.append(.setting("\(setting)"))
        }
      }
    }
  }

  private static func rank(_ path: String) -> String {
    let isOfOne = path.contains("/conf/")
    let isOfAll = path.contains("/conf/all/") || path.contains("/conf/default/")
    return (isOfOne ? isOfAll ? "1" : "2" : "0") + path
  }
}
