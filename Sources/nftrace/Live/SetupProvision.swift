import App
import Kernel

/// What a setup changes that the kernel would not take back: written down before it is changed, and
/// taken back by a guardian should the command die before the setup is whole. Neither is there
/// until something is changed.
final class SetupProvision: SetupChanges {
  private let name: String
  private var journal: GuardedJournal?

  /// Nothing is changed yet. `name` is that of the journal while it is written.
  init(draft name: String) { self.name = name }

  private func begin() throws(KernelError) {
    guard journal == nil else { return }
    journal = try GuardedJournal(in: StateDirectory.path, name: name, outlivesProcess: true)
  }

  /// Sets a sysctl. Returns whether it had another value.
  func set(_ setting: Sysctl, to value: String) throws(KernelError) -> Bool {
    if try setting.read() == value { return false }
    try begin()
    return try journal!.set(setting, to: value)
  }

  /// Makes a TUN device that stays. Returns its name.
  func createTun(_ name: String) throws(KernelError) -> String {
    try begin()
    return try journal!.createPersistentTun(name)
  }

  /// The setup is whole: what was changed stays until teardown. Returns the name of the journal.
  func keep() throws(KernelError) -> String? {
    let final = String(name.dropLast(SetupFiles.draftEnding.count))
    guard let journal = journal.take() else { return nil }
    try journal.keep(as: final)
    return final
  }

  /// Takes everything back.
  func undo() throws(KernelError) {
    try journal.take()?.end()
  }
}
