internal import CNetfilter
internal import Glibc

/// A control group that a socket is made in, as if a process of the group had made it.
package final class ControlGroup: Sendable {
  /// The group's "cgroup.procs", open for writing: what may be done with it is decided as it is opened.
  private let processes: FileDescriptor

  /// Where control groups are mounted as a rule: version 2 alone, and beside version 1.
  private static let mounts = ["", "/sys/fs/cgroup/", "/sys/fs/cgroup/unified/"]

  /// The group of this path: the whole of it, or as /proc/PID/cgroup has it.
  package init(_ path: String) throws(KernelError) {
    var failed = ENOENT
    for mount in Self.mounts where !(mount.isEmpty && !path.hasPrefix("/")) {
      let file = "\(mount)\(path)/cgroup.procs"
      // Sound: the name ends with a zero, which is as far as the call reads.
      let number = unsafe open(file, O_WRONLY | O_CLOEXEC)
      if number >= 0 {
        processes = FileDescriptor(owning: number)
        return
      }
      if Glibc.errno != ENOENT { failed = Glibc.errno }
    }
    throw KernelError(
      failed == ENOENT ? .usage : .unavailable, cannot: "send from the control group \(path)",
      function: "open", errno: failed,
      help: failed == ENOENT
        ? "There is no such group: /proc/PID/cgroup has that of a process." : nil)
  }

  /// A socket of a process in it; -1 and an errno.
  func socket(user: Int, _ family: Int32, _ type: Int32, _ proto: Int32) -> Int32 {
    nftrace_socket_in(processes.number, user, family, type, proto)
  }
}
