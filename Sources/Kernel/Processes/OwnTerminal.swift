internal import Glibc
package import Wire

/// The terminal from which this program was started.
package enum OwnTerminal {
  /// The SSH connection that it is the end of; nil where it is none, or where the caller is not to be believed.
  package static var connection: TCPConversation? {
    guard !Privileges.distrustsCaller else { return nil }
    if let text = Terminal.environment(name) { return TCPConversation(text) }
    // sudo(8) leaves the variable out; those who started it have it.
    var process = getppid()
    for _ in 0..<16 where process > 1 {
      if let found = variable(of: process) { return TCPConversation(found) }
      guard let parent = ProcessIdentity.parent(of: process) else { return nil }
      process = parent
    }
    return nil
  }

  private static let name = "SSH_CONNECTION"

  private static func variable(of process: Int32) -> String? {
    (try? Files.text("/proc/\(process)/environ"))?.split(separator: "\0").first {
      $0.hasPrefix(name + "=")
    }.map { String($0.dropFirst(name.count + 1)) }
  }
}
