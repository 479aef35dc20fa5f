internal import CNetfilter
internal import Glibc

/// A process, told apart from a later one with the same number.
public struct ProcessIdentity: Sendable, Equatable, Codable {
  /// Its number.
  public var process: Int32
  /// Clock ticks from boot to its start: field 22 of /proc/PID/stat, proc(5).
  public var start: UInt64

  /// The process that had this number and was started then.
  public init(process: Int32, start: UInt64) {
    self.process = process
    self.start = start
  }

  /// The process that has this number now; nil if there is none.
  public init?(_ process: Int32) {
    guard let text = try? Files.text("/proc/\(process)/stat"), let start = Self.start(inStat: text)
    else { return nil }
    self.init(process: process, start: start)
  }

  /// This process.
  public static var current: ProcessIdentity? { ProcessIdentity(getpid()) }

  /// Gives the calling thread the name that ps(1) shows, and that the kernel tells others when the
  /// ruleset is changed: by default it is that of the file, "exe" for one started as /proc/self/exe.
  public static func setName(_ name: String) { _ = unsafe nftrace_set_name(name) }

  /// Field 22. The second is the program's name in parentheses, with anything in it.
  static func start(inStat text: String) -> UInt64? {
    guard let end = text.lastIndex(of: ")") else { return nil }
    let fields = text[end...].split(separator: " ")
    return fields.count > 20 ? UInt64(fields[20]) : nil
  }

  /// Field 3: "Z" and "X" are those of a process that is over and was not waited for yet.
  static func isOver(inStat text: String) -> Bool {
    guard let end = text.lastIndex(of: ")") else { return true }
    let state = text[end...].split(separator: " ").dropFirst().first
    return state == "Z" || state == "X"
  }

  /// Whether it still runs.
  public var isAlive: Bool {
    guard let text = try? Files.text("/proc/\(process)/stat") else { return false }
    return Self.start(inStat: text) == start && !Self.isOver(inStat: text)
  }

  /// Asks it to end, and waits for that; after `patience` nanoseconds it is ended. False if it was
  /// over already.
  @discardableResult
  public func stop(patience: UInt64) -> Bool {
    // A descriptor of the process: once it is verified to be the one, no other can be hit.
    let file = nftrace_pidfd(process)
    guard file >= 0 else { return false }
    let descriptor = FileDescriptor(owning: file)
    guard isAlive else { return false }
    _ = nftrace_pidfd_signal(descriptor.number, SIGTERM)
    let deadline = Clock.monotonic + patience
    while isAlive {
      let now = Clock.monotonic
      if now >= deadline {
        _ = nftrace_pidfd_signal(descriptor.number, SIGKILL)
        Waiting.forReading([descriptor.number], nanoseconds: 1_000_000_000)
        break
      }
      Waiting.forReading([descriptor.number], nanoseconds: min(deadline - now, 100_000_000))
    }
    return true
  }
}
