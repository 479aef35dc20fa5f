import Kernel

/// Forwarding that is on for as long as a command runs. Who dies meanwhile has a guardian that sets
/// it back.
struct Forwarding: ~Copyable {
  private let journal: Journal
  private let guardian: Guardian

  /// Switches forwarding on for these IP versions, in the namespace of the calling thread. nil, and
  /// nothing is started or written, where it is on already.
  static func switchOn(_ versions: Set<Int>) throws(KernelError) -> Forwarding? {
    var settings: [Sysctl] = []
    for setting in Self.settings(versions) where try setting.read() == "0" {
      settings.append(setting)
    }
    guard !settings.isEmpty else { return nil }
    try StateDirectory.make()
    try Journal.undoStale(in: StateDirectory.path)
    let journal = try Journal(in: StateDirectory.path)
    let guardian = try Guardian.start(journal: journal)
    let forwarding = Forwarding(journal: journal, guardian: guardian)
    for setting in settings { try forwarding.journal.set(setting, to: "1") }
    return forwarding
  }

  /// What says whether packets of these IP versions are forwarded.
  static func settings(_ versions: Set<Int>) -> [Sysctl] {
    versions.sorted().map { $0 == 4 ? .forwarding4 : .forwarding6 }
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
