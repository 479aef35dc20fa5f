internal import Glibc
internal import Kernel
internal import Report
internal import Trace
internal import Wire

/// Sessions that somebody named to be told as one.
struct SeveralSessions {
  /// The files of each, the older first.
  private let sessions: [[String]]
  /// How they go together.
  let joined: JoinedSessions
  /// What is to be said of them before.
  private(set) var remarks: [String] = []

  /// All files.
  var paths: [String] { sessions.flatMap { $0 } }

  /// Those that were named, if that is more than one session; nil otherwise. Reads all that is in them, for how they go
  /// together.
  init?(_ names: [String], _ host: any ShowHost) throws {
    var sessions: [[String]] = []
    for name in names {
      guard let found = try Self.sessions(in: name) else {
        sessions.append(ShownFiles(named: name, host).files)
        continue
      }
      // One that is damaged does not keep the others from being told.
      for files in found {
        do {
          _ = try Self.header(of: files)
          sessions.append(files)
        } catch {
          remarks.append(
            "\(Self.name(files)) is left out: \((error as? UsageError)?.message ?? "\(error)")")
        }
      }
    }
    guard sessions.count > 1 else {
      guard let name = names.first, names.count == 1, FileIdentity.isDirectory(name) else {
        return nil
      }
      guard sessions.isEmpty else { return nil }
      throw UsageError("there is no session in \(name): they are called NAME.pcapng")
    }
    if sessions.joined().contains("-") {
      throw UsageError("standard input is one session: write it to a file to show it with others")
    }
    var headers: [SessionHeader?] = []
    var kept: [[String]] = []
    for files in sessions {
      let header = try Self.header(of: files)
      if let header, let twin = headers.firstIndex(of: header) {
        remarks.append(
          "\(files.last ?? "") is the same session as \(kept[twin].last ?? ""): it is told once")
        // One may have been copied while it was still written.
        if Self.octets(files) > Self.octets(kept[twin]) { kept[twin] = files }
        continue
      }
      headers.append(header)
      kept.append(files)
    }
    if headers.count(where: { $0?.probe != nil }) > 1,
      let several = headers.firstIndex(where: { $0?.others.isEmpty == false })
    {
      throw UsageError(
        "\(kept[several].last ?? "") tells of several places itself: of pings, show it alone")
    }
    let ping = headers.firstIndex { $0?.probe != nil }
    if let ping, let header = headers[ping], headers.count(where: { $0?.probe != nil }) == 1 {
      // The ping has told of it itself.
      for index in headers.indices.reversed()
      where index != ping && headers[index]?.isPlace(of: header) == true {
        remarks.append(
          "\(Self.name(kept[index])) was recorded where the probe was sent, of which the ping tells: it is left out"
        )
        headers.remove(at: index)
        kept.remove(at: index)
      }
    }
    var survey = try Self.survey(kept)
    let twins = Self.twins(headers, survey.spans)
    for (index, other) in twins.sorted(by: { $0.key > $1.key }) {
      remarks.append(
        "\(Self.name(kept[index])) was recorded where \(Self.name(kept[other])) was, at the same time: it is left out"
      )
      headers.remove(at: index)
      kept.remove(at: index)
    }
    if !twins.isEmpty { survey = try Self.survey(kept) }
    self.sessions = kept
    joined = JoinedSessions(
      zip(headers, kept).map { JoinedSessions.Source(header: $0, name: Self.name($1)) }, survey)
    for stranger in joined.strangers where kept.count > 1 {
      remarks.append(
        "\(Self.name(kept[stranger])) has no packet in common with the others"
          + (survey.share == 1 ? ": " : ", of one in \(survey.share) that were looked at: ")
          + (joined.ping == nil
            ? "it is told beside them, by its own clock"
            : "it is left out, for it does not belong to them"))
    }
  }

  /// One of several sessions that are looked through beside each other.
  private struct Surveyed {
    let number: Int
    let files: [String]
    var survey: ClockSurvey
    var failure: (any Error)?

    mutating func look() {
      do {
        let reader = try SessionReader(files, complaints: .ignored, packetsAlone: true)
        while let element = try reader.next(passing: {
          survey.pass($0, in: $1, as: $2, from: number)
        }) {
          if case .record(let record) = element { survey.take(record, from: number) }
        }
      } catch {
        failure = error
      }
    }
  }

  /// Sessions that are looked through beside each other. How many that are does not depend on the processors, for which
  /// packets are looked at depends on what those before had.
  private static let mostBeside = 8

  /// Looks for packets that several sessions have.
  private static func survey(_ sessions: [[String]]) throws -> ClockSurvey {
    var survey = ClockSurvey(sessions: sessions.count)
    var done = 0
    while done < sessions.count {
      let beside = survey.beside
      // With the first ones it comes out how many packets there are.
      let some = min(max(done, 2), mostBeside, sessions.count - done)
      let parts = ParallelParts(some) {
        Surveyed(number: done + $0, files: sessions[done + $0], survey: beside)
      }
      parts.each { $1.look() }
      for place in 0..<some {
        try parts.with(place) {
          if let failure = $0.failure { throw failure }
          survey.add($0.survey)
        }
      }
      done += some
    }
    return survey
  }

