@testable import Kernel

/// A journal of any content: reading it ends, and an entry survives being written and read again.
func fuzzJournal(_ bytes: [UInt8]) {
  guard var journal = try? JournalText(parsing: String(decoding: bytes, as: UTF8.self)) else {
    return
  }
  journal.undone = []
  journal.undoing = [:]
  let text = journal.header + journal.entries.map(\.line).joined()
  precondition((try? JournalText(parsing: text)) == journal)
}
