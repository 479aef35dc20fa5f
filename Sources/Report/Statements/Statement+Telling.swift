package import Trace

extension [Statement] {
  /// What programs are told: members of an object, in this order.
  package var members: [(String, JSONValue)] {
    compactMap { statement in statement.key.map { ($0, statement.value) } }
  }

  /// The same as an object.
  package var object: JSONValue { .object(members) }

  /// What people are told, in this order.
  package var told: [ToldLine] {
    var told: [ToldLine] = []
    tell(&told)
    return told
  }

  /// The results among that, without remarks.
  package var lines: [StyledLine] {
    told.compactMap { if case .result(let line) = $0 { line } else { nil } }
  }

  private func tell(_ told: inout [ToldLine]) {
    for statement in self {
      switch statement.words {
      case .nothing: break
      case .lines(let lines): told += lines.map { .result($0) }
      case .remark(let line): told.append(.remark(line))
      case .parts(let parts): parts.tell(&told)
      case .more(let more):
        if case .result(let line) = told.last { told[told.count - 1] = .result(line + more) }
      }
    }
  }

  /// The same to programs, and of it these words alone to people, by the keys of the statements.
  package func saying(_ words: [String: Statement.Words]) -> [Statement] {
    assert(words.keys.allSatisfy { key in contains { $0.key == key } }, "nobody states that")
    return map { statement in
      Statement(statement.key, statement.value, statement.key.flatMap { words[$0] } ?? .nothing)
    }
  }
}
