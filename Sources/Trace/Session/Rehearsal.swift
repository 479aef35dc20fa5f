/// That a session is of a copy of a network namespace, in which something was tried.
package struct Rehearsal: Sendable, Equatable {
  /// The commands that were run there before, as a shell reads them.
  package var commands: [String]
  /// What is not in the copy as it is in the original, as parts of sentences.
  package var differences: [String]

  /// One of these commands and differences.
  package init(commands: [String] = [], differences: [String] = []) {
    self.commands = commands
    self.differences = differences
  }
}

extension Rehearsal: JSONObject {
  static var blank: Rehearsal { Rehearsal() }

  mutating func members(_ json: inout JSONMembers) {
    json.member("commands", &commands)
    json.member("differences", &differences)
  }
}
