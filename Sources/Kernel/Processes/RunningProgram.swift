internal import Glibc

/// A process, and what it was called with.
public struct RunningProgram: Sendable {
  /// Its number.
  public var process: Int32
  /// Its command line, the program's name first.
  public var arguments: [String]

  /// Those that are called so, as `ps -o comm` shows it, this one left out.
  public static func all(called name: String) -> [RunningProgram] {
    NamespaceSurvey.processes().compactMap { process in
      guard process != getpid(), (try? Files.text("/proc/\(process)/comm")) == name + "\n",
        let text = try? Files.text("/proc/\(process)/cmdline")
      else { return nil }
      let words = text.split(separator: "\0", omittingEmptySubsequences: false).dropLast()
      return RunningProgram(process: process, arguments: words.map(String.init))
    }
  }
}
