internal import CNetfilter
internal import Glibc

/// The program in which a person reads what may be longer than a screen: from when it is started to its end, it has
/// what goes to standard output.
package struct Pager: ~Copyable {
  private let process: pid_t

  /// Starts the program that $PAGER names, or less(1) where that is not set; nil where there is none, or none is
  /// wanted. A key that interrupts is the pager's from then on.
  package static func start() -> Pager? {
    let named = Terminal.environment("PAGER")
    guard let program = named ?? (exists("less") ? "less" : nil), !program.isEmpty, program != "cat"
    else { return nil }
    var ends: [Int32] = [0, 0]
    // Sound: the array has the two elements that the function fills.
    guard unsafe nftrace_pipe(&ends) == 0 else { return nil }
    let reading = FileDescriptor(owning: ends[0])
    let writing = FileDescriptor(owning: ends[1])
    let kept = FileDescriptor(owning: nftrace_dup(0))
    dup2(reading.number, 0)
    // What fits on the screen stays there, and colours are colours. Who may only read recordings as root is given
    // no shell by less(1).
    let script =
      "LESS=\"${LESS-FRX}\" LESSSECURE=\"${LESSSECURE-1}\"; export LESS LESSSECURE; \(program)"
    let arguments = ["sh", "-c", script]
    // Sound: the strings live until they are freed, after the call that copies them.
    var words = unsafe arguments.map { unsafe strdup($0) } + [nil]
    defer { unsafe words.forEach { unsafe free($0) } }
    var process: pid_t = 0
    let code = unsafe nftrace_spawn_foreground("/bin/sh", &words, &process)
    dup2(kept.number, 0)
    guard code == 0 else { return nil }
    dup2(writing.number, 1)
    signal(SIGINT, SIG_IGN)
    return Pager(process: process)
  }

  /// The program that $PAGER names, where it is none that can be run; nil where it can, or there is more in it than a
  /// program and its options, which only a shell understands.
  package static var missing: String? { missing(in: Terminal.environment("PAGER") ?? "") }

  /// The same of what $PAGER is.
  package static func missing(in pager: String) -> String? {
    let words = pager.split(separator: " ").drop {
      $0.contains("=")
    }
    guard let program = words.first.map(String.init), program != "cat",
      program.utf8.allSatisfy({ $0 > 0x20 && !"'\"`$\\;&|<>()*?[]~#".utf8.contains($0) })
    else { return nil }
    if program.contains("/") {
      // Sound: the name ends with a zero, which is as far as the call reads.
      return unsafe access(program.nameForC, X_OK) == 0 ? nil : program
    }
    return exists(program) || shellsOwn.contains(program) ? nil : program
  }

  /// Commands that the shell has itself, and that copy or drop what they read.
  private static let shellsOwn: Set<String> = [":", "true", "false", "exec", "eval", "command"]

  private static func exists(_ program: String) -> Bool {
    (Terminal.environment("PATH") ?? "/usr/bin:/bin").split(separator: ":").contains {
      // Sound: the name ends with a zero, which is as far as the call reads.
      unsafe access("\($0)/\(program)".nameForC, X_OK) == 0
    }
  }

  /// Says that there is no more, and waits until it was read. Returns whether there was a program that did.
  package consuming func finish() -> Bool {
    close(1)
    var status: Int32 = 0
    // Sound: the pointer is that of a variable of the type the function fills.
    _ = try? syscall { unsafe waitpid(process, &status, 0) }
    // Exit codes 126 and 127, by which sh(1) says that there was nothing to run.
    return status != 126 << 8 && status != 127 << 8
  }
}
