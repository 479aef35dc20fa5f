/// A command's words, as a shell parts them.
enum ShellWords {
  /// The words, with their quotes: blanks within quotes part none.
  static func split(_ text: String) -> [String] {
    var words: [String] = []
    var word = ""
    var quote: Character?
    var isEscaped = false
    for character in text {
      if isEscaped || character == "\\" && quote != "'" {
        isEscaped.toggle()
        word.append(character)
        continue
      }
      if character == " ", quote == nil {
        if !word.isEmpty { words.append(word) }
        word = ""
        continue
      }
      if quote == character {
        quote = nil
      } else if quote == nil, character == "'" || character == "\"" {
        quote = character
      }
      word.append(character)
    }
    return word.isEmpty ? words : words + [word]
  }

  /// A part of a word, before which a line may end.
  struct Part: Equatable {
    var text: String
    /// What ends the line before it, and what the next one begins with.
    var before: String
    var after: String
    /// What the line needs behind it, where it ends there.
    var end: String
  }

  /// The parts of a word at its quoted blanks. A backslash at the end of a line joins what stands around it, but not
  /// within single quotes: these are closed, and opened again.
  static func parts(_ word: String) -> [Part] {
    var parts: [Part] = []
    var part = Part(text: "", before: "\\", after: "", end: "\\")
    var quote: Character?
    var isEscaped = false
    for character in word {
      if isEscaped {
        isEscaped = false
      } else if character == "\\", quote != "'" {
        isEscaped = true
      } else if quote == character {
        quote = nil
      } else if quote == nil, character == "'" || character == "\"" {
        quote = character
      } else if character == " ", let quote {
        let isSingle = quote == "'"
        part.end = isSingle ? "'\\" : "\\"
        parts.append(part)
        part = Part(
          text: "", before: isSingle ? "'\\" : "\\", after: isSingle ? "'" : "", end: " \\")
      }
      part.text.append(character)
    }
    part.end = " \\"
    return parts + [part]
  }

  /// A command on lines of at most so many columns. It is one line, which a terminal that is too narrow for it would
  /// break anywhere: it goes on behind a backslash, so that a shell reads the same words. The first line stands behind
  /// `lead` columns, the others begin with `indent`; but what goes on within a word begins its line.
  static func lines(_ text: String, width: Int, behind lead: Int, indent: String) -> [String] {
    var lines: [String] = []
    var line = ""
    // The columns of the line that are not in it.
    var before = lead
    func room(_ text: String, _ end: Int = 2) -> Bool {
      before + TextLayout.columns(line) + TextLayout.columns(text) + end <= width
    }
    let words = split(text)
    for (index, word) in words.enumerated() {
      let blank = line.isEmpty || line == indent ? "" : " "
      if room(blank + word, index == words.count - 1 ? 0 : 2) {
        line += blank + word
        continue
      }
      if !blank.isEmpty {
        lines.append(line + " \\")
        (line, before) = (indent, 0)
      }
      for part in parts(word) {
        if line != indent, !line.isEmpty, !room(part.text, part.end.count) {
          lines.append(line + part.before)
          (line, before) = (part.after, 0)
        }
        line += part.text
      }
    }
    return lines + [line]
  }
}
