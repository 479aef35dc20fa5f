import Testing
import Wire

@testable import Kernel

struct JournalTextTests {
  static let journal = JournalText(
    place: JournalPlace(inode: 4_026_532_201, cookie: 5, boot: "2f1c3a5e"),
    owner: ProcessIdentity(process: 1234, start: 567_890),
    entries: [
      .sysctl(
        .init(setting: .forwarding4, old: "0", new: "1"),
        along: [.init(setting: .forwarding6, old: "", new: "a b\t100%\nc")]),
      .netlink(RuleMessage(family: 4, priority: 77, table: 1000).deletion),
      .namespace("nftrace-lab-1234-router"),
      .tables("nftrace_1234"),
    ])

  static let text = journal.header + journal.entries.map(\.line).joined()

  @Test func roundTrip() {
    #expect(JournalText(parsing: Self.text) == Self.journal)
    var persistent = Self.journal
    persistent.owner = nil
    persistent.entries = []
    #expect(JournalText(parsing: persistent.header) == persistent)
  }

  @Test func whatItLooksLike() {
    let lines = Self.text.split(separator: "\n")
    #expect(lines[1] == "namespace 4026532201 5 2f1c3a5e")
    #expect(lines[2] == "owner 1234 567890")
    #expect(
      lines[3] == "sysctl net/ipv4/ip_forward 0 1 net/ipv6/conf/all/forwarding % a%20b%09100%25%0ac"
    )
    #expect(lines[4].hasPrefix("netlink "))
    #expect(lines[5] == "netns nftrace-lab-1234-router")
    #expect(lines[6] == "tables nftrace_1234")
  }

  /// Who wrote half a line died before the change; who wrote "withdrawn" did not make it.
  @Test func halfALineAndWithdrawnOnesDoNotCount() {
    let cut = Self.text.dropLast(3)
    #expect(
      JournalText(parsing: String(cut))?.entries == Array(Self.journal.entries.dropLast()))
    #expect(
      JournalText(parsing: Self.text + "withdrawn\nwithdrawn\n")?.entries
        == Array(Self.journal.entries.prefix(2)))
    #expect(JournalText(parsing: Self.journal.header + "withdrawn\n")?.entries == [])
  }

  /// Nothing a file may hold makes it trap.
  @Test func damage() {
    for length in 0..<Self.text.utf8.count {
      let whole = JournalText(
        parsing: String(decoding: Self.text.utf8.prefix(length), as: UTF8.self))
      #expect(whole?.entries.count ?? 0 <= 4)
    }
    for text in ["", "\n\n\n", "nftrace-journal 2\nnamespace 1 1 x\nowner none\n", "x\ny\nz\n"] {
      #expect(JournalText(parsing: text) == nil)
    }
    for line in [
      "sysctl kernel/hostname a b", "sysctl net/ipv4/ip_forward 0", "netlink zz", "netlink 12",
      "netlink", "netns", "other 1", "sysctl", "sysctl net/ipv4/%2 0 1",
      "tables", "tables a b",
    ] {
      #expect(JournalEntry(parsing: line) == nil, "\(line)")
    }
  }

  @Test func processes() throws {
    let stat =
      "42 (a) b) S 1 42 42 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 8765 0 0 0 0 0 0 0 0 0 0 0 0 0 0"
    #expect(ProcessIdentity.start(inStat: stat) == 8765)
    #expect(ProcessIdentity.start(inStat: "") == nil)
    let own = try #require(ProcessIdentity(1))
    #expect(own.isAlive)
    #expect(!ProcessIdentity(process: 1, start: own.start &+ 1).isAlive)
    #expect(ProcessIdentity(0x7fff_ffff) == nil)
  }

  @Test func staleness() throws {
    let place = Self.journal.place
    #expect(Journal.isStale(Self.journal, here: place))
    var elsewhere = place
    elsewhere.cookie = 6
    #expect(!Journal.isStale(Self.journal, here: elsewhere))
    var nextBoot = place
    nextBoot.boot = "another"
    #expect(Journal.isStale(Self.journal, here: nextBoot))
    var living = Self.journal
    living.owner = ProcessIdentity(1)
    #expect(!Journal.isStale(living, here: place))
    living.owner = nil
    #expect(!Journal.isStale(living, here: place))
  }
}
