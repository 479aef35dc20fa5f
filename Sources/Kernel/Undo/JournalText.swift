/// What a journal file says, as values and as text: one line for each fact, its words apart by
/// spaces, each word with "%XX" for what would break it.
///
/// ```
/// nftrace-journal 1
/// namespace 4026532201 5 2f1c3a5e-…       inode, cookie, boot
/// owner 1234 567890                       process, its start in ticks since boot; or "owner none"
/// sysctl net/ipv4/ip_forward 0 1 net/ipv4/conf/all/accept_redirects 1 0
/// rule 1c00000020…                        a routing rule, as the message that made it, in hexadecimal
/// route 1c00000018…                       a route, likewise
/// tun nftrace0 17                         a TUN device that stays, its name and its index
/// netns nftrace-lab-1234-router           a named namespace
/// tables nftrace_1234                     nf_tables' tables of this name, in all families
/// withdrawn                               the line before it did not come to be
/// undoing 2 net/ipv4/ip_forward 0         the second change is about to be taken back like this
/// undone 2                                it was
/// ```
///
/// It is what this program can have written, or it is not believed at all: what a journal says is
/// done by somebody who may be root.
struct JournalText: Equatable {
  var place: JournalPlace
  /// nil for one that outlives its process.
  var owner: ProcessIdentity?
  var entries: [JournalEntry] = []
  /// Those that were taken back already, counted from 1.
  var undone: Set<Int> = []
  /// What was to be written to take settings back, by the number of the change: setting back the
  /// first changes the others, and what they are to be is known no more when that is cut short.
  var undoing: [Int: [SysctlValue]] = [:]

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

  /// Why a text is not believed, as it reads after "it".
  struct Fault: Error, Equatable {
    var reason: String
    init(_ reason: String) { self.reason = reason }
  }

  /// The journal in `text`. A last line without its end is left out: who wrote it died before it
  /// changed anything.
  init(parsing text: String) throws(Fault) {
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    lines.removeLast()
    guard lines.count >= 3, lines[0] == Self.title else { throw Fault("is no journal of nftrace") }
    let namespace = lines[1].split(separator: " ")
    let owner = lines[2].split(separator: " ")
    guard namespace.count == 4, namespace[0] == "namespace", let inode = UInt64(namespace[1]),
      let cookie = UInt64(namespace[2]), let boot = Self.unescape(namespace[3]),
      owner.count >= 2, owner[0] == "owner"
    else { throw Fault("does not say where it is about") }
    place = JournalPlace(inode: inode, cookie: cookie, boot: boot)
    if owner[1] == "none" {
      self.owner = nil
    } else {
      guard owner.count == 3, let process = Int32(owner[1]), let start = UInt64(owner[2]) else {
        throw Fault("does not say whose it is")
      }
      self.owner = ProcessIdentity(process: process, start: start)
    }
    for line in lines.dropFirst(3) {
      let words = line.split(separator: " ")
      if line == "withdrawn" {
        _ = entries.popLast()
      } else if words.count == 2, words[0] == "undone", let number = Int(words[1]) {
        undone.insert(number)
      } else if words.first == "undoing", let (number, settings) = undoing(words.dropFirst()) {
        undoing[number] = settings
      } else if let entry = JournalEntry(parsing: line) {
        entries.append(entry)
      } else {
        throw Fault("has a line that nftrace cannot have written: \(Self.escape(String(line)))")
      }
    }
  }

  /// What is said behind "undoing": of a change that is there, and of nothing but its settings.
  private func undoing(_ words: ArraySlice<Substring>) -> (Int, [SysctlValue])? {
    let words = words.map { Self.unescape($0) ?? "" }
    guard words.count % 2 == 1, let number = Int(words[0]), entries.indices ~= number - 1,
      case .sysctl(let change, let along) = entries[number - 1]
    else { return nil }
    var settings: [SysctlValue] = []
    for start in stride(from: 1, to: words.count, by: 2) {
      guard JournalEntry.SysctlChange.isWord(words[start + 1]),
        let setting = ([change] + along).map(\.setting).first(where: { $0.path == words[start] })
      else { return nil }
      settings.append(SysctlValue(setting: setting, value: words[start + 1]))
    }
    return (number, settings)
  }

  /// The line that says how the settings of the entry of this number, counted from 1, are set back.
  static func undoingLine(_ number: Int, _ settings: [SysctlValue]) -> String {
    let words = settings.flatMap { [$0.setting.path, $0.value] }.map(escape)
    return (["undoing", "\(number)"] + words).joined(separator: " ") + "\n"
  }
  /// The line that says that the entry of this number, counted from 1, was taken back.
  static func undoneLine(_ number: Int) -> String { "undone \(number)\n" }
  /// The line that says that the entry before it did not come to be.
  static let withdrawnLine = "withdrawn\n"

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
