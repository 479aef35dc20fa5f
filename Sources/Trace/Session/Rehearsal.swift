/// That a session is of a copy of a network namespace, in which something was tried.
package struct Rehearsal: Sendable, Equatable {
  /// The commands that were run there before, as a shell reads them.
  package var commands: [String]
  /// What is not in the copy as it is in the original, as parts of sentences.
  package var differences: [String]
  /// Interfaces that are Ethernet there, in the place of others without link-layer addresses.
  package var standIns: [String]

  /// One of these commands, differences and stand-ins.
  package init(commands: [String] = [], differences: [String] = [], standIns: [String] = []) {
    self.commands = commands
    self.differences = differences
    self.standIns = standIns
  }
}

extension Rehearsal: JSONObject {
  static var blank: Rehearsal { Rehearsal() }

  mutating func members(_ json: inout JSONMembers) {
    json.member("commands", &commands)
    json.member("differences", &differences)
    var others = standIns.isEmpty ? nil : Optional(standIns)
    json.member("standIns", &others)
    standIns = others ?? []
  }
}
