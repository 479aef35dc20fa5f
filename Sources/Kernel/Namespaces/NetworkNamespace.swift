internal import CNetfilter
internal import Glibc

/// A network namespace, held by a file descriptor: network_namespaces(7).
package struct NetworkNamespace: ~Copyable {
  private let file: FileDescriptor
  /// Which namespace it is.
  package let identity: Identity
  /// The file that led to it.
  package let path: String

  /// What tells namespaces apart.
  package struct Identity: Sendable, Hashable, CustomStringConvertible {
    /// The number `ls -l /proc/PID/ns/net` shows. It is given to another namespace when this one is
    /// gone.
    package var inode: UInt64

    /// The identity with this number.
    package init(inode: UInt64) { self.inode = inode }

    /// As /proc prints it: "net:[4026531840]".
    package var description: String { "net:[\(inode)]" }
  }

  /// Where named namespaces are, as ip-netns(8) keeps them.
  package static let directory = "/run/netns"

  /// The file descriptor, for requests that name a namespace by one. Valid as long as this value
  /// lives.
  package var descriptor: Int32 { file.number }

  // MARK: Opening

  /// Opens the namespace that a user named: by NAME as `ip netns` has it, by PATH, by PID (digits only; a name
  /// of digits that exists is taken for the name), or by what a container or a pod is called.
  package init(_ text: String) throws(KernelError) {
    if Self.isPath(text) {
      try self.init(path: text, called: text)
    } else if text.isEmpty || text == "." || text == ".." {
      throw KernelError(
        .usage, cannot: "open the network namespace '\(text)'",
        help: "that is no name: 'ip netns' lists them")
    } else if let path = Self.path(ofName: text) {
      try self.init(path: path, called: text)
    } else if text.utf8.allSatisfy({ 0x30...0x39 ~= $0 }) {
      try self.init(path: "/proc/\(text)/ns/net", called: "of process \(text)")
    } else {
      try self.init(path: Self.path(ofContainer: text), called: "of \(text)")
    }
  }

  /// Whether that is a file, and not what a pod is called.
  private static func isPath(_ text: String) -> Bool {
    guard text.contains("/") else { return false }
    if text.hasPrefix("/") || text.hasPrefix(".") { return true }
    // Sound: the name ends with a zero, which is as far as the call reads.
    return unsafe access(text.nameForC, F_OK) == 0
  }

  /// The file of the namespace of the container or pod that is called so.
  private static func path(ofContainer asked: String) throws(KernelError) -> String {
    // As others write it: docker://web.
    let text = asked.firstRange(of: "://").map { String(asked[$0.upperBound...]) } ?? asked
    var survey = ContainerSurvey()
    let search = NamespaceSearch(names: names, containers: survey.found)
    let attempt = "open the network namespace \(text)"
    switch search.container(
      text, identity: { try? "\(NetworkNamespace(path: $0, called: $0).identity)" })
    {
    case .path(let path): return path
    case .several(let containers):
      let list = containers.map { "\($0.description) (--netns \($0.path))" }
      throw KernelError(
        .usage, cannot: attempt, help: "several are called so: \(list.joined(separator: ", "))")
    case .none(let nearly):
      let others = nearly.isEmpty ? "" : "; there is \(nearly.joined(separator: ", "))"
      throw KernelError(
        .usage, cannot: attempt, function: "open", errno: ENOENT,
        help: survey.stopped(text)
          ?? "no name of 'ip netns', no container and no pod is called so\(others). A path or a process id "
          + "will do as well" + (survey.isHidden ? "; as root, more containers are seen" : ""))
    }
  }

  /// The namespace of the calling thread.
  package static func current() throws(KernelError) -> NetworkNamespace {
    try NetworkNamespace(path: "/proc/thread-self/ns/net", called: "of this process")
  }

  /// The name of the calling thread's namespace, for `ip netns`; nil if it has none.
  package static var currentName: String? {
    guard let identity = try? current().identity else { return nil }
    return names.first {
      (try? NetworkNamespace(path: "\(directory)/\($0)", called: $0).identity) == identity
    }
  }

  private static func path(ofName name: String) -> String? {
    // Normally the second is a link to the first.
    [directory, "/var/run/netns"].map { "\($0)/\(name)" }.first {
      // Sound: the name ends with a zero, which is as far as the call reads.
      unsafe access($0.nameForC, F_OK) == 0
    }
  }

  private init(path: String, called name: String) throws(KernelError) {
    let attempt = "open the network namespace \(name)"
    let file: FileDescriptor
    do {
      file = try FileDescriptor(path, O_RDONLY)
    } catch {
      var help: String?
      if error.code == EACCES { help = "run as root, or as the user the process belongs to" }
      if error.code == ENOENT, path.hasPrefix("/proc/") { help = "there is no such process" }
      let isNoName = [ENOENT, ENOTDIR, ESRCH, ELOOP, ENAMETOOLONG, EINVAL].contains(error.code)
      throw KernelError(
        isNoName ? .usage : .unavailable, cannot: attempt, function: "open", errno: error.code,
        help: help)
    }
    try self.init(file, attempt: attempt, path: path)
  }

  /// Checks that the file is what it should be: ioctl_ns(2).
  private init(
    _ file: consuming FileDescriptor, attempt: String, path: String
  ) throws(KernelError) {
    let type = nftrace_namespace_type(file.number)
    // ENOTTY: a file of another kind.
    guard type >= 0 || errno == ENOTTY else { throw Self.failure(attempt, "ioctl NS_GET_NSTYPE") }
    guard type == nftrace_clone_newnet else {
      throw KernelError(
        .usage, cannot: attempt,
        help: "\(path) is no network namespace"
          + (path.hasPrefix("/run/netns") ? "; left behind by one, perhaps" : ""))
    }
    let inode = nftrace_inode(file.number)
    guard inode != 0 else {
      throw KernelError(cannot: attempt, function: "fstat", errno: errno)
    }
    self.file = file
    self.path = path
    identity = Identity(inode: inode)
  }

  // MARK: Entering

  /// Moves the calling thread there, and with it every thread it starts afterwards. Call it before
  /// there are others. The corresponding C function is `setns`. Needs CAP_SYS_ADMIN.
  package borrowing func enter() throws(KernelError) {
    guard setns(file.number, nftrace_clone_newnet) == 0 else {
      let code = errno
      throw KernelError(
        cannot: "enter the network namespace \(identity)", function: "setns", errno: code,
        help: code == EPERM ? "it needs CAP_SYS_ADMIN: run as root" : nil)
    }
  }

  /// Runs `body` there, on the calling thread, which comes back afterwards. What `body` opens stays
  /// in the namespace it was opened in. Throws what `body` throws.
  package borrowing func within<Result: ~Copyable>(
    _ body: () throws(KernelError) -> Result
  ) throws(KernelError) -> Result {
    let home = try NetworkNamespace.current()
    // Whoever is there already needs no right to enter.
    if home.identity == identity { return try body() }
    try enter()
    do {
      let result = try body()
      try home.enter()
      return result
    } catch {
      try home.enter()
      throw error
    }
  }

  // MARK: Making and removing

  /// Makes a namespace without a name, which goes with the last that holds it; `lo` is up.
  package static func create() throws(KernelError) -> NetworkNamespace {
    try create { () throws(KernelError) in }
  }

  /// Makes a namespace with a name, as `ip netns add` does, so that `ip netns exec` finds it. `lo`
  /// is up. Throws EEXIST if there is one of this name. Needs CAP_SYS_ADMIN.
  package static func create(named name: String) throws(KernelError) -> NetworkNamespace {
    let attempt = "create the network namespace \(name)"
    try checkName(name, attempt: attempt)
    try prepareDirectory(attempt: attempt)
    let path = "\(directory)/\(name)"
    do {
      _ = try FileDescriptor(path, O_RDONLY | O_CREAT | O_EXCL)
    } catch {
      throw KernelError(
        error.code == EEXIST ? .usage : .unavailable, cannot: attempt, function: "open",
        errno: error.code)
    }
    do {
      return try create { () throws(KernelError) in
        // Sound: the strings end with a zero, which is as far as the call reads.
        guard
          unsafe mount("/proc/thread-self/ns/net", path, "none", UInt(MS_BIND), nil) == 0
        else { throw failure(attempt, "mount") }
      }
    } catch {
      try? remove(named: name)
      throw error
    }
  }

  /// A new namespace, `publish` run inside of it.
  private static func create(
    _ publish: () throws(KernelError) -> Void
  ) throws(KernelError) -> NetworkNamespace {
    let attempt = "create a network namespace"
    let home = try NetworkNamespace.current()
    guard unshare(nftrace_clone_newnet) == 0 else { throw failure(attempt, "unshare") }
    do {
      let made = try NetworkNamespace.current()
      try publish()
      var socket = try RouteSocket()
      try socket.setLink("lo", up: true)
      try home.enter()
      return made
    } catch {
      try home.enter()
      throw error
    }
  }

  /// Whether there is one of this name, or what is left of one.
  static func exists(named name: String) throws(KernelError) -> Bool {
    // Sound: the name ends with a zero, which is as far as the call reads.
    if unsafe access("\(directory)/\(name)".nameForC, F_OK) == 0 { return true }
    if errno == ENOENT { return false }
    throw failure("look for the network namespace \(name)", "access")
  }

  /// Removes the name and what hangs on it; processes inside keep the namespace until they end.
  /// That there is no such name is no error.
  package static func remove(named name: String) throws(KernelError) {
    let attempt = "remove the network namespace \(name)"
    try checkName(name, attempt: attempt)
    let path = "\(directory)/\(name)"
    // EINVAL: nothing is mounted there.
    // Sound: a name ends with a zero, which is as far as the calls read.
    if unsafe umount2(path.nameForC, Int32(MNT_DETACH)) != 0, ![EINVAL, ENOENT].contains(errno) {
      throw failure(attempt, "umount2")
    }
    if unsafe unlink(path.nameForC) != 0, errno != ENOENT { throw failure(attempt, "unlink") }
  }

  /// A name is that of a file, in one directory.
  private static func checkName(_ name: String, attempt: String) throws(KernelError) {
    guard !name.isEmpty, name.utf8.count < 256, !name.contains("/"), name != ".", name != ".."
    else { throw KernelError(.usage, cannot: attempt, help: "that cannot be a file's name") }
  }

  /// The names there are, in alphabetical order.
  package static var names: [String] { Files.names(in: directory).sorted() }

  /// Makes /run/netns a shared mount, as `ip netns add` does: a namespace that is made or removed
  /// later is then seen to be so from every mount namespace that has a copy.
  private static func prepareDirectory(attempt: String) throws(KernelError) {
    // Sound: the name ends with a zero, which is as far as the call reads.
    if unsafe mkdir(directory, 0o755) != 0, errno != EEXIST { throw failure(attempt, "mkdir") }
    let lock = try openDirectory(attempt: attempt)
    // Two that make it a mount at the same time would stack them: ip(8) takes this lock as well.
    _ = flock(lock.number, LOCK_EX)
    let done = share()
    let code = errno
    _ = flock(lock.number, LOCK_UN)
    guard done else { throw failure(attempt, "mount", errno: code) }
  }

  private static func openDirectory(attempt: String) throws(KernelError) -> FileDescriptor {
    do {
      return try FileDescriptor(directory, O_RDONLY | O_DIRECTORY)
    } catch {
      throw KernelError(cannot: attempt, function: "open", errno: error.code)
    }
  }

  /// Makes the directory a shared mount; false, with errno set, if that failed.
  private static func share() -> Bool {
    let shared = UInt(MS_SHARED | MS_REC)
    // Sound: the strings end with a zero, which is as far as the calls read.
    if unsafe mount("", directory, "none", shared, nil) == 0 { return true }
    guard errno == EINVAL else { return false }
    // It is no mount point yet: make it one, on itself.
    let bind = UInt(MS_BIND | MS_REC)
    guard unsafe mount(directory, directory, "none", bind, nil) == 0 else { return false }
    return unsafe mount("", directory, "none", shared, nil) == 0
  }

  /// The error of the C function that just failed.
  private static func failure(
    _ attempt: String, _ function: String, errno code: Int32 = errno
  ) -> KernelError {
    KernelError(
      cannot: attempt, function: function, errno: code,
      help: code == EPERM ? "it needs CAP_SYS_ADMIN: run as root" : nil)
  }
}
