internal import CNetfilter
internal import Glibc

/// Programs that run on when the command that started them is over: they have a session of their
/// own, and a Ctrl-C does not reach them.
enum DetachedProcess {
  /// Starts this program once more, in the network namespace of the calling thread. It has `input` as
  /// its standard input, and `output` and `errors` (or nothing) as its standard output and error. The
  /// corresponding C function is `posix_spawn`.
  static func start(
    _ arguments: [String], input: Int32, output: Int32 = -1, errors: Int32 = -1, attempt: String
  ) throws(KernelError) -> pid_t {
    var process: pid_t = 0
    var words = unsafe (["nftrace"] + arguments).map { unsafe strdup($0) } + [nil]
    // Sound: the strings and the variable outlive the call, which copies what it needs.
    let code = unsafe nftrace_spawn_detached(
      "/proc/self/exe", &words, input, output, errors, &process)
    unsafe words.forEach { unsafe free($0) }
    guard code == 0 else {
      throw KernelError(cannot: attempt, function: "posix_spawn", errno: code)
    }
    return process
  }

  /// A pipe whose ends are not inherited. The corresponding C function is `pipe2`.
  static func pipe(attempt: String) throws(KernelError) -> Pipe {
    var ends: [Int32] = [0, 0]
    // Sound: the array has the two elements that the function fills.
    guard unsafe nftrace_pipe(&ends) == 0 else {
      throw KernelError(cannot: attempt, function: "pipe2", errno: errno)
    }
    return Pipe(
      reading: FileDescriptor(owning: ends[0]), writing: FileDescriptor(owning: ends[1]))
  }

  /// The two ends of a pipe.
  struct Pipe: ~Copyable {
    let reading: FileDescriptor
    let writing: FileDescriptor
  }
}
