internal import CNetfilter
internal import Glibc

/// What all uses of bpf(2) share.
enum BPF {
  static func failure(
    _ attempt: String, _ function: String, _ code: Int32,
    rights: String = "CAP_BPF and CAP_PERFMON"
  ) -> KernelError {
    let help: String? =
      switch code {
      case EPERM:
        "This needs \(rights), outside of user namespaces: run it as root of the host (sudo), or "
          + "give the container these capabilities."
      case ENOSYS: "The kernel was built without bpf(2)."
      case EINVAL: "The kernel is too old for it."
      default: nil
      }
    return KernelError(cannot: attempt, function: function, errno: code, help: help)
  }

  /// Makes a call that returns a descriptor, or -1 and an errno. Before Linux 5.11 what it makes counts
  /// against RLIMIT_MEMLOCK, mostly 64 KiB, and EPERM is what is said when that is too little: so it is
  /// made once more with as much as may be had.
  static func allowed(_ call: () -> Int32) -> (number: Int32, errno: Int32) {
    var number = call()
    if number < 0, errno == EPERM, raiseLimit() { number = call() }
    return (number, number < 0 ? errno : 0)
  }

  /// Whether more memory may be locked than before; `errno` is EPERM otherwise.
  private static func raiseLimit() -> Bool {
    let (resource, infinity) = (Int32(__RLIMIT_MEMLOCK.rawValue), rlim_t.max)
    var limit = rlimit()
    // Sound: the pointers are those of variables of the type that the functions take.
    guard unsafe getrlimit(resource, &limit) == 0, limit.rlim_cur != infinity else {
      errno = EPERM
      return false
    }
    var wanted = rlimit(rlim_cur: infinity, rlim_max: infinity)
    if unsafe setrlimit(resource, &wanted) == 0 { return true }
    wanted = rlimit(rlim_cur: limit.rlim_max, rlim_max: limit.rlim_max)
    if limit.rlim_cur < limit.rlim_max, unsafe setrlimit(resource, &wanted) == 0 {
      return true
    }
    errno = EPERM
    return false
  }

  // MARK: Lockdown

  private static let isLockedDown =
    "The kernel is locked down (lockdown=confidentiality): no program may read its memory, whatever "
    + "its rights; that is decided when it boots."

  /// What the last line of the verifier's log means to somebody who wants it to work.
  static func help(forVerifier line: String) -> String {
    // A kernel that is locked down does not say so, but denies the helper: "unknown func
    // bpf_probe_read_kernel#113", or since Linux 6.13 "program of this type cannot use helper …".
    guard line.contains("bpf_probe_read_kernel") else {
      return "The kernel's verifier says: \(line)"
    }
    return "The kernel lets no program read its memory: it is locked down "
      + "(lockdown=confidentiality), or older than Linux 5.5."
  }

  /// Throws where the kernel lets no program read its memory. To be asked before trying: some
  /// kernels, 5.10 among them, take such a program and give it zeros.
  static func refuseLockdown(_ attempt: String) throws(KernelError) {
    guard lockdown == "confidentiality" else { return }
    throw KernelError(cannot: attempt, help: isLockedDown)
  }

  /// How far the kernel is locked down, as kernel_lockdown(7) calls it: "integrity" or
  /// "confidentiality". Nil if it is not.
  static var lockdown: String? {
    (try? Files.text("/sys/kernel/security/lockdown")).flatMap(lockdown(in:))
  }

  /// The one of "none [integrity] confidentiality" that is chosen.
  static func lockdown(in text: String) -> String? {
    guard let start = text.firstIndex(of: "["), let end = text.firstIndex(of: "]"), start < end
    else { return nil }
    let chosen = String(text[text.index(after: start)..<end])
    return chosen == "none" ? nil : chosen
  }
}
