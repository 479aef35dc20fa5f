internal import CNetfilter
internal import Glibc
internal import Wire

/// The running kernel's types.
enum KernelTypes {
  static let path = "/sys/kernel/btf/vmlinux"
  /// In octets: what distributions' kernels have is between four and seven megabytes.
  private static let expectedLength = 8 << 20

  /// Reads and indexes them: some milliseconds.
  static func read() throws(KernelError) -> BTF {
    let attempt = "read the kernel's types from \(path)"
    let bytes: [UInt8]
    do {
      bytes = try FileDescriptor(path, O_RDONLY).contents(expecting: expectedLength)
    } catch {
      throw KernelError(
        cannot: attempt, function: "open", errno: error.code,
        help: error.code == ENOENT
          ? "\(path) is missing: the kernel was built without CONFIG_DEBUG_INFO_BTF, or /sys is not "
            + "mounted" : nil)
    }
    do {
      return try BTF(bytes)
    } catch {
      throw KernelError(cannot: attempt, help: "\(error)")
    }
  }
}
