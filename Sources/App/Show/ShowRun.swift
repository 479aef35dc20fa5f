internal import Kernel
internal import Report
internal import Trace

/// Shows what was recorded, what the kernel log has, or what comes. Each returns the exit code.
package struct ShowRun {
  private let request: ShowRequest
  private let host: any ShowHost

  /// Shows this, of what there is here.
  package init(_ request: ShowRequest, _ host: any ShowHost) {
    self.request = request
    self.host = host
  }

  /// Shows what was recorded in these namespaces, or in the file that was named.
  package func show(_ spaces: [ChosenNamespace]) throws -> Int32 {
    let several = try SeveralSessions(request.named, host)
    if let several { return try show(several) }
    let shown = try spaces.map { space in
      try space.within(among: spaces) {
        try request.file.map { ShownFiles(named: $0, host) }
          ?? ShownFiles(orPing: spaces.count == 1, host)
      }
    }
    let recordings = shown.map(\.files)
    let paths = recordings.flatMap { $0 }
    for target in [request.export, request.html, request.svg].compactMap(\.self) {
      try Self.refuseOverwriting(paths, by: target)
    }
    if let export = request.export {
      try Playback.export(paths, to: export, host)
      return 0
    }
    var remarks = remarks(shown, spaces)
    let session = spaces.count == 1 ? paths.last : nil
    let matches = try withReports(of: session, spaces.paths) { report, output in
      try Playback.run(recordings, report, host, opened: { Self.tell(&remarks) }, output: output)
    }
    if matches == 0 { Output.complain("no packet matches") }
    return matches > 0 ? 0 : 1
  }

  /// What these files are, of each namespace.
  private func remarks(_ shown: [ShownFiles], _ spaces: [ChosenNamespace]) -> [String] {
    // JSON and pages have where a file is from.
    let tellsItself = request.options.json || !request.pages.isEmpty
    if request.options.isQuiet || request.file != nil && tellsItself { return [] }
    return zip(spaces, shown.map(\.words)).compactMap { space, words in
      let place = spaces.count > 1 ? "\(space.name ?? ""): " : ""
      return words.map { "\(place)this is \($0)" }
    }
  }

  /// Tells remarks, once.
  private static func tell(_ remarks: inout [String]) {
    for words in remarks { Output.complain(StyledLine(words)) }
    remarks = []
  }

  /// Shows what the rules of the setup in this namespace wrote into the kernel log, or the lines of such
  /// rules in the file that was named.
  package func showKernelLog(_ space: ChosenNamespace) throws -> Int32 {
    let file = request.file
    for page in request.pages { try file.map { try Self.refuseOverwriting([$0], by: page.path) } }
    let matches = try space.within {
      let setup =
        file == nil ? try KernelLogPlayback.setup(SetupFiles(namespace: host.place())) : nil
      return try withReports(of: file ?? KernelLog.path) { report, output in
        try setup.map { try KernelLogPlayback.run($0, report, host, output: output) }
          ?? KernelLogPlayback.run(file: file ?? "-", report, host, output: output)
      }
    }
    return matches > 0 ? 0 : 1
  }

  /// Shows sessions of several machines as one.
  private func show(_ several: SeveralSessions) throws -> Int32 {
    if request.export != nil {
      throw UsageError("--export writes what is in one session: name one")
    }
    for page in request.pages { try Self.refuseOverwriting(several.paths, by: page.path) }
    var remarks = several.remarks
    let matches = try withReports(of: nil, several.joined.ping == nil ? several.joined.sites : []) {
      report, output in
      var report = report
      report.clocks = several.joined.clocks
      return try several.play(report, host, opened: { Self.tell(&remarks) }, output: output)
    }
    if matches == 0 { Output.complain("no packet matches") }
    return matches > 0 ? 0 : 1
  }

  /// Hands a report, and what takes its text, to `body`: one after the other where several are wanted.
  private func withReports(
    of session: String?, _ namespaces: [Site] = [],
    _ body: (consuming SessionReport, (String) throws -> Void) throws -> Int
  ) throws -> Int {
    let pages: [ShowRequest.Page?] = request.pages.isEmpty ? [nil] : request.pages
    return try pages.enumerated().map { number, page in
      try withReport(
        of: session, namespaces, on: page, export: number == 0 ? request.otlp : nil, body)
    }.max() ?? 0
  }

  private func withReport(
    of session: String?, _ namespaces: [Site], on wanted: ShowRequest.Page?,
    export: OTLPExport?,
    _ body: (consuming SessionReport, (String) throws -> Void) throws -> Int
  ) throws -> Int {
    var report = SessionReport(
      filter: request.filter, style: request.options.style,
      format: wanted?.format ?? format,
      last: request.last, session: session, namespaces: namespaces)
    if let export {
      report.listener = {
        export.take($0)
        export.makeRoom()
      }
    }
    guard let wanted else { return try body(report) { try Output.show($0) } }
    let page = try OutputFile(wanted.path)
    do {
      return try body(report) { try page.write(Array($0.utf8)) }
    } catch {
      page.abandon()
      throw error
    }
  }

  private var format: ReportFormat {
    if request.flows { return request.options.json ? .jsonFlows : .flows }
    if request.options.json { return .json }
    return isOverview ? .overview : .text
  }

  /// Whether nothing in particular is asked for: of much traffic, flows and kinds of losses are told. A pipe gets what a
  /// terminal does.
  private var isOverview: Bool {
    let style = request.options.style
    return request.last == nil && request.filter.packet == nil
      && style.verbosity == .normal && !style.allRules
  }

  /// Opening what is read to be written would empty it.
  private static func refuseOverwriting(_ paths: [String], by target: String) throws {
    let isInput = paths.contains { path in
      guard let input = FileIdentity(path), let output = FileIdentity(target) else { return false }
      return input.isSame(as: output)
    }
    if isInput { throw UsageError("\(target) is what is read: write to another file") }
  }

  // MARK: What comes

  /// Shows what the setups of these namespaces report from now on, or all that comes into the file that
  /// was named.
  package func follow(_ spaces: [ChosenNamespace]) throws -> Int32 {
    if spaces.count == 1 { try spaces[0].enter() }
    return try follow(
      spaces.paths, since: request.filter.since ?? (request.file == nil ? host.realtime : 0)
    ) {
      try spaces.map { space in
        try space.within(among: spaces) {
          try request.file.map { try FollowedSource(file: $0) }
            ?? FollowedSource(setupIn: space, host)
        }
      }
    }
  }

  /// Shows what the rules of the setup in this namespace write into the kernel log from now on.
  package func followKernelLog(_ space: ChosenNamespace) throws -> Int32 {
    try follow(since: 0) { [try space.within { try FollowedSource(kernelLogOf: space, host) }] }
  }

  private func follow(
    _ namespaces: [Site] = [], since: UInt64, _ open: () throws -> [FollowedSource]
  ) throws -> Int32 {
    let isVerbose = request.options.style.verbosity == .verbose || request.options.style.allRules
    let rate = isVerbose ? FollowReport.terminalRate : FollowReport.terminalLines
    let report = FollowReport(
      filter: request.filter, style: request.options.style,
      format: request.options.json ? .jsonLines : isVerbose ? .text : .lines,
      rate: host.isInteractive ? rate : nil, since: since,
      namespaces: namespaces, pace: .live)
    var follow = Follow(
      report, names: namespaces.map(\.name), isQuiet: request.options.isQuiet,
      export: request.otlp)
    let signal = try follow.run(host.loop, open) {
      try host.rights.keep($0, writing: [], reading: $1)
    }
    return signal.map { 128 + $0 } ?? 0
  }
}
