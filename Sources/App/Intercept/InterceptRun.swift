internal import Glibc
package import Kernel
internal import Report
package import Trace
internal import Wire

/// Moves packets from the device through an interception and back.
package struct InterceptRun {
  /// Of which packets a line is said.
  package enum Printing: Sendable {
    case nothing, chosen, all
  }

  /// Why it is over.
  package enum End: Sendable, Equatable {
    /// There were enough packets.
    case enough
    /// A signal came.
    case signal(Int32)
    /// Somebody did this to the device.
    case lost(Diversion.Loss)
  }

  private var interception: Interception
  private let prints: Printing
  private let hex: Bool
  private var left: Int?
  private let output: any LineSink
  private let loop: any EventLoop
  /// What every packet is read into.
  private var buffer = [UInt8](repeating: 0, count: 65536)
  private let begin: UInt64
  /// The ways of the packets, where they are to be told.
  private var trace: InterceptTrace?

  /// `prints` says of which packets there is a line, `hex` has their octets as well; it ends after `limit` chosen
  /// packets.
  package init(
    _ interception: Interception, trace: InterceptTrace?, prints: Printing, hex: Bool, limit: Int?,
    output: any LineSink, loop: any EventLoop
  ) {
    self.interception = interception
    self.trace = trace
    self.prints = prints
    self.hex = hex
    left = limit
    self.output = output
    self.loop = loop
    begin = loop.monotonic
  }

  /// Packets that were moved since all messages about packets were read.
  private var untold = 0
  /// With more of them, the socket's room for messages would not do: each has about 80. Then packets
  /// wait, so that what is told has no gaps.
  private static let mostUntold = 1000

  /// Tells of what hooks saw; returns whether that was all.
  private mutating func tell() throws -> Bool {
    let (output, now) = (output, loop.realtime)
    return try trace?.tell(output, now: now) ?? true
  }

  /// Goes on until there were enough packets, a signal comes, or the device is taken away.
  package mutating func go(_ tun: any DivertedPackets) throws -> End {
    do throws {
      return try moveAll(tun)
    } catch let error as KernelError where error.errno == EBADFD {
      return .lost(.removed)
    }
  }

  private mutating func moveAll(_ tun: any DivertedPackets) throws -> End {
    // The story begins before the first packet is moved.
    _ = try tell()
    loop.watch([tun.descriptor, tun.changesDescriptor] + [trace?.fileDescriptor].compactMap { $0 })
    while true {
      if let loss = try tun.loss() { return .lost(loss) }
      // A burst, and then a look at what else there is.
      var isMoved = false
      for _ in 0..<(untold < Self.mostUntold ? 256 : 4) where !isMoved {
        isMoved = try !move(tun)
        if left == 0 { return .enough }
        untold += 1
      }
      let isTold = try tell()
      if isTold { untold = 0 }
      if isMoved, isTold {
        try output.flush()
        loop.wait(
          nanoseconds: output.isPending
            ? 10_000_000 : trace == nil ? 1_000_000_000 : 100_000_000)
      }
      if let signal = loop.signal() { return .signal(signal) }
    }
  }

  /// Takes in what there still is of the packets' ways, when they go their own again. Answers to the
  /// last packet are still on their way, unless a signal ended it: who waits for the end does not
  /// wait long, and is told how much is left untold.
  package mutating func watchOn(isInterrupted: Bool) throws {
    guard trace != nil else { return }
    let patience: UInt64 = isInterrupted ? 0 : 1_000_000_000
    var deadline = loop.monotonic + patience
    loop.watch([trace!.fileDescriptor].compactMap { $0 })
    while loop.monotonic < deadline, loop.signal() == nil {
      guard try trace!.tell(output, now: loop.realtime) else { continue }
      try output.flush()
      loop.wait(
        nanoseconds: min(deadline - min(deadline, loop.monotonic), 100_000_000))
    }
    trace!.stopListening()
    deadline = isInterrupted ? loop.monotonic + Self.farewell : .max
    while try !trace!.tell(output, now: loop.realtime) {
      guard loop.signal() != nil || loop.monotonic > deadline else { continue }
      let count = try trace!.skip(output, now: loop.realtime)
      if count > 0 {
        Output.complain("interrupted before all was told: \(count) messages were left out")
      }
      return
    }
  }

  /// Nanoseconds that are left for telling when a signal came.
  private static let farewell: UInt64 = 500_000_000

  /// Moves what is still in the device; what cannot be moved is lost with it.
  package mutating func drain(_ tun: any DivertedPackets) {
    for _ in 0..<100_000 {
      guard (try? move(tun)) == true else { return }
    }
  }

  /// Moves a packet; false if there was none.
  private mutating func move(_ tun: any DivertedPackets) throws -> Bool {
    guard let count = try tun.read(into: &buffer) else { return false }
    // What is drained after --count goes on, without a word.
    let mayShow = prints != .nothing && left != 0
    let before = mayShow || trace != nil ? Array(buffer[..<count]) : []
    let treatment = interception.handle(&buffer, count: count)
    let fate = treatment.fate
    if let answers = treatment.answers { try tun.translate(answers) }
    switch fate {
    case .passed, .changed, .unchangeable, .answered:
      do {
        try tun.write(buffer, count: count)
      } catch {
        // Down, or not to the kernel's liking: the next packet may fare better.
        if error.errno == EBADFD { throw error }
        interception.countRefusal()
      }
    case .dropped: break
    case .foreign: return true
    }
    if fate == .dropped || fate == .answered { trace?.take(fate, of: before) }
    if mayShow, treatment.isChosen || prints == .all {
      let line = InterceptText.line(
        time: loop.realtime, before: before, after: Array(buffer[..<count]), fate: fate)
      try output.write(line + "\n")
      if hex { try output.write(InterceptText.hex(before) + "\n") }
    }
    if treatment.isChosen, let now = left, now > 0 { left = now - 1 }
    return true
  }

  /// Prints what it came to.
  package mutating func finish(json: Bool, netns: String?, release: String, subnets: [String])
    throws
  {
    let sum = InterceptText.sum(interception.counts, nanoseconds: loop.monotonic - begin)
    if trace != nil {
      let remarks = try trace!.finish(output)
      if json {
        try output.finish(patience: 1_000_000_000)
        // Beside JSON Lines, it is none of the results.
        for line in remarks + sum.lines { Output.complain(line) }
        return
      }
    }
    if json {
      try Output.print(
        JSONValue.object(
          JSONObjects.head("intercept") + [
            ("netns", .string(netns)), ("kernel", .string(release)), ("subnets", .strings(subnets)),
          ] + sum.members))
      return
    }
    for line in sum.lines { try output.write(line.text + "\n") }
    try output.finish(patience: 1_000_000_000)
    if output.skipped > 0 {
      Output.complain("\(output.skipped) lines were left out, for nobody read them in time")
    }
  }
}
