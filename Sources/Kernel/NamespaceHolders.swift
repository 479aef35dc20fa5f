internal import Glibc

/// Whether anybody but nftrace still uses the network namespace of the calling thread. A namespace
/// is there as long as somebody holds it, and a recorder holds the one that it records: when its name
/// is removed and the last process in it ends, the recorder alone would keep it for ever.
///
/// Somebody is a process in it (or one of its threads), a mount of it (`ip netns` makes one of each
/// name, container engines have theirs elsewhere) in this process's mount namespace or in that of the
/// machine's first process, or a program that holds a descriptor of it. Sockets alone, and mounts in
/// other mount namespaces, are not seen. Without CAP_SYS_PTRACE most processes may not be looked at:
/// then it is taken to be held, unless there is nobody else.
public struct NamespaceHolders: Sendable {
  private let identity: NetworkNamespace.Identity
  /// Who was seen to hold it last. It is looked at first: mostly that is one call.
  private var witness: Witness?
  /// What programs are nftrace.
  private let program: String?

  private enum Witness: Sendable {
    /// Where it is mounted.
    case mount(String)
    /// A link of /proc that leads to it.
    case link(String)
    /// Perhaps a process that may not be looked at.
    case hidden
  }

  /// Of the calling thread's namespace.
  public init() throws(KernelError) {
    identity = try NetworkNamespace.current().identity
    program = Files.destination(ofLink: "/proc/self/exe")
  }

  /// Whether somebody holds it. Costs a few calls as long as it is who it was the last time, and some
  /// milliseconds else.
  public mutating func areThere() -> Bool {
    if let witness, isHeld(by: witness) { return true }
    witness = find()
    return witness != nil
  }

  private func isHeld(by witness: Witness) -> Bool {
    switch witness {
    case .mount(let path): (try? NetworkNamespace(path).identity) == identity
    case .link(let path): leadsHere(path)
    case .hidden: false
    }
  }

  private func leadsHere(_ path: String) -> Bool {
    Files.destination(ofLink: path).flatMap { NamespaceSurvey.identity(in: $0) } == identity
  }

  private func find() -> Witness? {
    for process in ["self", "1"] {
      let mount = NamespaceSurvey.mounts(of: process).first { $0.identity == identity }
      // A path of another mount namespace may lead elsewhere here.
      if let mount { return .mount(process == "1" ? "/proc/1/root" + mount.path : mount.path) }
    }
    let others = NamespaceSurvey.processes().filter { !isOurs($0) }.map { "/proc/\($0)" }
    if let process = others.first(where: { leadsHere($0 + "/ns/net") }) {
      return .link(process + "/ns/net")
    }
    // Without the right to look at others, nobody is told from somebody.
    if !Capability.isEffective(Capability.processTracing),
      others.contains(where: { Files.destination(ofLink: $0 + "/ns/net") == nil })
    {
      return .hidden
    }
    // Threads may be elsewhere than their process; and who has opened it may come back.
    let hidden = others.lazy.flatMap { process in
      Files.names(in: process + "/task").lazy.map { "\(process)/task/\($0)/ns/net" }
        + Files.names(in: process + "/fd").lazy.map { "\(process)/fd/\($0)" }
    }
    return hidden.first(where: leadsHere).map { .link($0) }
  }

  /// Whether a process is nftrace, as this one is.
  private func isOurs(_ process: Int32) -> Bool {
    guard let program else { return process == getpid() }
    return Files.destination(ofLink: "/proc/\(process)/exe") == program
  }
}
