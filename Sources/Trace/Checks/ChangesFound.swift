/// What a search of its own found for a probe that nothing is known to help: changes with which it gets through in a copy of the
/// network namespace.
package struct ChangesFound: Sendable, Equatable {
  /// The changes, all of which it takes; empty where none were found.
  package var changes: [Change] = []
  /// Packets like the probe that get through with them as well and did not before, as questions of tests; nil where that was
  /// not asked.
  package var opened: [String]?
  /// How many changes were tried.
  package var tried: Int
  /// Seconds after which the search was ended; nil where it came to its end.
  package var seconds: Double?

  /// One change.
  package struct Change: Sendable, Equatable {
    /// The command.
    package var command: String
    /// What it is about, in words.
    package var about: String?

    /// A change of these fields.
    package init(command: String, about: String? = nil) {
      self.command = command
      self.about = about
    }
  }

  /// A search that came to this.
  package init(
    changes: [Change] = [], opened: [String]? = nil, tried: Int, seconds: Double? = nil
  ) {
    self.changes = changes
    self.opened = opened
    self.tried = tried
    self.seconds = seconds
  }

  /// What was found as JSON text.
  package var json: String { asJSON.line }

  /// What was found, in JSON text; nil when it is none.
  package init?(json: String) { self.init(text: json) }
}

extension ChangesFound: JSONObject {
  static var blank: ChangesFound { ChangesFound(tried: 0) }

  mutating func members(_ json: inout JSONMembers) {
    json.member("changes", &changes)
    json.member("opened", &opened)
    json.member("seconds", &seconds)
    json.member("tried", &tried)
    // Whoever wrote the session: what is printed to be pasted is a command of the kind that nftrace makes.
    if !changes.allSatisfy({ RemedyTrial.isConfined($0.command) }) { changes = [] }
  }
}

extension ChangesFound.Change: JSONObject {
  static var blank: ChangesFound.Change { ChangesFound.Change(command: "") }

  mutating func members(_ json: inout JSONMembers) {
    json.member("about", &about)
    json.member("command", &command)
  }
}
