internal import Wire
package import Trace

// What `show` does with sessions, as a function of what is in them.

extension SessionReport {
  /// Takes in whole sessions: `next` gives the next element of each, by its place, and nil at its end.
  /// Of more than one, the elements are taken in the order of their times. `isCut` says whether a file
  /// ended in the middle before what `next` gave, and `isGrowing` whether a session is still being
  /// written: what is in it by `now`, in nanoseconds since the epoch, is told. Elements of a session that has a `lead`
  /// are taken so many nanoseconds sooner. `passOver` gives the next element of a session of which nothing more is to be told
  /// of packets: these are only counted. Hands on the lines as they come to be.
  package mutating func play<Failure: Error>(
    _ sessions: Int, next: (Int) throws(Failure) -> SessionDecoder.Element?,
    passOver: ((Int, inout PassedRecords) throws(Failure) -> SessionDecoder.Element?)? = nil,
    isCut: (Int) -> Bool = { _ in false }, isGrowing: (Int) -> Bool = { _ in false },
    lead: (Int) -> UInt64 = { _ in 0 }, now: UInt64 = 0, put: ([String]) throws(Failure) -> Void
  ) throws(Failure) {
    var heads: [SessionDecoder.Element?] = []
    var order = EarliestFirst()
    for session in 0..<sessions {
      heads.append(try next(session))
      if heads[session] != nil {
        order.insert(session, at: heads[session].moment.earlier(by: lead(session)))
      }
    }
    while let first = order.first, let element = heads[first].take() {
      try take(element, from: first, put)
      if let passOver, var passed = passing {
        heads[first] = try passOver(first, &passed)
        passing = passed
      } else {
        heads[first] = try next(first)
      }
      if isCut(first) { cut() }
      if heads[first] != nil {
        order.moveFirst(to: heads[first].moment.earlier(by: lead(first)))
        continue
      }
      order.removeFirst()
      if !isGrowing(first) { try put(end(first)) }
    }
    if (0..<sessions).contains(where: isGrowing) { try put(pass(to: now)) }
    try finish(put)
  }

  /// Tells what is left when all is in.
  mutating func finish<Failure: Error>(_ put: ([String]) throws(Failure) -> Void) throws(Failure) {
    if passing == nil {
      while case let closed = finishSome(), !closed.isEmpty { try tell(closed, put) }
    }
    try put(finish())
  }

  /// Takes in an element, and hands on the lines: of recorded traffic, in pieces.
  private mutating func take<Failure: Error>(
    _ element: SessionDecoder.Element, from source: Int, _ put: ([String]) throws(Failure) -> Void
  ) throws(Failure) {
    guard let closed = closed(by: element, from: source) else {
      return try put(take(element, from: source))
    }
    try tell(closed, put)
  }

  /// Tells exchanges: hundreds may close at once, and what they are told in is not to be in memory as a whole.
  mutating func tell<Failure: Error>(
    _ exchanges: [Exchange], _ put: ([String]) throws(Failure) -> Void
  ) throws(Failure) {
    var (lines, octets): ([String], Int) = ([], 0)
    for exchange in exchanges {
      for line in add(exchange) {
        octets += line.utf8.count
        lines.append(line)
      }
      guard octets > Self.piece else { continue }
      try put(lines)
      (lines, octets) = ([], 0)
    }
    try put(lines)
  }

  /// Octets that are handed on together, and what one exchange is told in.
  private static let piece = 1 << 16

  /// The lines for sessions of these octets, whatever they are: each counts as far as it is undamaged.
  package consuming func lines(of sessions: [[UInt8]]) -> [String] {
    var decoders = sessions.map { octets in
      var decoder = SessionDecoder()
      decoder.feed(octets)
      return decoder
    }
    var report = self
    var lines: [String] = []
    report.play(sessions.count, next: { try? decoders[$0].next() }, put: { lines += $0 })
    return lines
  }

  /// The lines for a saved kernel log of these octets, whatever they are.
  package consuming func lines(ofKernelLog octets: [UInt8], version: String) -> [String] {
    var decoder = KernelLogDecoder(version: version)
    decoder.feed(octets)
    decoder.finish()
    var report = self
    var lines: [String] = []
    report.play(1, next: { _ in decoder.next() }, put: { lines += $0 })
    return lines
  }
}

extension SessionDecoder.Element? {
  /// When it was recorded: what is over comes first.
  fileprivate var moment: UInt64 {
    switch self {
    case nil: 0
    case let element?: element.moment
    }
  }
}
