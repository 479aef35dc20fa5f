package import Kernel
package import Report
internal import Trace

/// Shows traffic as it comes, from files that grow or from setups.
package struct Follow {
  private var report: FollowReport
  /// Those of several namespaces.
  private let names: [String]
  private let isQuiet: Bool
  /// Where what is told goes as well.
  private let export: OTLPExport?
  /// When that is brought what there is by then, nanoseconds of the loop's monotonic clock.
  private var nextExport: UInt64 = 0

  /// Follows with this report; where that `isQuiet`, nothing is said when it begins. What is told goes to `export` as well.
  package init(
    _ report: FollowReport, names: [String] = [], isQuiet: Bool = false, export: OTLPExport? = nil
  ) {
    self.report = report
    self.names = names
    self.isQuiet = isQuiet
    self.export = export
    if export != nil { self.report.keepTold() }
    // A collector that is down for a while is there again while this goes on.
    export?.isPersistent = true
  }

  /// Follows what `open` opens until a signal comes, which is returned, or none of it is left. What is
  /// over is let go of, for a namespace is there as long as somebody holds it. When all is open, `giveUp` gives
  /// up the rights that are not needed for it.
  package mutating func run(
    _ loop: any EventLoop, _ open: () throws -> [FollowedSource],
    giveUp: (_ keeping: Capabilities, _ reading: [String]) throws -> Void
  ) throws -> Int32? {
    var sources = try open().map { Optional($0) }
    var rights = sources.reduce(into: Capabilities()) { $0.formUnion($1!.rights) }
    // Programs are asked for the texts of rules in the namespace of each.
    if names.count > 1, !rights.isEmpty { rights.insert(.system) }
    try giveUp(rights, sources.flatMap { $0!.files })
    if !isQuiet { sayWhat(sources.compactMap(\.self)) }
    var nextLook = loop.monotonic + Self.second
    var rate = MessageRate()
    var (signal, deadline): (Int32?, UInt64?)
    while true {
      report.look(like: Output.fitted)
      var lines: [String] = []
      var messages = 0
      var (isRead, isLate) = (true, loop.monotonic > deadline ?? .max)
      for (index, source) in sources.enumerated() {
        guard let traffic = source?.traffic else { continue }
        let isAll = try traffic.read {
          messages += 1
          lines += report.take($0, from: index)
          // What is printed is in memory more than once meanwhile.
          if lines.count > Self.mostLines {
            try print(lines)
            lines = []
          }
        }
        if !isAll {
          isRead = false
          // What a socket still has comes to an end by itself.
          if traffic.fileDescriptor != nil { isLate = false }
        }
      }
      rate.take(messages, at: loop.monotonic)
      try print(lines + report.look(at: loop.realtime))
      exportTold(at: loop.monotonic)
      if let signal, isRead || isLate {
        if !isRead { Output.complain("interrupted before all that is recorded was shown") }
        return try end(signal, loop)
      }
      if signal == nil {
        signal = loop.signal()
        if signal != nil {
          deadline = loop.monotonic + 2 * Self.second
          // What came before the signal is told.
          for source in sources { source?.traffic.stopListening() }
        }
      }
      guard signal == nil, isRead else { continue }
      try print(report.pass(to: loop.realtime))
      if loop.monotonic > nextLook {
        nextLook = loop.monotonic + Self.second
        try dropEnded(&sources)
        if sources.allSatisfy({ $0 == nil }) { return try end(nil, loop) }
      }
      loop.watch(sources.compactMap { $0?.traffic.fileDescriptor })
      loop.wait(nanoseconds: Self.pause)
      // Being woken up costs more than reading: where much comes, it is read many at a time.
      if rate.perSecond >= MessageRate.much { loop.pause(nanoseconds: MessageRate.gathering) }
    }
  }

  /// Says that it has begun, and what is followed.
  private func sayWhat(_ sources: [FollowedSource]) {
    let places = zip(sources, names.isEmpty ? [""] : names).map { source, name in
      source.words + (name.isEmpty ? "" : " in netns \(name)")
    }
    Output.complain("following \(places.joined(separator: " and ")); ^C ends it")
  }

  /// Follows those no longer of which nothing more comes.
  private mutating func dropEnded(_ sources: inout [FollowedSource?]) throws {
    for (index, source) in sources.enumerated() {
      guard let source, let reason = source.end() else { continue }
      source.traffic.stopListening()
      // Of a file that somebody goes on writing, this is enough.
      for _ in 0..<1024 {
        if try source.traffic.read({ try print(report.take($0, from: index)) }) { break }
      }
      try print(report.end(index))
      source.space?.leave()
      sources[index] = nil
      let rest = sources.contains { $0 != nil } ? "; the others go on" : ""
      let place: StyledLine = names.isEmpty ? "" : "netns \(names[index]): "
      Output.complain(place + reason + rest)
    }
  }

  /// Lines beyond which they are not kept to be printed together.
  private static let mostLines = 256
  private static let pause: UInt64 = 30_000_000
  private static let second: UInt64 = 1_000_000_000

  private func print(_ lines: [String]) throws(KernelError) {
    if !lines.isEmpty { try Output.show(lines.joined(separator: "\n")) }
  }

  /// Exports what was told: once a second, or when that is much. Nobody waits for a collector here.
  private mutating func exportTold(at now: UInt64) {
    guard let export else { return }
    for told in report.takeTold() { export.take(told) }
    guard now >= nextExport else { return export.goOn() }
    nextExport = now + Self.second
    export.flush()
  }

  /// Prints the summary: beside JSON Lines it is none of the results. What is not exported yet is, for as long as nobody is
  /// tired of that.
  private mutating func end(_ signal: Int32?, _ loop: any EventLoop) throws -> Int32? {
    let (lines, remarks) = report.finish()
    try print(lines)
    for line in remarks { Output.complain(line) }
    exportTold(at: loop.monotonic)
    export?.finish { loop.signal() != nil }
    return signal
  }
}
