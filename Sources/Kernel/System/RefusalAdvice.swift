internal import Glibc

/// What to do about a call that the kernel refused.
enum RefusalAdvice {
  /// A sentence for the errno of a refused call: which capability, or which part of the kernel.
  static func help(for errno: Int32, _ capability: String, _ feature: String) -> String? {
    switch errno {
    case EPERM, EACCES: "This needs \(capability) in the network namespace: run it as root (sudo)."
    case EOPNOTSUPP, EPROTONOSUPPORT, ENOENT, EINVAL, EAFNOSUPPORT:
      "The kernel has no \(feature), or not all of it."
    default: nil
    }
  }
}
