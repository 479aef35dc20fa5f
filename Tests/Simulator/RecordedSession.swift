internal import Fixtures
internal import Foundation
internal import Report
package import Trace
internal import Wire

/// A session of fixtures/, taken apart into what a kernel would have said and when.
package struct RecordedSession {
  /// What it begins with.
  package let header: SessionHeader
  /// All of it.
  package let records: [Record]

  /// The session of this name.
  package init(_ name: String) throws {
    var decoder = SessionDecoder()
    decoder.feed(try Fixtures.octets(name))
    var header: SessionHeader?
    var records: [Record] = []
    while let element = try decoder.next() {
      switch element {
      case .header(let one): header = header ?? one
      case .record(let record): records.append(record)
      }
    }
    guard let header else { throw CocoaError(.fileReadCorruptFile) }
    self.header = header
    self.records = records
  }

  /// What it is told as.
  package static func told(_ name: String) throws -> String {
    let session = try RecordedSession(name)
    return Self.told([.header(session.header)] + session.records.map { .record($0) })
  }

  /// What a file of these is told as.
  static func told(_ elements: [SessionDecoder.Element]) -> String {
    var report = SessionReport(
      filter: ExchangeFilter(), style: TextStyle(unicode: true), format: .text, session: "session")
    var lines = elements.flatMap { report.take($0) }
    lines += report.finish()
    return lines.joined(separator: "\n") + "\n"
  }

  /// The sessions of pings.
  package static let pings = Fixtures.sessions.filter {
    guard let header = (try? RecordedSession($0))?.header else { return false }
    // The simulator is one network namespace.
    return header.probe != nil && header.others.isEmpty
  }

  /// Where the first probe is sent.
  package var firstSent: Int { records.firstIndex { $0.isSent } ?? records.count }

  /// Whether the kernel was asked which chains there are.
  package var listsChains: Bool {
    opening.contains {
      if case .netlink(let message) = $0.content {
        message.type == ChainMessage.getType
      } else {
        false
      }
    }
  }

  /// What the kernel listed before.
  package var opening: ArraySlice<Record> { records[..<firstSent] }
}

extension Record {
  /// Whether it is a packet being sent.
  package var isSent: Bool { if case .sent = content { true } else { false } }

  /// Where it comes from.
  package enum Origin: Sendable, Equatable {
    /// What rules, conntrack and nf_tables tell by themselves.
    case event
    /// Out of the TUN device.
    case packet
    /// Why the kernel dropped something.
    case drop
    /// An answer to a question.
    case answer(Answer)
    /// That it could not be sent.
    case refusal(Int32)
    case sent
  }

  /// What a question is about.
  package enum Answer: Sendable, Hashable {
    case lookup, neighbours, routes, policy, sysctls, counters, rule, host
  }

  /// Where it comes from in a session of a ping.
  package var origin: Origin {
    switch content {
    case .log, .line, .lost: return .event
    case .sent: return .sent
    case .received: return .packet
    case .note(.notSent(_, let errno)): return .refusal(errno)
    case .note(.sysctls), .note(.facts): return .answer(.sysctls)
    case .note(.counters): return .answer(.counters)
    case .note(.host): return .answer(.host)
    case .note(.clockSet): return .event
    case .note: return .answer(.rule)
    case .netlink(let message):
      if message.type == DropEvent.messageType { return .drop }
      if message.type == NFTRuleMessage.newType, message.isPartOfDump || message.sequence != 0 {
        return .answer(.rule)
      }
      if message.type >= 0x100 { return .event }
      let isList = message.isDumpRequest || message.isPartOfDump
      switch message.type {
      case RouteMessageType.getRule, 32: return .answer(.policy)
      case RouteMessageType.getRoute, 24: return .answer(isList ? .routes : .lookup)
      case NetlinkMessage.errorType: return .answer(.lookup)
      default: return .answer(.neighbours)
      }
    }
  }
}
