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
  private var decoder = SessionDecoder()
  private var isCut = false
  /// How many were read so far.
  private(set) var octets = 0

  /// Whether nothing is said of damage, for somebody else says it.
  private let isQuiet: Bool

  /// Opens them all.
  init(_ paths: [String], isQuiet: Bool = false) throws(KernelError) {
    self.isQuiet = isQuiet
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
    if isQuiet { return }
    Output.complain(
      "\(path) is \(damage.kind == .truncated ? "cut off" : "damaged") at byte "
        + "\(damage.offset): \(damage.reason); everything before that is shown")
  }
}
