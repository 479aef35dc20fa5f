internal import Glibc
internal import Kernel
internal import Report
internal import Trace
internal import Wire

/// The elements of session files, one after the other.
final class SessionReader {
  /// What comes next is open already.
  private var rest: ArraySlice<(path: String, file: Shared<InputFile>)>
  private var path = ""
  private var file: Shared<InputFile>?
  private var decoder: SessionDecoder
  private var isCut = false
  /// How many were read so far.
  private(set) var octets = 0

  /// What becomes of what is to be said of damage.
  enum Complaints {
    /// It is said at once.
    case said
    /// Nothing, for somebody else says it.
    case ignored
    /// `takeComplaints` gives it.
    case kept
  }

  private let complaints: Complaints
  private var kept: [String] = []
  /// Whether what can be a packet is all that is looked at.
  private let packetsAlone: Bool
  /// Octets that are read at a time.
  private let piece: Int

  /// Octets that those who are read beside each other read at a time, all together, and each at least.
  private static let pieces = 1 << 22
  private static let leastPiece = 1 << 14

  /// Opens them all. `beside` is how many are read beside each other.
  init(
    _ paths: [String], complaints: Complaints = .said, packetsAlone: Bool = false, beside: Int = 1
  ) throws(KernelError) {
    self.complaints = complaints
    self.packetsAlone = packetsAlone
    piece = min(max(Self.pieces / max(beside, 1), Self.leastPiece), 1 << 18)
    decoder = SessionDecoder(packetsAlone: packetsAlone)
    var files: [(path: String, file: Shared<InputFile>)] = []
    for path in paths { files.append((path, Shared(try Self.open(path)))) }
    rest = files[...]
  }

  /// Whether a file was cut off since this was asked last.
  func takeCut() -> Bool {
    defer { isCut = false }
    return isCut
  }

  /// What is to be said of damage since this was asked last.
  func takeComplaints() -> [String] {
    if kept.isEmpty { return [] }
    defer { kept = [] }
    return kept
  }

  /// The next element; nil at the end of the last file. Of a damaged one, all that comes before the
  /// damage, which is said.
  func next() throws -> SessionDecoder.Element? {
    try next { (decoder) throws(CaptureDamage) in try decoder.next() }
  }

  /// The same, but messages about packets are only counted.
  func next(passing: inout PassedRecords) throws -> SessionDecoder.Element? {
    try next { (decoder) throws(CaptureDamage) in try decoder.next(passing: &passing) }
  }

  /// The same, but for what is no packet, and what `pass` says that nothing else is to be known of.
  func next(
    passing pass: (PacketInFile, [UInt8], LinkType) -> Bool
  ) throws -> SessionDecoder.Element? {
    try next { (decoder) throws(CaptureDamage) in try decoder.next(passing: pass) }
  }

  private func next(
    _ element: (inout SessionDecoder) throws(CaptureDamage) -> SessionDecoder.Element?
  ) throws -> SessionDecoder.Element? {
    while true {
      guard let open = file else {
        guard let next = rest.popFirst() else { return nil }
        (path, file) = (next.path, next.file)
        decoder = SessionDecoder(packetsAlone: packetsAlone)
        continue
      }
      do {
        if let element = try element(&decoder) { return element }
        let bytes = try open.value.read(most: piece)
        if !bytes.isEmpty {
          octets += bytes.count
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
    guard damage.kind != .compressed else {
      let file = path == "-" ? "" : " \(Escape.name(path))"
      throw UsageError(
        "\(path) is compressed: '\(damage.reason) -dc\(file) | nftrace show -' shows what is in it")
    }
    guard damage.kind != .notACapture else {
      throw UsageError(
        "\(path) is neither a session of nftrace nor a capture file: \(damage.reason); "
          + "a saved kernel log is shown with --backend log")
    }
    let words =
      "\(path) is \(damage.kind == .truncated ? "cut off" : "damaged") at byte "
      + "\(damage.offset): \(damage.reason); everything before that is shown"
    switch complaints {
    case .said: Output.complain(StyledLine(words))
    case .ignored: break
    case .kept: kept.append(words)
    }
  }
}
