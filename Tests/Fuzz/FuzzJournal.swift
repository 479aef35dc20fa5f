@testable import Kernel

/// A journal of any content: reading it ends, and an entry survives being written and read again.
func fuzzJournal(_ bytes: [UInt8]) {
  guard let journal = JournalText(parsing: String(decoding: bytes, as: UTF8.self)) else { return }
  let text = journal.header + journal.entries.map(\.line).joined()
  precondition(JournalText(parsing: text) == journal)
}
