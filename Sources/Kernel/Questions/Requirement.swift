internal import CNetfilter
internal import Glibc
internal import Trace
internal import Wire

/// Something nftrace needs of the kernel, or of the rights it runs with.
package struct Requirement: Sendable, Equatable {
  /// What it is called.
  package var name: String
  /// What nftrace needs it for.
  package var purpose: String
  /// Whether it is there; nil if that could not be found out.
  package var isThere: Bool?
  /// What would help where it is not; nil where it is.
  package var help: String?

  /// A requirement of these values. What helps is of no use where it is there.
  package init(_ name: String, _ purpose: String, _ isThere: Bool?, help: String? = nil) {
    self.name = name
    self.purpose = purpose
    self.isThere = isThere
    self.help = isThere == true ? nil : help
  }

  /// All there is to know, in the network namespace of the calling thread. Nothing is changed by
  /// asking: rules are tried in a transaction that is never finished.
  package static func all() -> [Requirement] {
    let hasRights = Privileges.effective.contains(.network)
    return [
      Requirement(
        "CAP_NET_ADMIN", "everything", hasRights,
        help: "run as root (sudo), or give the program the capability: "
          + "setcap cap_net_admin,cap_sys_admin+ep nftrace")
    ] + rules() + [
      log(), trace(), ruleTexts(), connections(), tun(), rawSockets(), liveFrames(), forwarding(),
      dropReasons(),
    ]
  }

  private static let needsRights = "asking needs CAP_NET_ADMIN"

  /// What each step of a transaction that makes all kinds of things meets.
  private static func rules() -> [Requirement] {
    let hint = "a kernel with"
    let (inet, netdev) = (NFProto.inet, NFProto.netdev)
    let wanted: [(step: RulesetStep, name: String, purpose: String, help: String)] = [
      (
        .addChain(family: inet, table: table, "p"), "nf_tables", "rules of its own",
        "\(hint) CONFIG_NF_TABLES and CONFIG_NF_TABLES_INET (modprobe nf_tables)"
      ),
      (
        .addTable(family: inet, "\(table)_owned", isOwned: true), "table owner",
        "rules that go with the program",
        "Linux 5.12 or newer; here a process of nftrace's own removes them"
      ),
      (
        .addChain(family: inet, table: table, "i"), "inet ingress hook",
        "chains before all others of IP",
        "Linux 5.10 or newer with CONFIG_NETFILTER_INGRESS"
      ),
      (
        .addChain(family: netdev, table: table, "i"), "netdev ingress hook",
        "seeing packets arrive",
        "\(hint) CONFIG_NF_TABLES_NETDEV and CONFIG_NETFILTER_INGRESS"
      ),
      (
        .addChain(family: netdev, table: table, "e"), "netdev egress hook", "seeing packets leave",
        "Linux 5.16 or newer with CONFIG_NETFILTER_EGRESS"
      ),
      (
        .addRule(family: inet, table: table, chain: "p"), "log expression", "rules that report",
        "\(hint) CONFIG_NFT_LOG (modprobe nft_log)"
      ),
    ]
    let outcome = Result { () throws(KernelError) in
      var socket = try NetfilterSocket()
      return try socket.tryOut(fill)
    }
    return wanted.map { step, name, purpose, help in
      guard case .success(let errors) = outcome else {
        return Requirement(name, purpose, false, help: "it needs \(help)")
      }
      let failed = errors.first { $0.step == step }?.errno
      switch failed {
      case nil: return Requirement(name, purpose, true)
      case EPERM, EACCES: return Requirement(name, purpose, nil, help: needsRights)
      default: return Requirement(name, purpose, false, help: "it needs \(help)")
      }
    }
  }

  /// The name of tables that never come to be.
  private static let table = OwnTable.trial.name

  private static func fill(_ batch: inout RulesetBatch) {
    let (inet, netdev) = (NFProto.inet, NFProto.netdev)
    batch.addTable(family: inet, name: table, owned: false)
    batch.addTable(family: inet, name: "\(table)_owned", owned: true)
    batch.addBaseChain(family: inet, table: table, name: "p", hook: 0, priority: .min)
    batch.addRule(
      family: inet, table: table, chain: "p",
      [.one, .trace, .logToGroup(0xffff, prefix: "p", snapLength: 64), .verdict(.accept)])
    // NF_INET_INGRESS.
    batch.addBaseChain(
      family: inet, table: table, name: "i", hook: 5, priority: .min, devices: ["lo"])
    batch.addTable(family: netdev, name: table, owned: false)
    for (name, hook) in [("i", UInt32(0)), ("e", 1)] {
      batch.addBaseChain(
        family: netdev, table: table, name: name, hook: hook, priority: .min, devices: ["lo"])
    }
  }

  private static func log() -> Requirement {
    attempt("NFLOG", "packets as rules see them", "CONFIG_NETFILTER_NETLINK_LOG (nfnetlink_log)") {
      () throws(KernelError) in
      var socket = try NetfilterSocket()
      try socket.takeGroup()
    }
  }

  private static func trace() -> Requirement {
    attempt("nf_tables trace", "the rules that a packet meets", "CONFIG_NF_TABLES") {
      () throws(KernelError) in try NetfilterSocket().join()
    }
  }

  private static func ruleTexts() -> Requirement {
    Requirement(
      // Sound: the pointer is compared with nil alone.
      "libnftables", "the text of rules", unsafe nftrace_libnftables() != nil,
      help: "apt install libnftables1; without it rules are named by their handle alone")
  }

  private static func attempt(
    _ name: String, _ purpose: String, _ option: String,
    _ body: () throws(KernelError) -> Void
  ) -> Requirement {
    do {
      try body()
      return Requirement(name, purpose, true)
    } catch {
      let isRefused = error.errno == EPERM || error.errno == EACCES
      return Requirement(
        name, purpose, isRefused ? nil : false,
        help: isRefused ? needsRights : "it needs a kernel with \(option)")
    }
  }

  /// Events come where the setting is 1, or 2 and somebody listens. Asking does not switch
  /// connection tracking on.
  private static func connections() -> Requirement {
    let (name, purpose) = ("conntrack events", "which connection a packet belongs to")
    let setting = Sysctl(path: "net/netfilter/nf_conntrack_events")!
    guard let value = try? setting.read() else {
      return Requirement(
        name, purpose, false,
        help: "it needs CONFIG_NF_CONNTRACK_EVENTS (modprobe nf_conntrack nf_conntrack_netlink)")
    }
    return Requirement(name, purpose, value != "0", help: "sysctl -w \(setting)=2")
  }

  private static func tun() -> Requirement {
    let (name, purpose) = ("/dev/net/tun", "probes that come in as if received")
    do {
      _ = try FileDescriptor("/dev/net/tun", O_RDWR)
      return Requirement(name, purpose, true)
    } catch {
      let isRefused = error.code == EACCES || error.code == EPERM
      return Requirement(
        name, purpose, isRefused ? nil : false,
        help: isRefused
          ? "opening it is not allowed: run as root"
          : "it needs CONFIG_TUN (modprobe tun); in a container --device /dev/net/tun")
    }
  }

  private static func rawSockets() -> Requirement {
    Requirement(
      "CAP_NET_RAW", "--local, and the rules of iptables-legacy",
      Privileges.effective.contains(.rawSockets),
      help: "run as root (sudo), or give the program the capability: setcap cap_net_raw+ep")
  }

  private static func liveFrames() -> Requirement {
    let missing = FrameInjector.availability()
    return Requirement(
      "bpf_clone_redirect", "--in and -s: probes that an interface receives", missing == nil,
      help: missing)
  }

  private static func forwarding() -> Requirement {
    // Sound: the name ends with a zero, which is as far as the call reads.
    let isWritable = unsafe access("/proc/sys/\(Sysctl.forwarding4.path)", W_OK) == 0
    return Requirement(
      "writable /proc/sys", "--forward", isWritable,
      help: "run as root; in an unprivileged container /proc/sys is read-only: set it from outside")
  }

  private static func dropReasons() -> Requirement {
    let missing = DropWatch.availability()
    return Requirement(
      "drop reasons", "the kernel's own word on why it dropped a packet", missing == nil,
      help: missing)
  }
}