  /// Recordings of one place that were made at the same time have the same packets: those to leave out, with the one that
  /// is told for each, which goes on for longer.
  private static func twins(
    _ headers: [SessionHeader?], _ spans: [ClosedRange<UInt64>?]
  ) -> [Int: Int] {
    func length(_ index: Int) -> UInt64 { spans[index].map { $0.upperBound - $0.lowerBound } ?? 0 }
    var left: [Int: Int] = [:]
    for index in headers.indices {
      let other = headers.indices.first { other in
        guard other != index, let header = headers[index], let twin = headers[other],
          header.probe == nil, twin.probe == nil, header.isPlace(of: twin),
          header.targets == twin.targets,
          let span = spans[index], let its = spans[other], span.overlaps(its)
        else { return false }
        return (length(other), index) > (length(index), other)
      }
      if let other { left[index] = other }
    }
    return left
  }

  /// Octets of files.
  private static func octets(_ files: [String]) -> UInt64 {
    files.reduce(0) { $0 + (FileIdentity($1).map { UInt64($0.size) } ?? 0) }
  }

  /// The sessions in a directory; nil where it is none.
  private static func sessions(in path: String) throws -> [[String]]? {
    guard path != "-", FileIdentity.isDirectory(path) else { return nil }
    let names = OutputFile.names(in: path).filter { $0.hasSuffix(".pcapng") }.sorted()
    return names.map { StateDirectory.files(ofRecording: "\(path)/\($0)") }
  }

  private static func header(of files: [String]) throws -> SessionHeader? {
    let reader = try SessionReader(files, complaints: .ignored)
    guard case .header(let header)? = try reader.next() else { return nil }
    return header
  }

  /// "r1" of "/tmp/r1.pcapng".
  private static func name(_ files: [String]) -> String {
    let file = files.last?.split(separator: "/").last ?? ""
    return String(file.hasSuffix(".pcapng") ? file.dropLast(7) : file)
  }

  /// Renders them. What is `opened` with is done once all is open, and rights are given up. Returns how many exchanges matched.
  func play(
    _ report: consuming SessionReport, _ host: any ShowHost, opened: () -> Void = {},
    output: (String) throws -> Void
  ) throws -> Int {
    var report = report
    var progress = ReadingProgress(paths, host)
    func put(_ lines: [String]) throws {
      guard !lines.isEmpty else { return }
      progress.end()
      try TextPieces.put(lines, output)
    }
    if let beside = JoinedReport(report) {
      let matches = try play(
        beside, host, opened: opened, looking: { progress.look(atOnce: $0) }, put: put)
      progress.end()
      return matches
    }
    let readers = try sessions.map { try SessionReader($0, beside: sessions.count) }
    try host.rights.keep([])
    opened()
    var waiting: [[SessionDecoder.Element]] = readers.map { _ in [] }
    for element in joined.opening { try put(report.take(element)) }
    try report.play(
      readers.count,
      next: { source in
        while waiting[source].isEmpty {
          progress.look(at: readers.reduce(0) { $0 + $1.octets })
          guard let element = try readers[source].next() else { return nil }
          waiting[source] = joined.elements(element, of: source)
        }
        return waiting[source].removeFirst()
      }, isCut: { readers[$0].takeCut() }, lead: joined.lead, put: put)
    progress.end()
    return report.matches
  }

  /// A session that is read beside the others.
  private struct Beside {
    let reader: SessionReader
    var strand: RecordingStrand
    /// Goes before what is read next.
    var waiting: [SessionDecoder.Element] = []
    var outcome = RecordingStrand.Outcome()

    mutating func step(_ look: RecordingStrand.Look?, room: Int, _ joined: JoinedSessions) {
      let (reader, source) = (reader, strand.source)
      var waiting = waiting
      outcome = strand.step(look, room: room) {
        if let element = waiting.popLast() { return ([], element) }
        while let element = try reader.next() {
          if case .record(let record) = element {
            guard let record = joined.record(record, of: source) else { continue }
            return (reader.takeComplaints(), .record(record))
          }
          waiting = joined.elements(element, of: source).reversed()
          if let first = waiting.popLast() { return (reader.takeComplaints(), first) }
        }
        return (reader.takeComplaints(), nil)
      }
      self.waiting = waiting
    }
  }

  /// The same of what was recorded in several places: each session is read by a thread of its own, as far as there are
  /// processors.
  private func play(
    _ report: consuming JoinedReport, _ host: any ShowHost, opened: () -> Void,
    looking look: (Int) -> Void, put: ([String]) throws -> Void
  ) throws -> Int {
    var report = report
    let strands = report.strands
    let parts = try ParallelParts(sessions.count) {
      Beside(
        reader: try SessionReader(sessions[$0], complaints: .kept, beside: sessions.count),
        strand: strands[$0])
    }
    try host.rights.keep([])
    opened()
    func tell() throws { try report.tell(put) { Output.complain(StyledLine($0)) } }
    var next: RecordingStrand.Look?
    while !report.isOver {
      let (now, rooms, joined) = (next, report.rooms, joined)
      try parts.each(beside: tell) { $1.step(now, room: rooms[$0], joined) }
      var octets = 0
      for number in 0..<parts.count {
        parts.with(number) {
          report.take($0.outcome, of: number)
          $0.outcome = RecordingStrand.Outcome()
          octets += $0.reader.octets
        }
      }
      look(octets)
      next = report.settle()
    }
    try tell()
    try report.finish(put)
    return report.matches
  }
}
