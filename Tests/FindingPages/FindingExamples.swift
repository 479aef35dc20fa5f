import Fixtures
import Trace

/// A finding of each kind, from the recorded sessions.
enum FindingExamples {
  /// The first of each id, by the names of the sessions: those that are certain before others.
  static func collect() throws -> [FindingID: Finding] {
    var found: [FindingID: Finding] = [:]
    for name in Fixtures.sessions {
      for finding in try ReplayedSession(name).findings {
        let known = found[finding.id]
        if known == nil || known!.confidence != .certain && finding.confidence == .certain {
          found[finding.id] = finding
        }
      }
    }
    return found
  }
}
