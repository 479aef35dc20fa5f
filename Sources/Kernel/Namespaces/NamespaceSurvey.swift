internal import Glibc

/// The network namespaces of this machine, as far as they can be found: by their names, by where they
/// are mounted otherwise, and by the processes in them. One that is held by a descriptor or a socket
/// alone is not found.
package struct NamespaceSurvey: Sendable {
  /// A namespace, and what leads to it.
  package struct Found: Sendable {
    /// Which one it is.
    package var identity: NetworkNamespace.Identity
    /// Its names for `ip netns`.
    package var names: [String] = []
    /// Other places where it is mounted.
    package var paths: [String] = []
    /// The containers and pods that it is of.
    package var containers: [Container] = []
    /// The processes in it, the lowest number first.
    package var processes: [Int32] = []

    /// One that nothing leads to yet.
    package init(identity: NetworkNamespace.Identity) { self.identity = identity }

    /// Whether it is the one of the machine: of its first process, or of the kernel's own threads.
    package var isOfMachine: Bool { processes.first == 1 || Self.isKernelThread(processes.first) }

    /// The kernel's second process is the parent of all of its threads. A container may have one of
    /// its own with that number.
    private static func isKernelThread(_ process: Int32?) -> Bool {
      process == 2 && (try? Files.text("/proc/2/comm")) == "kthreadd\n"
    }

    /// What `--netns` takes for it.
    package var call: String? {
      names.first ?? (isOfMachine ? nil : containers.first?.name) ?? paths.first
        ?? processes.first.map { "\($0)" }
    }

    /// The same, as nobody can take it for another.
    fileprivate var path: String? {
      names.first.map { "\(NetworkNamespace.directory)/\($0)" } ?? paths.first
        ?? processes.first.map { "/proc/\($0)/ns/net" }
    }

    /// Opens it.
    package func open() throws(KernelError) -> NetworkNamespace {
      guard let path else {
        throw KernelError(.usage, cannot: "open the network namespace \(identity)")
      }
      return try NetworkNamespace(path)
    }
  }

  /// Those that were found: first that of the machine's first process, then by name.
  package private(set) var found: [Found] = []
  /// Names that lead to no namespace, or to none that may be opened, and why.
  package private(set) var broken: [(name: String, reason: String)] = []
  /// How many processes could not be looked at.
  package private(set) var hiddenProcesses = 0

  /// What somebody else found.
  package init(
    found: [Found], broken: [(name: String, reason: String)] = [], hiddenProcesses: Int = 0
  ) {
    self.found = found
    self.broken = broken
    self.hiddenProcesses = hiddenProcesses
  }

  /// Looks at the machine as it is now.
  package init() {
    for name in NetworkNamespace.names {
      do {
        let identity = try NetworkNamespace("\(NetworkNamespace.directory)/\(name)").identity
        change(identity) { $0.names.append(name) }
      } catch {
        broken.append((name, error.description.split(separator: "\n").joined(separator: "; ")))
      }
    }
    for (identity, path) in Self.mounts() where !path.hasPrefix(NetworkNamespace.directory + "/") {
      change(identity) { if !$0.paths.contains(path) { $0.paths.append(path) } }
    }
    let containers = ContainerSurvey().found
    for container in containers where containers.count(where: { $0.name == container.name }) == 1 {
      guard let identity = try? NetworkNamespace(container.path).identity else { continue }
      change(identity) { $0.containers.append(container) }
    }
    for process in Self.processes() {
      switch Self.namespace(of: "\(process)") {
      case .success(let identity): change(identity) { $0.processes.append(process) }
      case .failure(let error): if error.code == EACCES { hiddenProcesses += 1 }
      }
    }
    found.sort {
      (($0.isOfMachine ? 0 : 1), $0.names.first ?? "\u{10ffff}", $0.identity.inode)
        < (($1.isOfMachine ? 0 : 1), $1.names.first ?? "\u{10ffff}", $1.identity.inode)
    }
  }

  /// What `--netns` takes for each, by its inode, as it is now.
  package static func calls() -> [UInt64: String] {
    NamespaceSurvey().found.reduce(into: [:]) { calls, found in
      calls[found.identity.inode] = found.call
    }
  }

  private mutating func change(
    _ identity: NetworkNamespace.Identity, _ body: (inout Found) -> Void
  ) {
    let index = found.firstIndex { $0.identity == identity } ?? found.count
    if index == found.count { found.append(Found(identity: identity)) }
    body(&found[index])
  }

  // MARK: Where they are to be found

  /// The processes there are, the lowest number first.
  static func processes() -> [Int32] { Files.names(in: "/proc").compactMap { Int32($0) }.sorted() }

  /// The network namespace of a process, or of a thread: "PID/task/TID".
  static func namespace(of process: String) -> Result<NetworkNamespace.Identity, Errno> {
    guard let text = Files.destination(ofLink: "/proc/\(process)/ns/net") else {
      return .failure(.current)
    }
    return identity(in: text).map { .success($0) } ?? .failure(Errno(code: ENOENT))
  }

  /// The number in "net:[4026531840]".
  static func identity(in text: some StringProtocol) -> NetworkNamespace.Identity? {
    guard text.hasPrefix("net:["), text.hasSuffix("]") else { return nil }
    return UInt64(text.dropFirst(5).dropLast()).map { NetworkNamespace.Identity(inode: $0) }
  }

  /// The namespaces that are mounted somewhere in the mount namespace of a process, and where.
  static func mounts(
    of process: String = "self"
  ) -> [(identity: NetworkNamespace.Identity, path: String)] {
    guard let text = try? Files.text("/proc/\(process)/mountinfo") else { return [] }
    return mounts(inMountinfo: text)
  }

  /// The same in the text of mountinfo, proc_pid_mountinfo(5): the root of such a mount is what it is
  /// called, the mount point comes behind it, with octal escapes.
  static func mounts(
    inMountinfo text: String
  ) -> [(identity: NetworkNamespace.Identity, path: String)] {
    guard text.contains("net:[") else { return [] }
    return text.split(separator: "\n").compactMap { line in
      let fields = line.split(separator: " ")
      guard fields.count > 4, line.contains(" - nsfs "), let identity = identity(in: fields[3])
      else { return nil }
      return (identity, unescaped(fields[4]))
    }
  }

  private static func unescaped(_ text: Substring) -> String {
    guard text.contains("\\") else { return String(text) }
    var octets: [UInt8] = []
    var rest = Array(text.utf8)[...]
    while let octet = rest.popFirst() {
      let digits = rest.prefix(3)
      if octet == UInt8(ascii: "\\"), digits.count == 3,
        let value = UInt8(String(decoding: digits, as: UTF8.self), radix: 8)
      {
        octets.append(value)
        rest = rest.dropFirst(3)
      } else {
        octets.append(octet)
      }
    }
    return String(decoding: octets, as: UTF8.self)
  }
}
