internal import CNetfilter
internal import Glibc

/// A process, told apart from a later one with the same number.
package struct ProcessIdentity: Sendable, Equatable {
  /// Its number.
  package var process: Int32
  /// Clock ticks from boot to its start: field 22 of /proc/PID/stat, proc(5).
  package var start: UInt64

  /// The process that had this number and was started then.
  package init(process: Int32, start: UInt64) {
    self.process = process
    self.start = start
  }

  /// The process that has this number now; nil if there is none. Throws if that could not be found
  /// out.
  package static func of(_ process: Int32) throws(KernelError) -> ProcessIdentity? {
    try stat(process).flatMap { start(inStat: $0) }.map {
      ProcessIdentity(process: process, start: $0)
    }
  }

  /// The same; nil also if that could not be found out.
  package init?(_ process: Int32) {
    guard let found = try? Self.of(process) else { return nil }
    self = found
  }

  /// proc_pid_stat(5); nil if there is no such process.
  private static func stat(_ process: Int32) throws(KernelError) -> String? {
    do {
      return try Files.text("/proc/\(process)/stat")
    } catch {
      // ESRCH: it ended while it was being read.
      if error.code == ENOENT || error.code == ESRCH { return nil }
      throw KernelError(
        cannot: "look at process \(process)", function: "open", errno: error.code)
    }
  }

  /// This process.
  package static var current: ProcessIdentity? { ProcessIdentity(getpid()) }

  /// Gives the calling thread the name that ps(1) shows, and that the kernel tells others when the
  /// ruleset is changed: by default it is that of the file, "exe" for one started as /proc/self/exe.
  package static func setName(_ name: String) {
    // Sound: the kernel copies at most 15 octets, up to the zero that ends them.
    _ = unsafe nftrace_set_name(name)
  }

  /// The fields from the third on, behind a word. The second is the program's name in parentheses, with anything
  /// in it.
  private static func fields(inStat text: String) -> [Substring] {
    text.lastIndex(of: ")").map { text[$0...].split(separator: " ") } ?? []
  }

  /// Field 22.
  static func start(inStat text: String) -> UInt64? {
    let fields = fields(inStat: text)
    return fields.count > 20 ? UInt64(fields[20]) : nil
  }

  /// The number of the process that started this one, field 4; nil where there is no such process.
  static func parent(of process: Int32) -> Int32? {
    guard let text = try? stat(process) else { return nil }
    let fields = fields(inStat: text)
    return fields.count > 2 ? Int32(fields[2]) : nil
  }

  /// Field 3: "Z" and "X" are those of a process that is over and was not waited for yet.
  static func isOver(inStat text: String) -> Bool {
    guard let state = fields(inStat: text).dropFirst().first else { return true }
    return state == "Z" || state == "X"
  }

  /// Whether it still runs. Throws if that could not be found out.
  package func runs() throws(KernelError) -> Bool {
    guard let text = try Self.stat(process) else { return false }
    return Self.start(inStat: text) == start && !Self.isOver(inStat: text)
  }

  /// The same; one that could not be looked at may be alive.
  package var isAlive: Bool { (try? runs()) ?? true }

  /// Asks a recorder to write down what it has received; false if it is over, or may not be asked.
  package func askToFlush() -> Bool {
    let file = nftrace_pidfd(process)
    guard file >= 0 else { return false }
    let descriptor = FileDescriptor(owning: file)
    return isAlive && nftrace_pidfd_signal(descriptor.number, Loop.flushRequest) == 0
  }

  /// Asks it to end, and waits for that; after `patience` nanoseconds it is ended. False if it was
  /// over already.
  @discardableResult
  package func stop(patience: UInt64) -> Bool {
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
        Loop.wait(for: descriptor.number, nanoseconds: 1_000_000_000)
        break
      }
      Loop.wait(for: descriptor.number, nanoseconds: min(deadline - now, 100_000_000))
    }
    return true
  }
}
