import App
import Glibc
import Kernel
import Report
import Trace
import Wire

/// Reads session files in pieces, so that they may be larger than memory.
enum Playback {
  /// Renders sessions, as `output` takes it: each is in several files, one after the other. Of more
  /// than one session, the records are taken in the order of their times. Returns how many exchanges
  /// matched.
  static func run(
    _ sessions: [[String]], _ report: consuming SessionReport,
    output: (String) throws -> Void = { try Output.show($0) }
  ) throws -> Int {
    var report = report
    func put(_ lines: [String]) throws {
      if !lines.isEmpty { try output(lines.joined(separator: "\n") + "\n") }
    }
    let writers = (try? RecordingFiles.writers()) ?? []
    let isGrowing = sessions.map { files in writers.contains { $0.session == files.last } }
    // What was recorded by now is in the file a little later.
    let now = Clock.realtime
    if isGrowing.contains(true) { Loop.pause(nanoseconds: latency) }
    let readers = try sessions.map { try SessionReader($0) }
    // All is open.
    try Privileges.keep([])
    try report.play(
      readers.count, next: { try readers[$0].next() }, isCut: { readers[$0].takeCut() },
      isGrowing: { isGrowing[$0] }, now: now, put: put)
    return report.matches
  }

  /// Nanoseconds that a recorder may keep records before it writes them, and some.
  private static let latency: UInt64 = 250_000_000

  /// Writes the NFLOG messages of these files alone, as classic pcap.
  static func export(_ paths: [String], to path: String) throws {
    let output = try OutputFile(path)
    var buffer = PcapFile.header(linkType: .nflog)
    let reader = try SessionReader(paths)
    try Privileges.keep([])
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

/// The elements of session files, one after the other.
private final class SessionReader {
  /// What comes next is open already.
  private var rest: ArraySlice<(path: String, file: Shared<InputFile>)>
  private var path = ""
  private var file: Shared<InputFile>?
  private var decoder = SessionDecoder()
  private var isCut = false

  init(_ paths: [String]) throws(KernelError) {
    var files: [(path: String, file: Shared<InputFile>)] = []
    for path in paths { files.append((path, Shared(try Self.open(path)))) }
    rest = files[...]
  }

  /// Whether a file was cut off since this was asked last.
  func takeCut() -> Bool {
    defer { isCut = false }
    return isCut
  }

  /// The next element; nil at the end of the last file. Of a damaged one, all that comes before the
  /// damage, which is said.
  func next() throws -> SessionDecoder.Element? {
    while true {
      guard let open = file else {
        guard let next = rest.popFirst() else { return nil }
        (path, file) = (next.path, next.file)
        decoder = SessionDecoder()
        continue
      }
      do {
        if let element = try decoder.next() { return element }
        let bytes = try open.value.read()
        if !bytes.isEmpty {
          decoder.feed(bytes)
          continue
        }
        try decoder.finish()
      } catch let damage as CaptureDamage {
        file = nil
        isCut = true
        try complain(damage)
        continue
      }
      file = nil
      if !decoder.holdsNetfilter {
        throw UsageError(
          "\(path) has no NFLOG packets: a session of nftrace, or 'tcpdump -i nflog:N -w', has them"
        )
      }
    }
  }

  /// A file that only its owner may read is no wrong usage.
  private static func open(_ path: String) throws(KernelError) -> InputFile {
    do {
      return try StateDirectory.input(path)
    } catch {
      var error = error
      if error.errno == EACCES {
        error.kind = .unavailable
        error.help = "only its owner may read it: run as root (sudo)"
      }
      throw error
    }
  }

  private func complain(_ damage: CaptureDamage) throws {
    guard damage.kind != .notACapture else {
      throw UsageError(
        "\(path) is neither a session of nftrace nor a capture file: \(damage.reason); "
          + "a saved kernel log is shown with --backend log")
    }
    Output.complain(
      "\(path) is \(damage.kind == .truncated ? "cut off" : "damaged") at byte "
        + "\(damage.offset): \(damage.reason); everything before that is shown")
  }
}
