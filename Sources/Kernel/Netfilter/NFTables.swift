internal import CNetfilter
internal import Glibc
internal import Trace

/// libnftables, for the texts of rules.
enum NFTables {
  /// The output of a command, with handles and without counters; nil if it failed.
  static func run(_ command: Command) -> String? {
    // Sound: who runs it was made for this, and is gone afterwards.
    unsafe output(of: command, by: nftrace_nft_open())
  }

  /// The same of the rules of another network namespace. Interfaces have the names of that of the calling thread.
  static func run(_ command: Command, in space: borrowing NetworkNamespace) -> String? {
    // Sound: who runs it was made for this, and is gone afterwards.
    let runner = try? unsafe space.within { unsafe nftrace_nft_open() }
    return unsafe output(of: command, by: runner ?? nil)
  }

  private static func output(of command: Command, by runner: OpaquePointer?) -> String? {
    // Sound: the text is ours, ends with a zero, and is copied before it is freed.
    guard let text = unsafe nftrace_nft(runner, command.text) else { return nil }
    defer { unsafe free(text) }
    return unsafe String(cString: text)
  }

  /// What is wrong with a file, in nft's words; nil once all that it says is done.
  static func load(file path: String) throws(KernelError) -> String? {
    // Sound: the name ends with a zero; the text is ours, ends with one as well, and is copied before it is freed.
    guard let text = unsafe nftrace_nft_file(path.nameForC) else { return nil }
    defer { unsafe free(text) }
    let fault = unsafe String(cString: text)
    if fault.isEmpty {
      throw KernelError(
        cannot: "read \(path)", help: "libnftables is not there: apt install libnftables1")
    }
    return fault
  }
}
