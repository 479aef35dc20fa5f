internal import CNetfilter
internal import Glibc
internal import Wire

/// The running kernel's types.
enum KernelTypes {
  static let path = "/sys/kernel/btf/vmlinux"
  /// In octets: what distributions' kernels have is between four and seven megabytes.
  private static let expectedLength = 8 << 20

  /// What tells this kernel's types from those of others: its release, when it was built, the notes that the linker
  /// left in it, and how much there is of its types. nil where that cannot be had.
  static var identity: String? {
    var name = utsname()
    var status = stat()
    // Sound: the sizes are those of the variables pointed to; the texts end with a zero.
    guard unsafe uname(&name) == 0, unsafe stat(path, &status) == 0,
      let notes = try? FileDescriptor("/sys/kernel/notes", O_RDONLY).contents(expecting: 1 << 12)
    else { return nil }
    var print = Fingerprint()
    // Sound: what is looked at are the variable's own members.
    unsafe withUnsafeBytes(of: &name.release) { print.add(unsafe Array($0)) }
    unsafe withUnsafeBytes(of: &name.version) { print.add(unsafe Array($0)) }
    print.add(notes)
    return "\(String(print.value, radix: 16)) \(status.st_size)"
  }

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
