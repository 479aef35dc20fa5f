public import Trace
internal import Wire

/// Renders traffic while it is recorded: exchanges as they close, as text or as one JSON object a
/// packet and line. A pure function of what comes in and of the times that are told.
public struct FollowReport: Sendable {
  private let filter: ExchangeFilter
  private let style: TextStyle
  private let json: Bool
  /// Exchanges that are told in full in a second; nil is all.
  private let rate: Int?
  /// Records before this time, nanoseconds since the epoch, tell of the surroundings alone.
  private let since: UInt64

  private var story: Story?
  private var text: ShowText
  private var summary = FollowSummary()
  /// Numbers of packets in the parts of the session before this one.
  private var earlier = 0
  private var newest = 0
  private var folded = FoldedFlows()
  private var told = 0
  /// Connections of which something was told: where only what passed a device is, answers did not.
  private var connections: Set<UInt32> = []
  /// When the second began in which `told` are told, nanoseconds of any clock.
  private var second: UInt64 = 0

  /// A report. `rate` is how many exchanges a second are told in full at most; the others are told
  /// by flow.
  public init(
    filter: ExchangeFilter, style: TextStyle, json: Bool = false, rate: Int? = nil,
    since: UInt64 = 0
  ) {
    self.filter = filter
    self.style = style
    self.json = json
    self.rate = rate
    self.since = since
    text = ShowText(style: style)
  }

  /// Takes in the next element; returns the lines to print now.
  public mutating func take(_ element: SessionDecoder.Element) -> [String] {
    switch element {
    case .header(var header):
      header?.dropped = nil
      // The file was full and another one goes on: so do the packets on their way.
      if let header, header == story?.header { return [] }
      let lines = endPart()
      earlier += newest
      newest = 0
      story = Story(header: header, after: story)
      return lines
    case .record(let record):
      if record.time < since, !record.tellsOfSurroundings { return [] }
      story?.take(record)
      return tell(story?.closeIdle() ?? [])
    }
  }

  /// Takes in that all there is was read at this time, nanoseconds since the epoch. It is to be
  /// told a few times a second.
  public mutating func pass(to now: UInt64) -> [String] {
    // What the recorder has not written yet may be older than this moment.
    story?.pass(to: now - min(now, Self.latency))
    return tell(story?.closeIdle() ?? []) + nextSecond(now)
  }

  /// Tells what is still open, and sums up.
  public mutating func finish() -> (lines: [String], summary: [String]) {
    let lines = endPart() + folded.lines(style)
    return (lines, summary.lines)
  }

  /// Exchanges a second that somebody can read on a terminal.
  public static let terminalRate = 20

  /// Nanoseconds that a recorder may keep records before it writes them, and some.
  private static let latency: UInt64 = 500_000_000

  private static let mostConnections = 65536

  private mutating func endPart() -> [String] {
    let lines = tell(story?.finish() ?? [])
    if let story { summary.counts.add(story.counts) }
    return lines
  }

  private mutating func tell(_ exchanges: [Exchange]) -> [String] {
    var lines: [String] = []
    for var exchange in exchanges {
      for index in exchange.journeys.indices {
        newest = max(newest, exchange.journeys[index].id)
        exchange.journeys[index].id += earlier
      }
      guard isWanted(exchange) else { continue }
      summary.add(exchange)
      if json {
        let report = JSONReport(allRules: style.allRules)
        lines += exchange.journeys.map { report.journey($0).line }
      } else if let rate, told >= rate {
        folded.add(exchange)
      } else {
        // A packet and its answer are one; what goes on for long is as many as it is long.
        told += max(exchange.journeys.count / 2, 1)
        lines += text.lines(exchange)
      }
    }
    return lines
  }

  private mutating func isWanted(_ exchange: Exchange) -> Bool {
    let known = exchange.journeys.compactMap(\.connection?.id)
    guard filter.matches(exchange) || known.contains(where: connections.contains) else {
      return false
    }
    if filter.isOfDevice {
      if connections.count > Self.mostConnections { connections = [] }
      connections.formUnion(known)
    }
    return true
  }

  private mutating func nextSecond(_ now: UInt64) -> [String] {
    guard now >= second + 1_000_000_000 || now < second else { return [] }
    second = now
    told = 0
    defer { folded = FoldedFlows() }
    return folded.lines(style)
  }
}

extension Record {
  /// Whether it says something of the namespace rather than of a packet.
  var tellsOfSurroundings: Bool {
    switch content {
    case .netlink(let message):
      message.type != TraceMessage.type && message.type != DropEvent.messageType
    case .note: true
    case .log, .lost, .sent, .received: false
    }
  }
}
