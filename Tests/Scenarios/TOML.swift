/// The part of TOML 1.0 that scenarios are written in: comments, tables, keys, strings of one line and
/// `'''` of several, numbers, booleans, arrays, and tables within braces. What it takes is TOML; dates,
/// dotted keys, arrays of tables and `"""` are refused. Each value knows its line, so that who reads the
/// file can say where something is wrong.
package struct TOML {
  package indirect enum Value {
    case text(String)
    /// As it is written.
    case number(String)
    case boolean(Bool)
    case list([Entry])
    case table(Table)
  }

  /// A value and the line it begins in.
  package struct Entry {
    package var value: Value
    package var line: Int
  }

  /// Keys with values, in the order of the file.
  package struct Table {
    package var entries: [(key: String, entry: Entry)] = []

    package subscript(key: String) -> Entry? { entries.first { $0.key == key }?.entry }
  }

  /// What is wrong with a text, and in which line.
  package struct Fault: Error, Equatable, CustomStringConvertible {
    package var line: Int
    package var reason: String

    package init(_ line: Int, _ reason: String) {
      self.line = line
      self.reason = reason
    }

    package var description: String { "line \(line): \(reason)" }
  }

  private let text: [Character]
  private var position = 0
  private var line = 1

  private init(_ text: String) { self.text = Array(text) }

  /// The table that a text is.
  package static func table(_ text: String) throws(Fault) -> Table {
    var reader = TOML(text)
    return try reader.readAll()
  }

  private mutating func readAll() throws(Fault) -> Table {
    var whole = Table()
    var path: [String] = []
    while skipBlankLines(), let next = peek {
      let start = line
      if next == "[" {
        path = try readHeader()
        try whole.open(path[...], start)
      } else {
        let key = try readKey()
        skipBlanks()
        try expect("=", "'=' after the key '\(key)'")
        let entry = try readValue()
        try whole.add(key, entry, start, at: path[...])
      }
      try endLine()
    }
    return whole
  }

  /// `[name]` or `[name.part]`.
  private mutating func readHeader() throws(Fault) -> [String] {
    advance()
    if peek == "[" { throw Fault(line, "'[[' is not read here: a table has one name, '[name]'") }
    var path: [String] = []
    repeat {
      skipBlanks()
      path.append(try readKey())
      skipBlanks()
    } while take(".")
    try expect("]", "']' after the table's name")
    return path
  }

  private mutating func readKey() throws(Fault) -> String {
    if peek == "\"" || peek == "'" { return try readText() }
    var key = ""
    while let next = peek, next.isASCII, next.isLetter || next.isNumber || "-_".contains(next) {
      key.append(next)
      advance()
    }
    if key.isEmpty { throw Fault(line, "a key or a table's name is expected here") }
    return key
  }

  private mutating func readValue() throws(Fault) -> Entry {
    skipBlanks()
    let start = line
    guard let next = peek, next != "\n" else { throw Fault(line, "a value is missing") }
    let value: Value =
      switch next {
      case "\"", "'": .text(try readText())
      case "[": .list(try readList())
      case "{": .table(try readInlineTable())
      default: try readWord()
      }
    return Entry(value: value, line: start)
  }

  /// `true`, `false` or a number.
  private mutating func readWord() throws(Fault) -> Value {
    var word = ""
    while let next = peek, !next.isWhitespace, !",]}#".contains(next) {
      word.append(next)
      advance()
    }
    if word == "true" || word == "false" { return .boolean(word == "true") }
    guard word.first?.isNumber == true, Double(word) != nil else {
      throw Fault(line, "'\(word)' is no value: a text stands in quotes")
    }
    return .number(word)
  }

  private mutating func readText() throws(Fault) -> String {
    let start = line
    guard let quote = peek else { throw Fault(line, "a text is missing") }
    advance()
    if peek == quote, peek(1) == quote { return try readLines(quote, start) }
    var result = ""
    while let next = peek, next != "\n" {
      advance()
      if next == quote { return result }
      result.append(next == "\\" && quote == "\"" ? try readEscape() : next)
    }
    throw Fault(start, "a text without its closing \(quote)")
  }

  private mutating func readEscape() throws(Fault) -> Character {
    let escapes: [Character: Character] = ["\"": "\"", "\\": "\\", "n": "\n", "t": "\t"]
    guard let next = peek, let meant = escapes[next] else {
      throw Fault(line, "'\\' may be followed by \" \\ n t; in '…' it stands for itself")
    }
    advance()
    return meant
  }

  /// Between `'''`, all as it stands; a line's end right after the first is not part of it.
  private mutating func readLines(_ quote: Character, _ start: Int) throws(Fault) -> String {
    advance()
    advance()
    if quote == "\"" {
      throw Fault(start, "several lines stand between ''', where '\\' has no meaning")
    }
    if peek == "\n" { advance() }
    var result = ""
    while let next = peek {
      if next == "'", peek(1) == "'", peek(2) == "'" {
        for _ in 0..<3 { advance() }
        return result
      }
      result.append(next)
      advance()
    }
    throw Fault(start, "a text without its closing '''")
  }

  private mutating func readList() throws(Fault) -> [Entry] {
    let start = line
    advance()
    var list: [Entry] = []
    while skipBlankLines() {
      if take("]") { return list }
      list.append(try readValue())
      _ = skipBlankLines()
      if !take(",") && peek != "]" { throw Fault(line, "',' or ']' is expected after a value") }
    }
    throw Fault(start, "a list without its closing ]")
  }

  private mutating func readInlineTable() throws(Fault) -> Table {
    advance()
    var table = Table()
    repeat {
      skipBlanks()
      let start = line
      let key = try readKey()
      skipBlanks()
      try expect("=", "'=' after the key '\(key)'")
      try table.add(key, try readValue(), start, at: [])
      skipBlanks()
    } while take(",")
    try expect("}", "'}', in the same line,")
    return table
  }

  // MARK: Characters

  private var peek: Character? { peek(0) }

  private func peek(_ ahead: Int) -> Character? {
    position + ahead < text.count ? text[position + ahead] : nil
  }

  private mutating func advance() {
    if peek == "\n" { line += 1 }
    position += 1
  }

  private mutating func take(_ character: Character) -> Bool {
    guard peek == character else { return false }
    advance()
    return true
  }

  private mutating func expect(_ character: Character, _ what: String) throws(Fault) {
    if !take(character) { throw Fault(line, "\(what) is expected here") }
  }

  private mutating func skipBlanks() {
    while peek == " " || peek == "\t" { advance() }
  }

  /// Comments as well; whether something follows.
  private mutating func skipBlankLines() -> Bool {
    while let next = peek {
      if next == "#" {
        while peek != nil, peek != "\n" { advance() }
      } else if next.isWhitespace {
        advance()
      } else {
        return true
      }
    }
    return false
  }

  private mutating func endLine() throws(Fault) {
    skipBlanks()
    if let next = peek, next != "\n", next != "#" {
      throw Fault(line, "'\(next)' after the end: one key a line")
    }
  }
}

