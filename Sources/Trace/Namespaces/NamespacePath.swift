/// What a network namespace is called, and what leads to it.
package struct NamespacePath: Sendable, Equatable {
  /// As it was asked for.
  package let name: String
  /// Its file: "/run/netns/web", "/proc/4711/ns/net"; nil where nobody knows it.
  package let path: String?

  /// The namespace of this name and file.
  package init(name: String, path: String? = nil) {
    self.name = name
    self.path = path
  }

  /// What ip-netns(8) has names for.
  private static let directories = ["/run/netns/", "/var/run/netns/"]

  /// What runs a command there; nil where no shell takes the name.
  var entering: Command? {
    guard let path else { return nil }
    for directory in Self.directories where path.hasPrefix(directory) {
      guard let word = try? Word.namespace(String(path.dropFirst(directory.count))) else {
        return nil
      }
      return "ip netns exec \(word) "
    }
    let parts = path.split(separator: "/")
    if parts.count == 4, parts[0] == "proc", let process = Int32(parts[1]), parts[2] == "ns" {
      return "nsenter -t \(process) -n "
    }
    return (try? Word.namespace(path)).map { "nsenter --net=\($0) " }
  }
}
