import Kernel

/// Sysctls that are changed for as long as a command runs. Who dies meanwhile has a guardian that
/// sets them back.
struct TemporarySettings: ~Copyable {
  private let journal: Journal
  private let guardian: Guardian

  /// Changes the settings that do not have these values already, in the namespace of the calling
  /// thread. nil, and nothing is started or written, where that is none.
  static func apply(
    _ settings: [(Sysctl, String)]
  ) throws(KernelError) -> TemporarySettings? {
    var wanted: [(Sysctl, String)] = []
    for (setting, value) in settings where try setting.read() != value {
      wanted.append((setting, value))
    }
    guard !wanted.isEmpty else { return nil }
    try StateDirectory.make()
    try Journal.undoStale(in: StateDirectory.path)
    let journal = try Journal(in: StateDirectory.path)
    let guardian = try Guardian.start(journal: journal)
    let applied = TemporarySettings(journal: journal, guardian: guardian)
    for (setting, value) in wanted { try applied.journal.set(setting, to: value) }
    return applied
  }

  /// What lets packets of these IP versions be forwarded.
  static func forwarding(_ versions: Set<Int>) -> [(Sysctl, String)] {
    versions.sorted().map { ($0 == 4 ? .forwarding4 : .forwarding6, "1") }
  }

  /// What sends the TRACE lines of iptables-legacy to NFLOG group 0.
  static func legacyTrace(version: Int) -> [(Sysctl, String)] {
    Sysctl(path: "net/netfilter/nf_log/\(version == 4 ? 2 : 10)").map { [($0, "nfnetlink_log")] }
      ?? []
  }

  private init(journal: consuming Journal, guardian: consuming Guardian) {
    self.journal = journal
    self.guardian = guardian
  }

  /// Sets back what was there.
  consuming func end() throws(KernelError) {
    let guardian = guardian
    try journal.undo()
    guardian.dismiss()
  }
}
