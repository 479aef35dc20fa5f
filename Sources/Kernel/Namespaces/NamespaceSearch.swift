/// What a user calls a network namespace, and what that leads to.
package struct NamespaceSearch: Sendable {
  /// Names of `ip netns`.
  let names: [String]
  /// Containers and pods.
  let containers: [Container]

  /// Among these.
  package init(names: [String], containers: [Container]) {
    self.names = names
    self.containers = containers
  }

  /// What was found.
  package enum Answer: Sendable, Equatable {
    /// One, by its file.
    case path(String)
    /// Several are called so.
    case several([Container])
    /// None; these are called nearly so.
    case none(nearly: [String])
  }

  /// The container or pod of this name. Several that share one network namespace are one.
  package func container(_ text: String, identity: (String) -> String? = { $0 }) -> Answer {
    let found = containers.filter { $0.isCalled(text) }
    // What is called exactly so comes before what is called so as well.
    let exact = found.filter { $0.name == text }
    let candidates = exact.isEmpty ? found : exact
    guard let first = candidates.first else { return .none(nearly: nearly(text)) }
    let places = Set(candidates.map { identity($0.path) ?? $0.path })
    return places.count == 1 ? .path(first.path) : .several(candidates)
  }

  /// Names that are nearly this one, the nearest first.
  func nearly(_ text: String) -> [String] {
    let all = Set(
      names + containers.flatMap { [$0.name] + ($0.isPod ? $0.otherNames.prefix(1) : []) })
    let wanted = text.lowercased()
    return all.compactMap { name -> (Int, String)? in
      let other = name.lowercased()
      if other.contains(wanted) || other.count >= 3 && wanted.contains(other) { return (0, name) }
      let distance = Self.distance(Array(wanted.utf8), Array(other.utf8))
      return distance <= max(1, wanted.utf8.count / 3) ? (distance, name) : nil
    }.sorted(by: <).prefix(Self.most).map(\.1)
  }

  private static let most = 5

  /// How many letters are to be changed, added or left out to make the one of the other: Levenshtein's distance.
  static func distance(_ some: [UInt8], _ others: [UInt8]) -> Int {
    guard abs(some.count - others.count) < 8, max(some.count, others.count) < 128 else {
      return .max
    }
    var row = Array(0...others.count)
    for (index, letter) in some.enumerated() {
      var diagonal = row[0]
      row[0] = index + 1
      for (place, other) in others.enumerated() {
        let next = min(row[place] + 1, row[place + 1] + 1, diagonal + (letter == other ? 0 : 1))
        diagonal = row[place + 1]
        row[place + 1] = next
      }
    }
    return row[others.count]
  }
}
