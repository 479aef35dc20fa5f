internal import Glibc

/// A process, and what it was called with.
package struct RunningProgram: Sendable {
  /// Its number.
  package var process: Int32
  /// Its command line, the program's name first.
  package var arguments: [String]

  /// A process of this number.
  package init(process: Int32, arguments: [String]) {
    self.process = process
    self.arguments = arguments
  }

  /// Removes this very program from a directory that was made for it alone, and that. It runs on.
  package static func removeOurselves(from directory: String) {
    let path = directory + "/nftrace"
    guard Files.destination(ofLink: "/proc/self/exe") == path else { return }
    // Sound: the names end with a zero, which is as far as the calls read.
    _ = unsafe unlink(path.nameForC)
    _ = unsafe rmdir(directory.nameForC)
  }

  /// Those that are called so, as `ps -o comm` shows it, this one left out.
  package static func all(called name: String) -> [RunningProgram] {
    NamespaceSurvey.processes().compactMap { process in
      guard process != getpid(), (try? Files.text("/proc/\(process)/comm")) == name + "\n",
        let text = try? Files.text("/proc/\(process)/cmdline")
      else { return nil }
      let words = text.split(separator: "\0", omittingEmptySubsequences: false).dropLast()
      return RunningProgram(process: process, arguments: words.map(String.init))
    }
  }
}