extension TOML.Table {
  /// Makes the table that a header names.
  fileprivate mutating func open(_ path: ArraySlice<String>, _ line: Int) throws(TOML.Fault) {
    guard let key = path.first else { return }
    let rest = path.dropFirst()
    guard let index = entries.firstIndex(where: { $0.key == key }) else {
      var table = TOML.Table()
      try table.open(rest, line)
      return entries.append((key, .init(value: .table(table), line: line)))
    }
    guard case .table(var table) = entries[index].entry.value, !rest.isEmpty else {
      throw .init(line, "'\(key)' is there already, in line \(entries[index].entry.line)")
    }
    try table.open(rest, line)
    entries[index].entry.value = .table(table)
  }

  fileprivate mutating func add(
    _ key: String, _ entry: TOML.Entry, _ line: Int, at path: ArraySlice<String>
  ) throws(TOML.Fault) {
    if let first = path.first, let index = entries.firstIndex(where: { $0.key == first }),
      case .table(var table) = entries[index].entry.value
    {
      try table.add(key, entry, line, at: path.dropFirst())
      entries[index].entry.value = .table(table)
    } else if let other = self[key] {
      throw .init(line, "'\(key)' is there already, in line \(other.line)")
    } else {
      entries.append((key, entry))
    }
  }
}
