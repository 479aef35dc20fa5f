/// Where packets are watched, where that is in several places: a network namespace of this machine, or a machine.
package struct Site: Sendable, Hashable {
  /// What it is.
  package let kind: Kind
  /// As it was asked for, or as a machine calls itself.
  package let name: String
  /// What leads to it: a namespace's file, "/run/netns/web" or "/proc/4711/ns/net"; or whom ssh(1) is to connect to,
  /// "root@r1". Nil where nobody knows it, and for the machine that asks.
  package let path: String?

  /// What packets can be watched in.
  package enum Kind: Sendable, Hashable {
    case namespace, machine
  }

  /// The namespace of this name and file.
  package init(name: String, path: String? = nil) {
    self.init(.namespace, name: name, path: path)
  }

  /// The machine of this name, which ssh(1) connects to.
  package init(machine: String, path: String? = nil) {
    self.init(.machine, name: machine, path: path)
  }

  private init(_ kind: Kind, name: String, path: String?) {
    self.kind = kind
    self.name = name
    self.path = path
  }

  /// What it is and what it is called, for people: "netns web", "host r1".
  package var words: String {
    (kind == .namespace ? "netns " : "host ") + Escape.name(name)
  }

  /// The same as an adverbial: "in netns web", "on r1".
  package var place: String {
    (kind == .namespace ? "in netns " : "on ") + Escape.name(name)
  }

  /// Whether ssh(1), and a shell, take this for a machine.
  package static func isMachine(_ name: String) -> Bool { (try? Word.machine(name)) != nil }

  /// What ip-netns(8) has names for.
  private static let directories = ["/run/netns/", "/var/run/netns/"]

  /// A command that is for a shell there, for one where this was asked; nil where no shell takes the name. For a
  /// machine that nobody knows the way to, it is for a shell there.
  func reached(by command: Command) -> Command? {
    switch kind {
    case .namespace: entering.map { command.run(through: $0) }
    case .machine:
      path.map { path in
        (try? Word.machine(path)).map { command.run(on: $0) }
      } ?? command
    }
  }

  /// What runs a command in a namespace.
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

extension [Site] {
  /// What they are called one after the other: "netns a → b", "r1 → r2".
  package func words(joinedBy separator: String) -> String {
    let names = map { Escape.name($0.name) }.joined(separator: separator)
    return allSatisfy { $0.kind == .namespace } ? "netns \(names)" : names
  }
}
