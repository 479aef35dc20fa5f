package import Kernel

/// Sysctls that are changed for as long as a command runs. Who dies meanwhile has a guardian that
/// sets them back. Who made this must call `end`, whatever went wrong meanwhile.
package final class TemporarySettings: SettingChanges {
  private var journal: GuardedJournal?

  /// Nothing is changed yet.
  package init() {}

  /// Changes the settings that do not have these values already, in the namespace of the calling
  /// thread. Nothing is started or written where that is none.
  package func apply(_ settings: [(Sysctl, String)]) throws(KernelError) {
    for (setting, value) in settings where try setting.read() != value {
      if journal == nil {
        try StateDirectory.make()
        journal = try GuardedJournal(in: StateDirectory.path)
      }
      try journal!.set(setting, to: value)
    }
  }

  /// What lets packets of these IP versions be forwarded.
  package static func forwarding(_ versions: Set<Int>) -> [(Sysctl, String)] {
    versions.sorted().map { ($0 == 4 ? .forwarding4 : .forwarding6, "1") }
  }

  /// What sends the TRACE lines of iptables-legacy to NFLOG group 0.
  package static func legacyTrace(version: Int) -> [(Sysctl, String)] {
    Sysctl(path: "net/netfilter/nf_log/\(version == 4 ? 2 : 10)").map { [($0, "nfnetlink_log")] }
      ?? []
  }

  /// Sets back what was there.
  package func end() throws(KernelError) { try journal.take()?.end() }
}
