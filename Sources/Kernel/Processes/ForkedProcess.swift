internal import CNetfilter
internal import Glibc

/// A copy of this process that serves it. It has the network namespace and the rights of the thread that starts it, which must be
/// the only one, and none of its files but for those that it is given.
///
/// It ends when this process does, however that ends: the kernel sees to that, and its connection is over then.
final class ForkedProcess: Sendable {
  private let process: Int32
  /// What is said to it, and comes back. Who waits for more than two seconds gets nothing.
  let connection: Int32

  /// Starts it with these files, which are handed over; nil where that fails. What `serve` does is done there, with its end of
  /// the connection and with the files by its numbers. The corresponding C function is `fork`.
  init?(handing files: [Int32] = [], serve: (_ connection: Int32, _ files: [Int32]) -> Never) {
    var connection: Int32 = -1
    // Sound: the pointer is that of a variable of the type the function fills, and the list has as many numbers as is
    // said.
    let process = unsafe nftrace_fork_with(files, Int32(files.count), &connection)
    if process == 0 {
      // They are at 4 and on.
      serve(connection, files.indices.map { Int32($0) + 4 })
    }
    let code = Glibc.errno
    for number in files { close(number) }
    Glibc.errno = code
    guard process > 0 else { return nil }
    self.process = process
    self.connection = connection
  }

  /// Ends it, also where somebody has stopped it, and waits for that: a process that nobody waited for would be left
  /// where the first of all processes does not do it either, as in many containers.
  deinit {
    kill(process, SIGKILL)
    _ = try? syscall { waitpid(process, nil, 0) }
    close(connection)
  }
}
