internal import CNetfilter
internal import Glibc

/// A process that waits for this one to end, however it ends, and then undoes its journal.
///
/// It waits at the reading end of a pipe whose writing end this process has: the kernel closes that
/// even after SIGKILL. It has a session of its own and ignores the signals that end a command, so a
/// Ctrl-C reaches the command alone.
public struct Guardian: ~Copyable {
  /// Its process id.
  public let process: Int32
  private let pipe: FileDescriptor

  /// Starts the guardian of a journal, in the network namespace of the calling thread: start it
  /// after entering the namespace and before changing anything. `executable`, called with
  /// `subcommand` and the journal's path, must call `Guardian.run`. The corresponding C function is `posix_spawn`.
  public static func start(
    journal: borrowing Journal, executable: String = "/proc/self/exe",
    subcommand: String = "guardian"
  ) throws(KernelError) -> Guardian {
    let attempt = "start the process that cleans up"
    let pipe = try DetachedProcess.pipe(attempt: attempt)
    let process = try DetachedProcess.start(
      [subcommand, journal.path], executable: executable, input: pipe.reading.number,
      attempt: attempt)
    return Guardian(process: process, pipe: pipe.writing)
  }

  private init(process: Int32, pipe: consuming FileDescriptor) {
    self.process = process
    self.pipe = pipe
  }

  /// Lets it go to work now and waits until it is done; it finds nothing to do if the journal was
  /// undone before. Without this it does the same when this process ends.
  public consuming func dismiss() {
    let process = process
    pipe.closeNow()
    while waitpid(process, nil, 0) < 0, errno == EINTR {}
  }

  /// What the guardian does: waits for the end of its standard input, then undoes the journal at
  /// this path. That there is none any more is how it should be.
  public static func run(journal path: String) throws(KernelError) {
    for number in [SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE] { _ = signal(number, SIG_IGN) }
    let input = FileDescriptor(owning: 0)
    _ = try? input.readToEnd()
    guard unsafe access(path, F_OK) == 0 else { return }
    try Journal(path: path).undo()
  }
}
