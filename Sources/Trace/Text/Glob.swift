/// A pattern of names, as shells have it: * is anything, ? is one character.
package struct Glob: Sendable {
  private let pattern: [Character]

  /// This pattern.
  package init(_ pattern: String) { self.pattern = Array(pattern) }

  /// Whether the whole of a text is so.
  package func matches(_ text: String) -> Bool {
    let text = Array(text)
    var (place, at) = (0, 0)
    /// Where to go on when what was tried does not fit: behind the last star, one further in the text.
    var retry: (place: Int, at: Int)?
    while at < text.count {
      if place < pattern.count, pattern[place] == "*" {
        retry = (place, at)
        place += 1
      } else if place < pattern.count, pattern[place] == "?" || pattern[place] == text[at] {
        place += 1
        at += 1
      } else if let (star, last) = retry {
        place = star + 1
        at = last + 1
        retry = (star, at)
      } else {
        return false
      }
    }
    return pattern[place...].allSatisfy { $0 == "*" }
  }
}
