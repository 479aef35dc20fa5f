/// The `$WORDS` of a scenario's texts, and what they stand for. A word is of capitals and digits; what is
/// of small letters is the shell's, or perl's.
package struct Words: Sendable {
  private var values: [String: String]

  package init(_ values: [String: String]) { self.values = values }

  /// With others besides, which come before these where both have a word.
  package func adding(_ others: [String: String]) -> Words {
    Words(values.merging(others) { _, other in other })
  }

  /// A text with every word replaced, the words in what they stand for as well.
  package func spell(_ text: String) throws(Unknown) -> String {
    var text = text
    // What a word stands for has words of the next layer at most: row, file, topology.
    for _ in 0..<4 {
      let next = try spellOnce(text)
      if next == text { break }
      text = next
    }
    return text
  }

  private func spellOnce(_ text: String) throws(Unknown) -> String {
    var result = ""
    var rest = text[...]
    while let sign = rest.firstIndex(of: "$") {
      result += rest[..<sign]
      rest = rest[sign...].dropFirst()
      let word = String(rest.prefix { $0.isASCII && ($0.isUppercase || $0.isNumber) })
      rest = rest.dropFirst(word.count)
      if let value = values[word] {
        result += value
      } else if word.first?.isUppercase == true, !Self.kept.contains(word) {
        throw Unknown(word: word, known: values.keys.sorted())
      } else {
        result += "$" + word
      }
    }
    return result + rest
  }

  /// A word that nobody knows, and those that there are.
  package struct Unknown: Error {
    package var word: String
    package var known: [String]
  }

  /// Known only when the namespaces are there; and perl's list of arguments.
  private static let kept: Set<String> = ["ATSERVER", "ATCLIENT", "CLIENT", "BPF", "ARGV"]
}
