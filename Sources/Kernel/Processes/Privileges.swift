internal import CNetfilter
internal import Glibc

/// The rights of this process. What it opened with them stays open when they are given up.
package enum Privileges {
  /// What it may do, or may let itself do.
  package static var permitted: Capabilities { current.permitted }

  /// What it may do.
  package static var effective: Capabilities { current.effective }

  /// Whether this process has more rights than who started it.
  static var distrustsCaller: Bool { nftrace_is_secure() != 0 }

  /// Where the program has more rights than who started it, takes nothing more from them: libraries, and
  /// programs that are started, would follow their environment (libxtables loads what `XTABLES_LIBDIR`
  /// names). Throws for a program that is set-user-id: it would give its rights to anybody, for it
  /// writes files where it is told and runs commands. To be called before anything else looks at the
  /// environment. The corresponding C function is `clearenv`.
  package static func distrustCaller() throws(KernelError) {
    guard nftrace_is_secure() != 0 else { return }
    guard getuid() == geteuid(), getgid() == getegid() else {
      throw KernelError(
        cannot: "work set-user-id or set-group-id",
        help: "Whoever may start it would have all rights of its owner. Use sudo, or give the file "
          + "capabilities: setcap cap_net_admin+ep.")
    }
    clearenv()
    // Sound: both are literals, and copied; no other thread runs yet that might read the
    // environment.
    _ = unsafe setenv("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", 1)
  }

  /// Gives up all rights but `wanted`, for good: in all sets, in those of programs that are started
  /// from now on, and no program gets any more by being executed (`PR_SET_NO_NEW_PRIVS`). Rights that
  /// are not there are not had afterwards either. Those over other people's files stay where a
  /// directory of `writing`, in which files are still to be made, or a file of `reading`, which is
  /// still to be opened again, could not be reached without them.
  ///
  /// It is about the calling thread and those it starts: to be called before there are others. The
  /// corresponding system calls are `prctl` and `capset`.
  package static func keep(
    _ wanted: Capabilities, writing: [String] = [], reading: [String] = []
  ) throws(KernelError) {
    let attempt = "give up the rights that are not needed any more"
    guard nftrace_no_new_privileges() == 0 else {
      throw KernelError(cannot: attempt, function: "prctl", errno: errno)
    }
    let old = current
    var kept = wanted
    if !old.permitted.isDisjoint(with: [.fileOverride, .fileReading]) {
      // Tried without them, which is what it would be like.
      var tried = old
      tried.effective.formIntersection(wanted)
      try set(tried, attempt)
      if !writing.allSatisfy({ isAllowed($0, W_OK | X_OK) }) { kept.insert(.fileOverride) }
      if !reading.allSatisfy({ isAllowed($0, R_OK) }) { kept.insert(.fileReading) }
      try set(old, attempt)
    }
    kept.formIntersection(old.permitted)
    // Without CAP_SETPCAP the bounding set stays, and no_new_privs keeps it from mattering.
    for number in Capabilities.numbers where kept.rawValue >> UInt64(number) & 1 == 0 {
      if nftrace_drop_bounding(number) != 0 { break }
    }
    // What is not inheritable is not ambient.
    try set(
      Sets(
        permitted: old.permitted.intersection(kept), effective: old.effective.intersection(kept),
        inheritable: old.inheritable.intersection(kept)), attempt)
  }

  private struct Sets {
    var permitted: Capabilities = []
    var effective: Capabilities = []
    var inheritable: Capabilities = []
  }

  private static var current: Sets {
    var sets = Sets()
    // Sound: the pointers are those of variables of the type the function fills.
    guard
      unsafe nftrace_capabilities(
        &sets.permitted.rawValue, &sets.effective.rawValue, &sets.inheritable.rawValue) == 0
    else { return Sets() }
    return sets
  }

  private static func set(_ sets: Sets, _ attempt: String) throws(KernelError) {
    guard
      nftrace_set_capabilities(
        sets.permitted.rawValue, sets.effective.rawValue, sets.inheritable.rawValue) == 0
    else { throw KernelError(cannot: attempt, function: "capset", errno: errno) }
  }

  /// Whether the file can be reached with the effective rights; one that is not there cannot be
  /// denied.
  private static func isAllowed(_ path: String, _ mode: Int32) -> Bool {
    // Sound: the name ends with a zero, which is as far as the call reads.
    unsafe faccessat(AT_FDCWD, path.nameForC, mode, AT_EACCESS) == 0 || errno != EACCES
  }
}
