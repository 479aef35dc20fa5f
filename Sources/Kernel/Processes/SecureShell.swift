internal import CNetfilter
internal import Glibc

/// A command on another machine, by way of ssh(1), which is found and set up as the user has it. It ends when this value
/// goes: its standard input is over then.
package final class SecureShell {
  private var process: Int32
  private let stream: FileDescriptor
  private let errors: FileDescriptor
  private var kept: [UInt8] = []
  private var said: [UInt8] = []

  /// What of ssh's complaints is kept, in octets.
  private static let mostSaid = 4096
  /// Octets that are read at a time.
  private static let portion = 1 << 18
  /// Seconds until nobody is there.
  private static let patience = 10

  /// Has ssh(1) connect to a machine, as it takes it ("root@r1"), and run a command line there. Nobody is asked for
  /// passwords: several are connected to at once. Throws where there is no ssh.
  package init(to machine: String, running command: String) throws(KernelError) {
    var (ends, pipe): ([Int32], [Int32]) = ([0, 0], [0, 0])
    // Sound: the arrays have the two elements that the functions fill.
    guard unsafe nftrace_socket_pair(&ends) == 0, unsafe nftrace_pipe(&pipe) == 0 else {
      throw KernelError(cannot: "connect to \(machine)", function: "socketpair", errno: errno)
    }
    stream = FileDescriptor(owning: ends[0])
    errors = FileDescriptor(owning: pipe[0])
    let theirs = FileDescriptor(owning: ends[1])
    let complaints = FileDescriptor(owning: pipe[1])
    let arguments = [
      "ssh", "-T", "-o", "BatchMode=yes", "-o", "ConnectTimeout=\(Self.patience)", "--", machine,
      command,
    ]
    // Sound: the strings live until they are freed, after the call that copies them.
    var words = unsafe arguments.map { unsafe strdup($0) } + [nil]
    defer { unsafe words.forEach { unsafe free($0) } }
    var process: pid_t = 0
    let code = unsafe nftrace_spawn_connected(
      "ssh", &words, theirs.number, complaints.number, &process)
    self.process = process
    guard code == 0 else {
      throw KernelError(
        .unavailable, cannot: "connect to \(machine)", function: "ssh", errno: code,
        help: "ssh connects to other machines: install it (openssh-client)")
    }
  }

  deinit { close() }

  /// Says to the command there that it is over.
  package func hangUp() { if process > 0 { shutdown(stream.number, Int32(SHUT_WR)) } }

  /// Ends the command there, and ssh here. One that does not end by itself is made to.
  package func close() {
    guard process > 0 else { return }
    hangUp()
    defer { process = 0 }
    // It takes its leave when the command there has ended, which it does at the end of its input.
    var left = Self.leave
    while left > 0, (try? syscall { waitpid(process, nil, WNOHANG) }) == 0 {
      Loop.pause(nanoseconds: 2_000_000)
      _ = try? read()
      left -= 1
    }
    guard left == 0 else { return }
    // It leads a process group: what it is wrapped in goes with it.
    kill(-process, SIGKILL)
    _ = try? syscall { waitpid(process, nil, 0) }
  }

  /// How often it is looked whether it is gone, two milliseconds apart.
  private static let leave = 500

  /// Readable when there is more, or it is over.
  package var descriptor: Int32 { stream.number }

  /// What came; empty where there is nothing now, nil where nothing comes any more.
  package func read() throws(KernelError) -> [UInt8]? {
    guard Loop.isReadable(stream.number) else { return [] }
    return StandardChannel.read(stream.number, atMost: Self.portion)
  }

  /// Sends these octets, or keeps them until the other side reads.
  package func write(_ octets: [UInt8]) throws(KernelError) {
    kept += octets
    _ = try flush()
  }

  /// Sends what is kept, as far as it can be done without waiting. Returns whether that was all.
  package func flush() throws(KernelError) -> Bool {
    while !kept.isEmpty {
      // Sound: the pointer and the count are those of the array.
      let count = unsafe kept.withUnsafeBytes {
        unsafe send(
          stream.number, $0.baseAddress!, $0.count, Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL))
      }
      // That it is over is learned where it is read.
      guard count > 0 else { return false }
      kept.removeFirst(count)
    }
    return true
  }

  /// Waits so many nanoseconds at most until there is something to read.
  package func wait(nanoseconds: UInt64) {
    Loop.wait(for: stream.number, nanoseconds: nanoseconds)
  }

  /// What ssh, or the command there, complained of last, in a line; nil where it did not.
  package var complaint: String? {
    while said.count < Self.mostSaid, Loop.isReadable(errors.number),
      let more = StandardChannel.read(errors.number, atMost: Self.mostSaid), !more.isEmpty
    {
      said += more
    }
    let lines = String(decoding: said, as: UTF8.self).split { $0.isNewline }
    return (lines.last { $0.contains(where: \.isLetter) } ?? lines.last).map { String($0) }
  }
}

/// Standard input and output, for a program that talks to another one through them.
package final class StandardChannel {
  private let output = PatientOutput()

  /// Those of this process.
  package init() {}

  /// Readable when there is more, or it is over.
  package var descriptor: Int32 { STDIN_FILENO }

  /// What came; empty where there is nothing now, nil where nothing comes any more.
  package func read() throws(KernelError) -> [UInt8]? {
    guard Loop.isReadable(STDIN_FILENO) else { return [] }
    return Self.read(STDIN_FILENO, atMost: 1 << 16)
  }

  /// What there is to read; nil where nothing comes any more.
  static func read(_ descriptor: Int32, atMost most: Int) -> [UInt8]? {
    var failed = false
    // Sound: read() fills at most the capacity, and what it filled is what is declared initialised.
    let octets = unsafe [UInt8](unsafeUninitializedCapacity: most) { buffer, filled in
      let count = try? syscall { unsafe Glibc.read(descriptor, buffer.baseAddress!, buffer.count) }
      failed = count == nil
      filled = count ?? 0
    }
    return failed || octets.isEmpty ? nil : octets
  }

  /// Sends these octets, or keeps them until the other side reads.
  package func write(_ octets: [UInt8]) throws(KernelError) { try output.write(octets) }

  /// Sends what is kept, as far as it can be done without waiting. Returns whether that was all.
  package func flush() throws(KernelError) -> Bool {
    try output.flush()
    return !output.isPending
  }

  /// Waits so many nanoseconds at most until there is something to read.
  package func wait(nanoseconds: UInt64) {
    Loop.wait(for: STDIN_FILENO, nanoseconds: nanoseconds)
  }

  /// It goes with the process.
  package func close() {}

  /// Nobody else connects.
  package var complaint: String? { nil }
}
