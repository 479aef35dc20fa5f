internal import CNetfilter
internal import Glibc

/// A program that runs in the foreground, in the network namespace of who started it.
package enum ChildProcess {
  /// Runs a program, found by PATH, and waits for its end. Returns its exit code as a shell would:
  /// 128 and the signal that ended it. A Ctrl-C reaches it from the terminal; other requests to end
  /// are passed on to it.
  package static func run(_ arguments: [String]) throws(KernelError) -> Int32 {
    guard let program = arguments.first else { return 0 }
    let loop = Loop()
    let isOurselves = program == "nftrace"
    // Sound: the strings live until they are freed, after the call that copies them.
    var words = unsafe arguments.map { unsafe strdup($0) } + [nil]
    defer { unsafe words.forEach { unsafe free($0) } }
    var process: pid_t = 0
    let code = unsafe nftrace_spawn_foreground(
      isOurselves ? "/proc/self/exe" : program, &words, &process)
    guard code == 0 else {
      throw KernelError(
        .usage, cannot: "run \(program)", function: "posix_spawnp", errno: code)
    }
    let end = nftrace_pidfd(process)
    defer { close(end) }
    var status: Int32 = 0
    // One that is none is not waited for.
    loop.watch([end])
    while unsafe waitpid(process, &status, WNOHANG) == 0 {
      loop.wait(nanoseconds: 100_000_000)
      if let signal = loop.signal(), signal != SIGINT { kill(process, signal) }
    }
    return nftrace_exit_code(status)
  }

  /// Has the kernel end this process when the one that started it ends.
  package static func endWithParent() { nftrace_end_with_parent() }

  /// Lets what is run find this program by its name.
  package static func offerOurselves() {
    guard let file = Files.destination(ofLink: "/proc/self/exe"), let end = file.lastIndex(of: "/"),
      file[end...] == "/nftrace"
    else { return }
    let path = Terminal.environment("PATH") ?? "/usr/sbin:/usr/bin:/sbin:/bin"
    Terminal.setEnvironment("PATH", "\(file[..<end]):\(path)")
  }

  /// Runs a command of the user's in a shell. Returns its exit code, and all that it printed. Throws where there is
  /// no shell.
  package static func shell(_ command: String) throws(KernelError) -> (code: Int32, output: String)
  {
    guard let end = end(of: ["/bin/sh", "-c", "exec 2>&1\n\(command)"]) else {
      throw KernelError(cannot: "run a command", function: "posix_spawn", errno: ENOENT)
    }
    return end
  }

  /// Runs a program that is found as a shell finds it, without one reading the words. Returns its exit code, 127 where
  /// there is none, and all that it printed.
  static func run(_ words: [String]) throws(KernelError) -> (code: Int32, output: String) {
    guard let end = end(of: ["/bin/sh", "-c", "exec 2>&1; exec \"$@\"", "sh"] + words) else {
      throw KernelError(cannot: "run \(words[0])", function: "posix_spawn", errno: ENOENT)
    }
    return end
  }

  /// Runs this program again. Returns its exit code and all that it printed.
  package static func ourselves(_ words: [String]) throws(KernelError) -> (
    code: Int32, output: String
  ) {
    try run(["/proc/\(getpid())/exe"] + words)
  }

  /// What a program prints; nil if it cannot be run or fails. `arguments` begin with its absolute
  /// path; it gets no shell, no input, and its complaints are thrown away.
  static func output(_ arguments: [String]) -> String? {
    guard let end = end(of: arguments), end.code == 0 else { return nil }
    return end.output
  }

  /// How a program ended, and what it printed; nil if it cannot be run.
  private static func end(of arguments: [String]) -> (code: Int32, output: String)? {
    var ends: [Int32] = [0, 0]
    // Sound: the array has the two elements that the function fills.
    guard unsafe nftrace_pipe(&ends) == 0 else { return nil }
    let reading = FileDescriptor(owning: ends[0])
    let writing = FileDescriptor(owning: ends[1])
    var words = unsafe arguments.map { unsafe strdup($0) } + [nil]
    defer { unsafe words.forEach { unsafe free($0) } }
    var process: pid_t = 0
    let code = unsafe nftrace_spawn_reader(arguments[0], &words, writing.number, &process)
    writing.closeNow()
    guard code == 0 else { return nil }
    let bytes = try? reading.readToEnd()
    var status: Int32 = 0
    _ = try? syscall { unsafe waitpid(process, &status, 0) }
    guard let bytes else { return nil }
    return (nftrace_exit_code(status), String(decoding: bytes, as: UTF8.self))
  }
}
