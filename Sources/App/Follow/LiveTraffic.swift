internal import Kernel
package import Trace
internal import Wire

/// What rules of nftrace report to a log group, as it comes, with what the kernel answers to the
/// questions that follow from it.
package final class LiveTraffic: FollowedTraffic {
  private let events: any EventSource
  private let interfaces: any InterfaceChanges
  private let oracle: any Oracle
  /// Lists anew what there is.
  private let listing: () throws -> [Record]
  private let whenOver: () -> Void
  private var deciders = DecidingRules()
  /// What comes first: what is known when it begins.
  private var opening: [SessionDecoder.Element]

  /// What `events` has, behind `header` and what was listed when it began. `listing` lists anew; `whenOver` is called when
  /// no more is to come.
  package init(
    _ header: SessionHeader, listed: [Record], events: any EventSource,
    interfaces: any InterfaceChanges, oracle: any Oracle, listing: @escaping () throws -> [Record],
    whenOver: @escaping () -> Void = {}
  ) {
    opening = [.header(header)] + listed.map { .record($0) }
    self.events = events
    self.interfaces = interfaces
    self.oracle = oracle
    self.listing = listing
    self.whenOver = whenOver
  }

  /// For poll(2).
  package var fileDescriptor: Int32? { events.fileDescriptor }

  /// Hands on what is new, or a part of it; returns whether that was all.
  package func read(_ body: (SessionDecoder.Element) throws -> Void) throws -> Bool {
    try read(atMost: 4096, body)
  }

  /// No more is to come: what is there already can still be read.
  package func stopListening() {
    events.stopListening()
    whenOver()
  }

  /// Leaves out what is waiting; returns how many messages that was.
  package func skip() -> Int { events.skip() }

  /// Hands on what is new, the messages of so many datagrams at most; returns whether that was all.
  package func read(
    atMost limit: Int, _ body: (SessionDecoder.Element) throws -> Void
  ) throws -> Bool {
    for element in opening { try body(element) }
    opening = []
    var changes = interfaces.changes()
    if !changes.areAll {
      changes.made = try listing()
      changes.removed = []
    }
    for record in changes.made { try body(.record(record)) }
    let isAll = try readPackets(atMost: limit, body)
    for record in changes.removed { try body(.record(record)) }
    return isAll
  }

  private func readPackets(
    atMost limit: Int, _ body: (SessionDecoder.Element) throws -> Void
  ) throws -> Bool {
    for _ in 1...Self.rounds {
      var records: [Record] = []
      let isRead = try events.drain(atMost: limit) { records.append($0) }
      for record in records {
        if case .netlink(let message) = record.content { deciders.take(message) }
        try body(.record(record))
      }
      // What was read of rules is handed on once all is, that was told by then.
      if isRead {
        for record in deciders.takeHeld() { try body(.record(record)) }
      }
      let steps = deciders.takeUnread()
      if steps.isEmpty { return isRead }
      deciders.hold(oracle.answer(steps.map { .rule($0) }))
      oracle.awaitNotifications()
    }
    return false
  }

  /// The user is not to wait for rules for long.
  private static let rounds = 4
}
