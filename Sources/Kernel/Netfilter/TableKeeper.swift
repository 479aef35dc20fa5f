internal import Glibc

/// Sees to it that tables go with this process where the kernel does not: it knows owners of tables
/// since Linux 5.12. Before that a guardian removes them, however this process ends.
final class TableKeeper {
  private var journal: GuardedJournal?

  /// To be called before tables of this name are made, in the namespace they will be in. `directory`
  /// is where the journal is kept; it is made if it is missing.
  init(_ table: String, journals directory: String) throws(KernelError) {
    let journal = try GuardedJournal(in: directory)
    try journal.willMakeTables(table)
    self.journal = consume journal
  }

  /// Waits until they are gone. What fails here the guardian tries again, and then the next command.
  deinit { try? journal.take()?.end() }

  /// Removes the tables of this name in all families; that there are none is no error.
  static func remove(_ table: String) throws(KernelError) {
    var rules = try RulesetReader()
    let families = try rules.tables().filter { $0.name == table }.map(\.family)
    var socket = try NetfilterSocket()
    try socket.removeTables(table, families: families)
  }
}
