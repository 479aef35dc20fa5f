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
}
