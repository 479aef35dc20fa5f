internal import CNetfilter
internal import Glibc

/// A user namespace: user_namespaces(7). Who has no rights is root in one of their own, over what is made there.
package enum UserNamespace {
  /// Moves this process into a user namespace of its own, in which it is root, and into a network namespace of that,
  /// for there is no way back. To be called while there is one thread.
  /// Throws where the kernel has none, or does not let this user make one.
  package static func enter() throws(KernelError) {
    let (user, group) = (geteuid(), getegid())
    let attempt = "make a copy of a network namespace without the rights of root"
    guard unshare(nftrace_clone_newuser | nftrace_clone_newnet) == 0 else {
      let code = Glibc.errno
      throw KernelError(
        cannot: attempt, function: "unshare", errno: code, help: help(for: code))
    }
    // Where the file is not there, groups cannot be set anyway.
    try? write("deny", to: "/proc/self/setgroups")
    do throws(Errno) {
      try write("0 \(user) 1", to: "/proc/self/uid_map")
      try write("0 \(group) 1", to: "/proc/self/gid_map")
    } catch {
      throw KernelError(
        cannot: attempt, function: "write", errno: error.code,
        help:
          "This machine does not let users map their ids (/proc/self/uid_map): run as root (sudo).")
    }
  }

  private static func write(_ text: String, to path: String) throws(Errno) {
    try FileDescriptor(path, O_WRONLY).write(Array(text.utf8))
  }

  /// What helps where none can be made.
  private static func help(for code: Int32) -> String {
    switch code {
    case EINVAL, ENOSYS:
      "This kernel has no user namespaces (CONFIG_USER_NS): run as root (sudo)."
    case ENOSPC:
      "No more user namespaces are allowed (user.max_user_namespaces): run as root (sudo), or raise it."
    default:
      "Users may not make user namespaces here (kernel.apparmor_restrict_unprivileged_userns, "
        + "kernel.unprivileged_userns_clone, or a container's seccomp filter): run as root (sudo)."
    }
  }
}
