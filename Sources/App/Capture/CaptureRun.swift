internal import Glibc
internal import Kernel
internal import Report
internal import Trace

/// Writes what the setup of a network namespace reports, as it comes, as a session into a pipe: for Wireshark and
/// for whatever else reads sessions.
package struct CaptureRun {
  private let host: any ShowHost
  /// Nanoseconds since the epoch, before which packets are left out.
  private let since: UInt64
  private var isPast = true
  /// What the namespace is called, and what tells it from others.
  private var name: String?
  private var key: String?

  /// Writes from now on; with `past`, also what was in the file of the setup's recorder before.
  package init(_ host: any ShowHost, past: Bool = false) {
    self.host = host
    since = past ? 0 : host.realtime
  }

  /// Writes what the setup in this namespace, in which the calling thread is, reports, until a signal comes, which
  /// is returned, or the setup or who reads it is gone.
  package mutating func run(_ space: ChosenNamespace, to sink: any OctetSink) throws -> Int32? {
    let source = try FollowedSource(setupIn: space, host, otherwise: "")
    name = space.name
    key = try host.place().key
    try host.rights.keep(source.rights, writing: [], reading: source.files)
    do {
      return try write(source, to: sink, host.loop)
    } catch let error as KernelError where error.errno == EPIPE && error.function == "write" {
      return nil
    }
  }

  private mutating func write(
    _ source: FollowedSource, to sink: any OctetSink, _ loop: any EventLoop
  ) throws -> Int32? {
    var nextLook = loop.monotonic + Self.second
    var (signal, deadline): (Int32?, UInt64?)
    // What is known of the surroundings, before packets come.
    var octets: [UInt8] = []
    while sink.hasReader {
      var isRead = false
      // Who reads slowly is waited for: the kernel keeps what comes, and says what it cannot keep.
      if !sink.isFull { isRead = try source.traffic.read { take($0, &octets) } }
      if !isPast || isRead {
        isPast = false
        try sink.write(octets)
        octets = []
      }
      try sink.flush()
      if let signal, isRead && !sink.isPending || loop.monotonic > deadline ?? .max {
        return signal
      }
      if signal == nil {
        signal = loop.signal()
        if signal != nil {
          deadline = loop.monotonic + 2 * Self.second
          // What came before the signal is written.
          source.traffic.stopListening()
          continue
        }
      }
      if loop.monotonic > nextLook {
        nextLook = loop.monotonic + Self.second
        if isRead, let reason = source.end() {
          Output.complain(StyledLine(reason))
          return nil
        }
      }
      if isRead || sink.isFull {
        loop.watch(sink.isPending ? [] : [source.traffic.fileDescriptor].compactMap(\.self))
        loop.wait(nanoseconds: sink.isPending ? Self.moment : Self.pause)
      }
    }
    return nil
  }

  /// Takes in the next element. Of the time before only what the last section says of the surroundings is of use.
  private mutating func take(_ element: SessionDecoder.Element, _ octets: inout [UInt8]) {
    switch element {
    case .header(var header?):
      header.command = "record"
      header.netns = header.netns ?? name
      header.namespace = header.namespace ?? key
      if isPast, since > 0 { octets = [] }
      octets += SessionFile.beginning(header)
    case .header(nil): break
    case .record(let record):
      if record.time >= since {
        isPast = false
      } else if !record.tellsOfSurroundings {
        return
      }
      SessionFile.append(record, to: &octets)
    }
  }

  private static let moment: UInt64 = 2_000_000
  private static let pause: UInt64 = 30_000_000
  private static let second: UInt64 = 1_000_000_000
}
