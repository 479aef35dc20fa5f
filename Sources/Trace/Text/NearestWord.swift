/// What somebody may have meant who wrote a word that is not known.
package enum NearestWord {
  /// The one that differs in the fewest letters; nil if all are quite different.
  package static func to(_ name: String, among known: [String]) -> String? {
    guard name.count > 2 else { return nil }
    let distances = known.filter { $0.count > 2 }.map { (distance(name, $0), $0) }
    let most = max(1, (name.count - 2) / 3)
    return distances.filter { $0.0 <= most }.min { $0 < $1 }?.1
  }

  /// How many letters are to be put in, left out, changed, or exchanged with the next, to make one of the other.
  private static func distance(_ left: String, _ right: String) -> Int {
    let (from, to) = (Array(left), Array(right))
    var rows = [Array(0...to.count)]
    for (index, letter) in from.enumerated() {
      var row = [index + 1]
      for (place, other) in to.enumerated() {
        var best = min(
          row[place] + 1, rows[index][place + 1] + 1, rows[index][place] + (letter == other ? 0 : 1)
        )
        if index > 0, place > 0, letter == to[place - 1], from[index - 1] == other {
          best = min(best, rows[index - 1][place - 1] + 1)
        }
        row.append(best)
      }
      rows.append(row)
    }
    return rows[from.count][to.count]
  }
}
