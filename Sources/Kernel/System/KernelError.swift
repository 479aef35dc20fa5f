internal import CNetfilter
internal import Glibc

/// A kernel facility that did not do what was asked of it.
package struct KernelError: Error, Sendable, CustomStringConvertible {
  /// Whose move it is, and so the exit code.
  package enum Kind: Sendable {
    /// What was asked for cannot be (wrong name, address, device…): exit code 2.
    case usage
    /// The kernel or the permissions do not allow it: exit code 3.
    case unavailable
  }

  /// Whose move it is.
  package var kind: Kind
  /// What was being attempted, as it reads after "cannot": "open the TUN device tun0".
  package var attempt: String
  /// The C function that failed, "" where none did.
  package var function: String
  /// Its errno; 0 where it gave none.
  package var errno: Int32
  /// What would help, as a sentence.
  package var help: String?

  /// An error of the call that just failed; `errno` is read by the caller, at once.
  package init(
    _ kind: Kind = .unavailable, cannot attempt: String, function: String = "", errno: Int32 = 0,
    help: String? = nil
  ) {
    self.kind = kind
    self.attempt = attempt
    self.function = function
    self.errno = errno
    self.help = help
  }

  /// What could not be done, why, and what would help, on one or two lines.
  package var description: String { reason + (help.map { "\n\($0)" } ?? "") }

  /// What could not be done, and why.
  package var reason: String {
    var text = "cannot \(attempt)"
    if errno != 0 { text += ": \(Self.message(errno))" }
    if !function.isEmpty { text += " (\(function))" }
    return text
  }

  /// Whether the rights of root are all that it takes: who asks is to read that first.
  package var needsRoot: Bool { help == Self.rootHelp(EACCES) }

  /// Whether it is the kernel's own answer that it did not do what it was asked: nothing was changed.
  /// Every other error may have come up after it was done.
  package var isRefusal: Bool { function == Self.rtnetlink && errno != 0 }

  /// `function` of an error that the kernel answered over rtnetlink.
  static let rtnetlink = "rtnetlink"

  /// Says one thing more that helps.
  package mutating func add(help more: String) {
    help = help.map { "\($0)\n\(more)" } ?? more
  }

  /// What helps where a file of nftrace's own may not be touched; nil for any other errno.
  static func rootHelp(_ errno: Int32) -> String? {
    switch errno {
    case EACCES, EPERM: "it needs the rights of root: run as root (sudo)"
    case EROFS: "NFTRACE_STATE_DIR names another place, which can be written to"
    default: nil
    }
  }

  /// The C library's words for an errno.
  static func message(_ errno: Int32) -> String {
    // Sound: the text is copied at once, before this thread asks for another.
    guard let text = unsafe strerror(errno) else { return "error \(errno)" }
    return unsafe String(cString: text)
  }
}
