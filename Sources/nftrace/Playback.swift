import Kernel
import Report
import Trace
import Wire

/// Reads sessions and renders what is in them, as it was rendered live. Files are read in pieces
/// and exchanges are printed as they close, so that a file may be larger than memory.
struct Playback {
  private let paths: [String]
  private let filter: ExchangeFilter
  private let last: Int?
  private let options: SharedOptions

  private var telling: Telling = .nothing
  private var counts = EventCounts()
  private var header: SessionHeader?
  private var shown = 0
  /// The exchanges to print at the end, where only the last are wanted or all go into one object.
  private var kept: [Exchange] = []
  private var probes: [ProbeResult] = []
  private var text: ShowText

  /// How the section at hand is told.
  private enum Telling {
    case nothing
    case ping(PingStory, PingText)
    case traffic(Story)
  }

  init(paths: [String], filter: ExchangeFilter, last: Int?, options: SharedOptions) {
    self.paths = paths
    self.filter = filter
    self.last = last
    self.options = options
    text = ShowText(style: options.style)
  }

  /// Renders everything. Returns how many exchanges were shown.
  mutating func run() throws -> Int {
    for path in paths { try play(path) }
    try endSection()
    if options.json {
      printObject()
    } else {
      for exchange in kept { Output.print(text.lines(exchange).joined(separator: "\n")) }
      if shown == 0, !isPing { Output.complain("no packet matches") }
    }
    return shown
  }

  private var isPing: Bool { !probes.isEmpty || shown > 0 }

  private mutating func play(_ path: String) throws {
    let file = try InputFile(path)
    var decoder = SessionDecoder()
    do {
      while true {
        let bytes = try file.read()
        if bytes.isEmpty { break }
        decoder.feed(bytes)
        while let element = try decoder.next() { try take(element) }
      }
      try decoder.finish()
    } catch let damage as CaptureDamage {
      try handle(damage, path)
      return
    }
    if !decoder.holdsNetfilter {
      throw UsageError(
        "\(path) has no NFLOG packets: a session of nftrace, or 'tcpdump -i nflog:N -w', has them")
    }
  }

  /// Everything up to the damage is shown; that there is some is said.
  private mutating func handle(_ damage: CaptureDamage, _ path: String) throws {
    guard damage.kind != .notACapture else {
      throw UsageError("\(path) is neither a session of nftrace nor a capture file: \(damage.reason)")
    }
    try endSection()
    telling = .nothing
    Output.complain(
      "\(path) is \(damage.kind == .truncated ? "cut off" : "damaged") at byte \(damage.offset): "
        + "\(damage.reason); everything before that is shown")
  }

  private mutating func take(_ element: SessionDecoder.Element) throws {
    switch element {
    case .header(let header):
      try endSection()
      if let header, header.probe != nil, let story = PingStory(header: header) {
        telling = .ping(story, PingText(plan: header.probe!, style: options.style))
      } else {
        telling = .traffic(Story(header: header))
      }
      self.header = self.header ?? header
    case .record(let record):
      switch telling {
      case .nothing: break
      case .ping(var ping, let text):
        telling = .nothing  // The story has one owner: it is not copied.
        let results = ping.replay(record)
        telling = .ping(ping, text)
        for result in results { show(result) }
      case .traffic(var story):
        telling = .nothing
        story.take(record)
        let closed = story.closeIdle()
        telling = .traffic(story)
        for exchange in closed { show(exchange) }
      }
    }
  }

  private mutating func endSection() throws {
    switch telling {
    case .nothing: return
    case .ping(var ping, _):
      for result in ping.finishReplay() { show(result) }
      counts.add(ping.story.counts)
      if case .ping(_, let text) = telling, !options.json, last == nil {
        let lines = text.summary(ping.story.counts)
        if !lines.isEmpty { Output.print(lines.joined(separator: "\n")) }
      }
    case .traffic(var story):
      for exchange in story.finish() { show(exchange) }
      counts.add(story.counts)
    }
    telling = .nothing
  }

  private mutating func show(_ result: ProbeResult) {
    guard filter.matches(result.exchange) || result.exchange.journeys.isEmpty else { return }
    shown += 1
    if options.json { probes.append(result) }
    if options.json || last != nil {
      keep(result.exchange)
    } else if case .ping(let ping, var text) = telling {
      let lines = text.add(result)
      telling = .ping(ping, text)
      if !lines.isEmpty { Output.print(lines.joined(separator: "\n")) }
    }
  }

  private mutating func show(_ exchange: Exchange) {
    guard filter.matches(exchange) else { return }
    shown += 1
    if options.json || last != nil {
      keep(exchange)
    } else {
      Output.print(text.lines(exchange).joined(separator: "\n"))
    }
  }

  private mutating func keep(_ exchange: Exchange) {
    kept.append(exchange)
    if let last, kept.count > last {
      kept.removeFirst()
      shown -= 1
    }
  }

  private func printObject() {
    Output.print(
      JSONReport.run(
        header: header, command: "show", session: paths.last, probes: probes.isEmpty ? nil : probes,
        journeys: kept.flatMap(\.journeys), findings: [], counts: counts
      ).pretty)
  }
}

/// Writes the NFLOG messages of sessions alone, as classic pcap.
enum SessionExport {
  static func run(_ paths: [String], to path: String) throws {
    let output = try OutputFile(path, followLinks: true)
    var buffer = PcapFile.header(linkType: .nflog)
    for path in paths {
      let file = try InputFile(path)
      var decoder = SessionDecoder()
      while true {
        let bytes = try file.read()
        if bytes.isEmpty { break }
        decoder.feed(bytes)
        while let element = try decoder.next() {
          guard case .record(let record) = element, case .log(let payload) = record.content else {
            continue
          }
          buffer += PcapFile.record(CapturedPacket(interface: 0, time: record.time, data: payload))
          if buffer.count > 1 << 18 {
            try output.write(buffer)
            buffer.removeAll(keepingCapacity: true)
          }
        }
      }
    }
    try output.write(buffer)
  }
}
