internal import CNetfilter
internal import Glibc

/// A process that waits for this one to end, however it ends, and then undoes its journal.
///
/// It waits at the reading end of a pipe whose writing end this process has: the kernel closes that
/// even after SIGKILL. It has a session of its own and ignores the signals that end a command, so a
/// Ctrl-C reaches the command alone.
struct Guardian: ~Copyable {
  /// Its process id.
  let process: Int32
  private let pipe: FileDescriptor

  /// Starts the guardian of the journal at this path, in the network namespace of the calling thread:
  /// start it after entering the namespace and before changing anything. This program, called with
  /// `guardian`, the path and, with `namespaces`, the word "--namespaces", must call `Guardian.run`.
  /// The corresponding C function is `posix_spawn`.
  static func start(journal: String, namespaces: Bool) throws(KernelError) -> Guardian {
    let attempt = "start the process that cleans up"
    let pipe = try DetachedProcess.pipe(attempt: attempt)
    let process = try DetachedProcess.start(
      ["guardian", journal] + (namespaces ? ["--namespaces"] : []), input: pipe.reading.number,
      attempt: attempt)
    return Guardian(process: process, pipe: pipe.writing)
  }

  private init(process: Int32, pipe: consuming FileDescriptor) {
    self.process = process
    self.pipe = pipe
  }

  /// Lets it go to work now and waits until it is done; it finds nothing to do if the journal was
  /// undone before. Without this it does the same when this process ends.
  consuming func dismiss() {
    let process = process
    pipe.closeNow()
    _ = try? syscall { waitpid(process, nil, 0) }
  }

  /// What the guardian does: waits for the end of its standard input, then undoes the journal at
  /// this path. That there is none any more is how it should be. What fails is tried again a few
  /// times: the machine may be short of something at the moment that the command died of. Meanwhile it
  /// has the rights alone that undoing takes; those for namespaces if the journal has any.
  static func run(journal path: String, namespaces: Bool) throws(KernelError) {
    // Undoing is what matters, whether rights could be given up or not.
    try? Privileges.keep(
      namespaces ? [.network, .system] : .network, writing: [Files.directory(of: path)])
    for number in [SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE] { _ = signal(number, SIG_IGN) }
    let input = FileDescriptor(owning: 0)
    _ = try? input.readToEnd()
    for pause: UInt32 in [50_000, 200_000, 500_000] {
      if (try? Journal.undo(path)) != nil { return }
      usleep(pause)
    }
    try Journal.undo(path)
  }
}

extension GuardedJournal {
  /// What the process does that is started as `guardian`, called with a journal's path: waits for the
  /// end of who started it, and undoes the journal.
  package static func guardianMain(
    journal path: String, namespaces: Bool
  ) throws(KernelError) {
    try Guardian.run(journal: path, namespaces: namespaces)
  }
}
