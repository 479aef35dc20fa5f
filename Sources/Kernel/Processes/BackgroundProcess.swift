internal import CNetfilter
internal import Glibc

/// A program that works in the background until it is told to stop, and says when it is ready.
package struct BackgroundProcess: ~Copyable {
  /// Which process it is.
  package let identity: ProcessIdentity
  private let output: FileDescriptor

  /// Starts this program with these arguments, in the network namespace of the calling thread, in a
  /// session of its own. What it says on standard error goes to `errors`, a file of nftrace's own. The
  /// corresponding C function is `posix_spawn`.
  package static func start(
    _ arguments: [String], errors: String, attempt: String
  ) throws(KernelError) -> BackgroundProcess {
    let pipe = try DetachedProcess.pipe(attempt: attempt)
    let nothing: FileDescriptor
    do {
      nothing = try FileDescriptor("/dev/null", O_RDONLY)
    } catch {
      throw KernelError(cannot: attempt, function: "open /dev/null", errno: error.code)
    }
    let log = try OutputFile(ours: errors)
    let process = try DetachedProcess.start(
      arguments, input: nothing.number, output: pipe.writing.number, errors: log.number,
      attempt: attempt)
    guard let identity = ProcessIdentity(process) else {
      throw KernelError(cannot: attempt, help: "/proc is not mounted")
    }
    // The writing end goes here, so that reading ends when the program does.
    return BackgroundProcess(identity: identity, output: pipe.reading)
  }

  private init(identity: ProcessIdentity, output: consuming FileDescriptor) {
    self.identity = identity
    self.output = output
  }

  /// For poll(2): readable when it has said something, or ended.
  package var descriptor: Int32 { output.number }

  /// What it says of itself, "" if it ended without a word: nil when it is ready. Waits for either.
  package borrowing func failure() -> String? {
    var octet: UInt8 = 0
    // Sound: the pointer is that of the one octet to be filled.
    let count = try? syscall { unsafe read(output.number, &octet, 1) }
    if count == 1, octet == Self.ready { return nil }
    let rest = count == 1 ? [octet] + ((try? output.readToEnd()) ?? []) : []
    return String(decoding: rest, as: UTF8.self)
  }

  /// A line end: what it says else does not begin with one.
  private static let ready = UInt8(ascii: "\n")

  /// What the program in the background calls when it cannot work.
  package static func sayFailure(_ text: String) { try? Terminal.write(text, to: .output) }

  /// What the program in the background calls when it works: its standard output is over with that.
  package static func sayReady() {
    // Who waited for it may be gone: then it goes on all the same.
    try? Terminal.write("\n", to: .output)
    // Sound: the name is a literal.
    let nothing = unsafe nftrace_open("/dev/null", O_WRONLY | O_CLOEXEC, 0)
    if nothing >= 0 {
      dup2(nothing, 1)
      close(nothing)
    }
  }
}
