internal import Wire

/// How far a recorder has come.
package struct RecordedEvents: Sendable, Equatable {
  /// When it began, nanoseconds since the epoch: what tells recorders apart.
  package var since: UInt64
  /// Log, trace and conntrack messages that it wrote, in whatever file they were.
  package var messages: Int
  /// Messages that the kernel had no room for.
  package var lost: Int

  /// A recorder that began at this time and came so far.
  package init(since: UInt64, messages: Int = 0, lost: Int = 0) {
    self.since = since
    self.messages = messages
    self.lost = lost
  }

  /// Takes in a record that was written, or read.
  package mutating func take(_ record: Record) {
    switch record.content {
    case .log: messages = messages.adding(clamped: 1)
    case .netlink(let message)
    where message.type == TraceMessage.type || ConntrackMessage.isOne(message.type):
      messages = messages.adding(clamped: 1)
    case .lost(let count): lost = lost.adding(clamped: count ?? 1)
    default: break
    }
  }

  /// Messages that are missing from here to `later`: what was not recorded, and what is not read.
  package func missing(until later: RecordedEvents) -> Int {
    guard since == later.since else { return 0 }
    return max(later.messages.subtracting(clamped: messages), 0)
      .adding(clamped: max(later.lost.subtracting(clamped: lost), 0))
  }
}

extension RecordedEvents: JSONObject {
  static var blank: RecordedEvents {
    RecordedEvents(since: 0)
  }

  mutating func members(_ json: inout JSONMembers) {
    json.member("lost", &lost)
    json.member("messages", &messages)
    json.member("since", &since)
  }
}
