// Where lines of the kernel log are found, and the time that is told with them:
//
//   [  123.456789] TEXT                                      dmesg; with -x, -r or a caller as well
//   [Sat Nov 21 03:00:00 2026] TEXT                          dmesg -T
//   2026-11-21T03:00:00,123456+00:00 TEXT                    dmesg --time-format iso
//   Nov 21 03:00:00 host kernel: [  123.456789] TEXT         syslog
//   2026-11-21T03:00:00.123456+00:00 host kernel: TEXT       rsyslog, journalctl -o short-iso…
//   6,1234,567890123,-;TEXT                                  /dev/kmsg
//   {"MESSAGE":"TEXT","__REALTIME_TIMESTAMP":"…",…}          journalctl -o json
//   MESSAGE=TEXT                                             journalctl -o export

/// Reads the text of dmesg, syslog, journald or /dev/kmsg as it comes, and picks out the entries
/// that have "IN=", which is what lines about packets have. Any octets can be fed.
///
/// What is kept in memory is what was fed and not yet asked for.
package struct KernelLogText: Sendable {
  private var buffer: [UInt8] = []
  /// Octets of `buffer` that are done with.
  private var used = 0
  private var hasEnded = false
  /// Whether the rest of a line that is too long is being passed over.
  private var isTooLong = false
  /// Lines so far.
  package private(set) var lines = 0
  /// The entry of an export that was begun; nil outside of those.
  private var export: Export?

  private struct Export {
    var message: KernelLogEntry?
    var time: UInt64?
  }

  /// Octets of a line beyond which it is none of the kernel's, which has 1024 and a few around them.
  private static let longest = 1 << 16
  private static let mark = Array("IN=".utf8)

  /// A reader before the first octet.
  package init() {}

  /// Takes the file's next octets, any number of them.
  package mutating func feed(_ bytes: some Collection<UInt8>) {
    if used * 2 >= buffer.count {
      buffer.removeSubrange(..<used)
      used = 0
    }
    buffer.append(contentsOf: bytes)
  }

  /// Says that the file has ended: its last line may have no end.
  package mutating func finish() { hasEnded = true }

  /// The next entry, or nil if it takes more octets.
  package mutating func next() -> KernelLogEntry? {
    while let line = nextLine() {
      if let entry = take(line) { return entry }
    }
    guard hasEnded, let entry = export?.message else { return nil }
    return end(entry)
  }

  private mutating func nextLine() -> ArraySlice<UInt8>? {
    while true {
      let rest = buffer[used...]
      guard let end = rest.firstIndex(of: UInt8(ascii: "\n")) else {
        if hasEnded, !rest.isEmpty, !isTooLong {
          used = buffer.count
          lines += 1
          return rest
        }
        if rest.count > Self.longest {
          isTooLong = true
          used = buffer.count
        }
        return nil
      }
      used = end + 1
      lines += 1
      if isTooLong {
        isTooLong = false
        continue
      }
      return rest[..<end].last == UInt8(ascii: "\r") ? rest[..<(end - 1)] : rest[..<end]
    }
  }

  private mutating func take(_ line: ArraySlice<UInt8>) -> KernelLogEntry? {
    if line.starts(with: Self.cursorField) { export = Export() }
    if export != nil { return takeExport(line) }
    guard line.contains(Self.mark) else { return nil }
    if line.first == UInt8(ascii: "{") { return json(line) }
    if let entry = kmsg(line) { return entry }
    var stamp = KernelLogStamp(line)
    stamp.read()
    return entry(stamp.nanoseconds, isExact: stamp.isExact, stamp.rest)
  }

  private func entry(
    _ time: UInt64?, isExact: Bool, _ text: some Collection<UInt8>
  ) -> KernelLogEntry {
    KernelLogEntry(line: lines, time: time, isExact: isExact, text: Array(text))
  }

  // MARK: /dev/kmsg

  /// Documentation/ABI/testing/dev-kmsg: priority, number, microseconds since boot and flags, then
  /// the text, in which everything unusual is written as \xHH.
  private func kmsg(_ line: ArraySlice<UInt8>) -> KernelLogEntry? {
    var cursor = TextCursor(line)
    guard cursor.number() != nil, cursor.skip(","), cursor.number() != nil, cursor.skip(","),
      let time = cursor.number(), cursor.skip(","), cursor.upTo(";") != nil
    else { return nil }
    return entry(
      time.multiplied(by: 1000), isExact: true,
      Self.unescaped(cursor.rest, by: UInt8(ascii: "x"), digits: 2))
  }

  // MARK: journald

  private static let cursorField = Array("__CURSOR=".utf8)
  private static let messageField = Array("MESSAGE=".utf8)
  private static let bootTimeField = Array("_SOURCE_MONOTONIC_TIMESTAMP=".utf8)
  private static let timeField = Array("__REALTIME_TIMESTAMP=".utf8)

  /// https://systemd.io/JOURNAL_EXPORT_FORMATS/: a field a line, an empty line behind each entry.
  private mutating func takeExport(_ line: ArraySlice<UInt8>) -> KernelLogEntry? {
    if line.isEmpty {
      guard let message = export?.message else { return nil }
      return end(message)
    }
    if line.starts(with: Self.cursorField) {
      export = Export()
    } else if line.starts(with: Self.messageField), line.contains(Self.mark) {
      let message = entry(nil, isExact: true, line.dropFirst(Self.messageField.count))
      export?.message = message
    } else if line.starts(with: Self.bootTimeField) {
      export?.time = Self.time(line.dropFirst(Self.bootTimeField.count))
    } else if line.starts(with: Self.timeField), export?.time == nil {
      export?.time = Self.time(line.dropFirst(Self.timeField.count))
    }
    return nil
  }

  private mutating func end(_ message: KernelLogEntry) -> KernelLogEntry {
    var entry = message
    entry.time = export?.time
    export = Export()
    return entry
  }

  /// An object a line. A quotation mark inside a string is written \", so that a key is found by
  /// its text.
  private func json(_ line: ArraySlice<UInt8>) -> KernelLogEntry? {
    func value(_ key: StaticString) -> ArraySlice<UInt8>? {
      let name = Array("\"\(key)\":\"".utf8)
      guard let start = line.firstIndex(ofAll: name) else { return nil }
      var end = start + name.count
      while end < line.endIndex, line[end] != UInt8(ascii: "\"") {
        end += line[end] == UInt8(ascii: "\\") ? 2 : 1
      }
      return end < line.endIndex ? line[(start + name.count)..<end] : nil
    }
    guard let message = value("MESSAGE") else { return nil }
    if let transport = value("_TRANSPORT"), !transport.elementsEqual("kernel".utf8) { return nil }
    let time = value("_SOURCE_MONOTONIC_TIMESTAMP") ?? value("__REALTIME_TIMESTAMP")
    return entry(
      time.flatMap { Self.time($0) }, isExact: true,
      Self.unescaped(message, by: UInt8(ascii: "u"), digits: 4))
  }

  private static func time(_ microseconds: ArraySlice<UInt8>) -> UInt64? {
    UInt64(decimal: microseconds)?.multiplied(by: 1000)
  }

  /// The text without its escapes: `letter` and so many hexadecimal digits behind a backslash are
  /// a character, anything else behind one stands for itself.
  private static func unescaped(
    _ text: ArraySlice<UInt8>, by letter: UInt8, digits: Int
  ) -> [UInt8] {
    guard text.contains(UInt8(ascii: "\\")) else { return Array(text) }
    var result: [UInt8] = []
    var index = text.startIndex
    while index < text.endIndex {
      defer { index += 1 }
      guard text[index] == UInt8(ascii: "\\"), index + 1 < text.endIndex else {
        result.append(text[index])
        continue
      }
      index += 1
      let end = index + 1 + digits
      guard text[index] == letter, end <= text.endIndex,
        let number = UInt32(hexadecimal: text[(index + 1)..<end]),
        let scalar = Unicode.Scalar(number)
      else {
        result.append(text[index])
        continue
      }
      if digits == 2 { result.append(UInt8(number)) } else { result += Array("\(scalar)".utf8) }
      index = end - 1
    }
    return result
  }
}

extension ArraySlice<UInt8> {
  /// Where these octets come first.
  func firstIndex(ofAll octets: [UInt8]) -> Int? {
    guard let first = octets.first else { return startIndex }
    var index = startIndex
    while index + octets.count <= endIndex {
      if self[index] == first, self[index..<(index + octets.count)].elementsEqual(octets) {
        return index
      }
      index += 1
    }
    return nil
  }

  func contains(_ octets: [UInt8]) -> Bool { firstIndex(ofAll: octets) != nil }
}
