internal import Wire

/// What a journal file says, as values and as text: one line for each fact, its words apart by
/// spaces, each word with "%XX" for what would break it.
///
/// ```
/// nftrace-journal 1
/// namespace 4026532201 5 2f1c3a5e-…       inode, cookie, boot
/// owner 1234 567890                       process, its start in ticks since boot; or "owner none"
/// sysctl net/ipv4/ip_forward 0 1 net/ipv4/conf/all/accept_redirects 1 0
/// netlink 1c00000021…                     the message that takes something back, in hexadecimal
/// netns nftrace-lab-1234-router           a named namespace
/// tables nftrace_1234                     nf_tables' tables of this name, in all families
/// withdrawn                               the line before it did not come to be
/// ```
struct JournalText: Equatable {
  var place: JournalPlace
  /// nil for one that outlives its process.
  var owner: ProcessIdentity?
  var entries: [JournalEntry] = []

  private static let title = "nftrace-journal 1"

  init(place: JournalPlace, owner: ProcessIdentity?, entries: [JournalEntry] = []) {
    self.place = place
    self.owner = owner
    self.entries = entries
  }

  /// What stands at the top of the file.
  var header: String {
    let owner = owner.map { "\($0.process) \($0.start)" } ?? "none"
    return """
      \(Self.title)
      namespace \(place.inode) \(place.cookie) \(Self.escape(place.boot))
      owner \(owner)

      """
  }

  /// The journal in `text`; nil if it is none. A last line without its end is left out: who wrote
  /// it died before it changed anything. So are lines that cannot be understood.
  init?(parsing text: String) {
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    lines.removeLast()
    guard lines.count >= 3, lines[0] == Self.title else { return nil }
    let namespace = lines[1].split(separator: " ")
    let owner = lines[2].split(separator: " ")
    guard namespace.count == 4, namespace[0] == "namespace", let inode = UInt64(namespace[1]),
      let cookie = UInt64(namespace[2]), let boot = Self.unescape(namespace[3]),
      owner.count >= 2, owner[0] == "owner"
    else { return nil }
    place = JournalPlace(inode: inode, cookie: cookie, boot: boot)
    if owner[1] == "none" {
      self.owner = nil
    } else {
      guard owner.count == 3, let process = Int32(owner[1]), let start = UInt64(owner[2]) else {
        return nil
      }
      self.owner = ProcessIdentity(process: process, start: start)
    }
    for line in lines.dropFirst(3) {
      if line == "withdrawn" {
        _ = entries.popLast()
      } else if let entry = JournalEntry(parsing: line) {
        entries.append(entry)
      }
    }
  }

  /// `text` as one word: without white space, control characters, "%", and never empty.
  static func escape(_ text: String) -> String {
    if text.isEmpty { return "%" }
    var result = ""
    for octet in text.utf8 {
      if octet > 0x20, octet < 0x7f, octet != 0x25 {
        result.unicodeScalars.append(Unicode.Scalar(octet))
      } else {
        result += "%" + (octet < 16 ? "0" : "") + String(octet, radix: 16)
      }
    }
    return result
  }

  /// The inverse of `escape`; nil for what it never makes.
  static func unescape(_ word: some StringProtocol) -> String? {
    if word == "%" { return "" }
    var bytes: [UInt8] = []
    var rest = Array(word.utf8)[...]
    while let octet = rest.popFirst() {
      guard octet == 0x25 else {
        bytes.append(octet)
        continue
      }
      guard rest.count >= 2,
        let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
      else { return nil }
      bytes.append(value)
      rest = rest.dropFirst(2)
    }
    return String(validating: bytes, as: UTF8.self)
  }
}

/// Which network namespace a journal is about.
struct JournalPlace: Equatable {
  var inode: UInt64
  /// What is never given to another namespace during one boot; 0 on kernels that have none.
  var cookie: UInt64
  /// /proc/sys/kernel/random/boot_id.
  var boot: String
}

/// One change, and what takes it back.
enum JournalEntry: Equatable {
  /// A sysctl, its value before and the one that was set; and those that the kernel changes along
  /// with it.
  case sysctl(SysctlChange, along: [SysctlChange])
  /// The rtnetlink message that removes what was added.
  case netlink(NetlinkMessage)
  /// The name of a network namespace that was made.
  case namespace(String)
  /// The name of tables of nf_tables that were made.
  case tables(String)

  struct SysctlChange: Equatable {
    var setting: Sysctl
    var old: String
    var new: String
  }

  /// The entry in a line; nil if it is none.
  init?(parsing line: some StringProtocol) {
    let words = line.split(separator: " ").map { JournalText.unescape($0) }
    guard let kind = words.first, words.allSatisfy({ $0 != nil }) else { return nil }
    let rest = words.dropFirst().compactMap { $0 }
    switch kind {
    case "sysctl":
      var changes: [SysctlChange] = []
      for start in stride(from: 0, to: rest.count, by: 3) {
        guard start + 2 < rest.count, let setting = Sysctl(path: rest[start]) else { return nil }
        changes.append(SysctlChange(setting: setting, old: rest[start + 1], new: rest[start + 2]))
      }
      guard let first = changes.first else { return nil }
      self = .sysctl(first, along: Array(changes.dropFirst()))
    case "netlink":
      guard rest.count == 1, let bytes = Self.bytes(hex: rest[0]),
        let messages = try? NetlinkMessage.all(in: bytes), messages.count == 1
      else { return nil }
      self = .netlink(messages[0])
    case "netns":
      guard rest.count == 1 else { return nil }
      self = .namespace(rest[0])
    case "tables":
      guard rest.count == 1 else { return nil }
      self = .tables(rest[0])
    default: return nil
    }
  }

  /// The entry as a line, its end included.
  var line: String {
    var words: [String]
    switch self {
    case .sysctl(let change, let along):
      words = ["sysctl"]
      for change in [change] + along { words += [change.setting.path, change.old, change.new] }
    case .netlink(let message):
      words = [
        "netlink", message.bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(),
      ]
    case .namespace(let name): words = ["netns", name]
    case .tables(let name): words = ["tables", name]
    }
    return words.map(JournalText.escape).joined(separator: " ") + "\n"
  }

  private static func bytes(hex: String) -> [UInt8]? {
    let digits = Array(hex.utf8)
    guard digits.count % 2 == 0 else { return nil }
    var bytes: [UInt8] = []
    for start in stride(from: 0, to: digits.count, by: 2) {
      guard let byte = UInt8(String(decoding: digits[start..<start + 2], as: UTF8.self), radix: 16)
      else { return nil }
      bytes.append(byte)
    }
    return bytes
  }
}
