internal import Glibc

/// Whether anybody but nftrace still uses the network namespace of the calling thread. A namespace
/// is there as long as somebody holds it, and a recorder holds the one that it records: when its name
/// is removed and the last process in it ends, the recorder alone would keep it for ever.
///
/// Somebody is a process in it (or one of its threads), or a mount of it (`ip netns` makes one of each
/// name, container engines have theirs elsewhere) in this process's mount namespace or in that of the
/// machine's first process. Descriptors and sockets alone, and mounts in other mount namespaces, are
/// not seen. It takes no rights: which namespace a process is in is told by what is below its
/// /proc/PID/net, where the same file has another number in each.
package struct NamespaceHolders: Sendable {
  private let identity: NetworkNamespace.Identity
  /// What the namespace's file of devices is, by whatever path.
  private let devices: FileIdentity?
  /// Who was seen to hold it last. It is looked at first: mostly that is one call.
  private var witness: Witness?

  private enum Witness: Sendable {
    /// Where it is mounted.
    case mount(String)
    /// The directory of /proc that is of somebody in it.
    case process(String)
  }

  /// Of the calling thread's namespace.
  package init() throws(KernelError) {
    identity = try NetworkNamespace.current().identity
    devices = FileIdentity("/proc/thread-self/net/dev")
  }

  /// Whether somebody holds it. Costs a few calls as long as it is who it was the last time, and some
  /// milliseconds else.
  package mutating func areThere() -> Bool {
    if let witness, isHeld(by: witness) { return true }
    witness = find()
    return witness != nil
  }

  private func isHeld(by witness: Witness) -> Bool {
    switch witness {
    case .mount(let path): (try? NetworkNamespace(path).identity) == identity
    case .process(let path): isHere(path)
    }
  }

  private func isHere(_ process: String) -> Bool {
    guard let devices, let theirs = FileIdentity(process + "/net/dev") else { return false }
    return theirs.isSame(as: devices)
  }

  private func find() -> Witness? {
    for process in ["self", "1"] {
      let mount = NamespaceSurvey.mounts(of: process).first { $0.identity == identity }
      // A path of another mount namespace may lead elsewhere here.
      if let mount { return .mount(process == "1" ? "/proc/1/root" + mount.path : mount.path) }
    }
    let others = NamespaceSurvey.processes().filter { !isOurs($0) }.map { "/proc/\($0)" }
    if let process = others.first(where: isHere) { return .process(process) }
    // Threads may be elsewhere than their process.
    let threads = others.lazy.flatMap { process in
      Files.names(in: process + "/task").lazy.map { "\(process)/task/\($0)" }
    }
    return threads.first(where: isHere).map { .process($0) }
  }

  /// Whether a process is nftrace, as this one is.
  private func isOurs(_ process: Int32) -> Bool {
    process == getpid() || (try? Files.text("/proc/\(process)/comm")) == "nftrace\n"
  }
}
