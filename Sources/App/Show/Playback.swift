internal import Kernel
package import Report
internal import Trace
internal import Wire

/// Reads session files in pieces, so that they may be larger than memory.
package enum Playback {
  /// Renders sessions, as `output` takes it: each is in several files, one after the other. Of more
  /// than one session, the records are taken in the order of their times. What is `opened` with is done once all is
  /// open, and rights are given up. Returns how many exchanges matched.
  package static func run(
    _ sessions: [[String]], _ report: consuming SessionReport, _ host: any ShowHost,
    opened: () -> Void = {}, output: (String) throws -> Void
  ) throws -> Int {
    var report = report
    var progress = ReadingProgress(sessions.flatMap { $0 }, host)
    func put(_ lines: [String]) throws {
      guard !lines.isEmpty else { return }
      progress.end()
      try TextPieces.put(lines, output)
    }
    let writers = (try? RecordingFiles.writers()) ?? []
    let isGrowing = sessions.map { files in writers.contains { $0.session == files.last } }
    let now = host.realtime
    let readers = try sessions.map { try SessionReader($0, beside: sessions.count) }
    try host.rights.keep([])
    opened()
    try report.play(
      readers.count,
      next: {
        progress.look(at: readers.reduce(0) { $0 + $1.octets })
        return try readers[$0].next()
      }, passOver: { try readers[$0].next(passing: &$1) }, isCut: { readers[$0].takeCut() },
      isGrowing: { isGrowing[$0] }, now: now, put: put)
    progress.end()
    return report.matches
  }

  /// Writes the NFLOG messages of these files alone, as classic pcap.
  package static func export(
    _ paths: [String], to path: String, _ host: any ShowHost
  ) throws {
    let reader = try SessionReader(paths)
    let output = try OutputFile(path)
    do {
      try host.rights.keep([])
      try export(reader, to: output)
    } catch {
      output.abandon()
      throw error
    }
  }

  private static func export(_ reader: SessionReader, to output: borrowing OutputFile) throws {
    var buffer = PcapFile.header(linkType: .nflog)
    while let element = try reader.next() {
      guard case .record(let record) = element, case .log(let payload) = record.content else {
        continue
      }
      buffer += PcapFile.record(CapturedPacket(interface: 0, time: record.time, data: payload))
      if buffer.count > 1 << 18 {
        try output.write(buffer)
        buffer.removeAll(keepingCapacity: true)
      }
    }
    try output.write(buffer)
  }
}
