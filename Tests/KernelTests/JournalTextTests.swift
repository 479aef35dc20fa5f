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
        along: [
          .init(setting: Sysctl(path: "net/ipv4/conf/a b%/forwarding")!, old: "0", new: "1"),
          .init(setting: Sysctl(path: "net/ipv4/conf/all/accept_redirects")!, old: "1", new: "0"),
        ]),
      .rule(RoutingRule(family: 4, priority: 77, table: 0x6e66_7401)),
      .route(RouteMessage(to: Prefix("10.9.0.0/16")!, kind: .throw, table: 0x6e66_7401)),
      .tun(name: "nftrace0", index: 17),
      .namespace("nftrace-lab-1234-router"),
      .tables("nftrace_1234"),
    ])

  static let text = journal.header + journal.entries.map(\.line).joined()

  @Test func roundTrip() throws {
    #expect(try JournalText(parsing: Self.text) == Self.journal)
    var persistent = Self.journal
    persistent.owner = nil
    persistent.entries = []
    #expect(try JournalText(parsing: persistent.header) == persistent)
    var begun = Self.journal
    begun.undone = [6, 4]
    let settings = [SysctlValue(setting: .forwarding4, value: "0")]
    begun.undoing = [1: settings]
    let undoing = [
      JournalText.undoneLine(6), JournalText.undoneLine(4), JournalText.undoingLine(1, settings),
    ].joined()
    #expect(try JournalText(parsing: Self.text + undoing) == begun)
  }

  @Test func whatItLooksLike() {
    let lines = Self.text.split(separator: "\n")
    #expect(lines[1] == "namespace 4026532201 5 2f1c3a5e")
    #expect(lines[2] == "owner 1234 567890")
    #expect(
      lines[3] == "sysctl net/ipv4/ip_forward 0 1 net/ipv4/conf/a%20b%25/forwarding 0 1 "
        + "net/ipv4/conf/all/accept_redirects 1 0")
    #expect(lines[4].hasPrefix("rule "))
    #expect(lines[5].hasPrefix("route "))
    #expect(lines[6] == "tun nftrace0 17")
    #expect(lines[7] == "netns nftrace-lab-1234-router")
    #expect(lines[8] == "tables nftrace_1234")
  }

  /// Who wrote half a line died before the change; who wrote "withdrawn" did not make it.
  @Test func halfALineAndWithdrawnOnesDoNotCount() throws {
    let cut = Self.text.dropLast(3)
    #expect(
      try JournalText(parsing: String(cut)).entries == Array(Self.journal.entries.dropLast()))
    #expect(
      try JournalText(parsing: Self.text + "withdrawn\nwithdrawn\n").entries
        == Array(Self.journal.entries.dropLast(2)))
    #expect(try JournalText(parsing: Self.journal.header + "withdrawn\n").entries == [])
  }

  /// Nothing a file may hold makes it trap.
  @Test func damage() {
    for length in 0..<Self.text.utf8.count {
      let whole = try? JournalText(
        parsing: String(decoding: Self.text.utf8.prefix(length), as: UTF8.self))
      #expect(whole?.entries.count ?? 0 <= 6)
    }
    for text in ["", "\n\n\n", "nftrace-journal 2\nnamespace 1 1 x\nowner none\n", "x\ny\nz\n"] {
      #expect(throws: JournalText.Fault.self) { try JournalText(parsing: text) }
    }
    for line in [
      "sysctl net/ipv4/ip_forward 0", "netlink 12", "netns", "other 1", "sysctl",
      "sysctl net/ipv4/%2 0 1", "rule zz", "rule 12", "rule", "tables", "tables a b", "tun a",
      "tun a b",
    ] {
      #expect(JournalEntry(parsing: line) == nil, "\(line)")
    }
  }

  /// A journal is done as root perhaps: what nftrace never does is not done because it stands there,
  /// and neither is the rest of such a journal.
  @Test(arguments: [
    "sysctl kernel/hostname a b", "sysctl net/ipv4/ip_default_ttl 7 64",
    "sysctl net/ipv4/ip_forward 0 2", "sysctl net/ipv4/conf/a/accept_local 1 0",
    "sysctl net/ipv4/ip_forward 0 1 net/ipv4/conf/a/rp_filter 0 1",
    "sysctl net/ipv4/ip_forward a%20b 1", "sysctl net/ipv4/conf/../../ipv4/ip_forward 0 1",
    "netns victim", "netns nftrace-lab-/../../x", "netns nftrace-1", "tables filter",
    "tables nftrace", "tun ../x 3",
    "rule \(hex(RoutingRule(family: 4, priority: 1, table: 254).message))",
    "rule \(hex(RouteMessage(to: Prefix("10.0.0.0/8")!, table: 0x6e66_7400).message))",
    "rule \(hex(LinkMessage.deletion(name: "tun7")))",
    "route \(hex(RouteMessage(to: Prefix("0.0.0.0/0")!).message))",
    "route \(hex(LinkMessage.deletion(name: "tun7")))",
    "netlink \(hex(LinkMessage.deletion(name: "tun7")))",
    "undoing 1 net/ipv4/ip_default_ttl 7", "undoing 2 net/ipv4/ip_forward 0",
    "undoing 1 net/ipv4/ip_forward a%20b", "undoing 0", "undoing 99 net/ipv4/ip_forward 0",
  ])
  func whatNftraceNeverDoes(line: String) {
    #expect(JournalEntry(parsing: line) == nil)
    #expect(throws: JournalText.Fault.self) {
      try JournalText(parsing: Self.text + line + "\n")
    }
  }

  static func hex(_ message: NetlinkMessage) -> String {
    message.bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
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
    #expect(try ProcessIdentity.of(0x7fff_ffff) == nil)
  }

  @Test func staleness() throws {
    let place = Self.journal.place
    #expect(try Journal.isStale(Self.journal, here: place))
    var elsewhere = place
    elsewhere.inode += 1
    #expect(try !Journal.isStale(Self.journal, here: elsewhere))
    // Another namespace has its number: there is nothing left of it.
    var successor = place
    successor.cookie = 6
    #expect(try Journal.isStale(Self.journal, here: successor))
    #expect(Self.journal.place.isGone(by: successor))
    var nextBoot = place
    nextBoot.boot = "another"
    #expect(try Journal.isStale(Self.journal, here: nextBoot))
    var living = Self.journal
    living.owner = ProcessIdentity(1)
    #expect(try !Journal.isStale(living, here: place))
    living.owner = nil
    #expect(try !Journal.isStale(living, here: place))
  }
}
