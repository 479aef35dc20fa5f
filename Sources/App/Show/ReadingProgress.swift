internal import Kernel
internal import Report

/// How far the reading of long files is, for a person who waits: told from when it takes a while, until there is
/// something to read.
struct ReadingProgress {
  private let host: any ShowHost
  private let octets: Int
  private let began: UInt64
  private var lastTold: UInt64 = 0
  private var looks = 0
  private var isOver = false

  /// Nanoseconds before the first word, and between words.
  private static let patience: UInt64 = 700_000_000
  private static let pause: UInt64 = 200_000_000

  /// Nothing of these files was read yet.
  init(_ paths: [String], _ host: any ShowHost) {
    self.host = host
    octets = paths.compactMap { FileIdentity($0)?.size }.reduce(0, +)
    began = host.monotonic
  }

  /// So many octets were read.
  mutating func look(at read: @autoclosure () -> Int) {
    looks += 1
    guard !isOver, octets > 0, looks % 512 == 0 else { return }
    look(atOnce: read())
  }

  /// The same, of who asks less often.
  mutating func look(atOnce read: Int) {
    guard !isOver, octets > 0 else { return }
    let now = host.monotonic
    guard now > began + Self.patience, now > lastTold + Self.pause else { return }
    lastTold = now
    Output.tell(progress: "reading \(Octets.text(octets)): \(min(read * 100 / octets, 100)) %")
  }

  /// There is something to read, or all was read.
  mutating func end() {
    if !isOver, lastTold > 0 { Output.tell(progress: nil) }
    isOver = true
  }
}
