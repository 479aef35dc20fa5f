internal import CNetfilter
internal import Glibc

/// SIGINT, SIGTERM and SIGHUP, and others that are asked for, as something to read: they no longer end the process by
/// themselves.
struct SignalWatch: ~Copyable {
  /// For poll(2).
  let fileDescriptor: Int32

  /// Blocks the signals in this thread and those it starts.
  init(with others: [Int32] = []) {
    var set = sigset_t()
    // Sound: the pointers are those of a variable of the type that the functions take.
    unsafe sigemptyset(&set)
    for signal in [SIGINT, SIGTERM, SIGHUP] + others { _ = unsafe sigaddset(&set, signal) }
    unsafe pthread_sigmask(SIG_BLOCK, &set, nil)
    fileDescriptor = unsafe signalfd(-1, &set, Int32(SFD_CLOEXEC | SFD_NONBLOCK))
    // A reader that goes away is an error of write(2), not the end of us and our clean-up.
    signal(SIGPIPE, SIG_IGN)
  }

  deinit { _ = close(fileDescriptor) }

  /// The signal that came, if one did.
  func next() -> Int32? {
    var info = signalfd_siginfo()
    let size = MemoryLayout<signalfd_siginfo>.size
    // Sound: read() fills no more than the variable, whose octets may have any value.
    guard unsafe read(fileDescriptor, &info, size) == size else { return nil }
    return Int32(info.ssi_signo)
  }
}
