internal import CNetfilter
internal import Glibc

/// A setting of the network namespace the calling thread is in, under /proc/sys/net: the kernel's
/// Documentation/networking/ip-sysctl.rst.
package struct Sysctl: Sendable, Hashable, CustomStringConvertible {
  /// The parts of its path below /proc/sys: ["net", "ipv4", "conf", "eth0.5", "forwarding"]. Names
  /// of interfaces may have dots, which is why dots do not separate here.
  package let components: [String]

  /// The setting at this path; nil unless it is one of a network namespace.
  package init?(_ components: [String]) {
    guard components.count >= 2, components[0] == "net",
      components.allSatisfy({
        !$0.isEmpty && $0 != "." && $0 != ".." && !$0.contains("/") && !$0.utf8.contains(0)
      })
    else { return nil }
    self.components = components
  }

  /// The setting with this path below /proc/sys: "net/ipv4/ip_forward".
  package init?(path: String) {
    self.init(path.split(separator: "/", omittingEmptySubsequences: false).map(String.init))
  }

  /// IPv4 forwarding; setting it changes that of every interface.
  package static let forwarding4 = Sysctl(path: "net/ipv4/ip_forward")!
  /// IPv6 forwarding of all interfaces.
  package static let forwarding6 = Sysctl(path: "net/ipv6/conf/all/forwarding")!

  /// A setting of one interface, or of "all" or "default"; nil if the name cannot be one.
  package static func interface(_ name: String, family: Int, _ setting: String) -> Sysctl? {
    Sysctl(["net", family == 4 ? "ipv4" : "ipv6", "conf", name, setting])
  }

  /// The path below /proc/sys, with slashes.
  package var path: String { components.joined(separator: "/") }

  /// As sysctl(8) takes it: dots between the parts, slashes for the dots in them.
  package var description: String {
    components.map { String($0.map { $0 == "." ? "/" : $0 }) }.joined(separator: ".")
  }

  private var file: String { "/proc/sys/\(path)" }

  /// Its value, without the line's end. Values of several numbers have tabs between them. Throws
  /// ENOENT where this kernel has no such setting.
  package func read() throws(KernelError) -> String {
    do {
      let text = try Files.text(file)
      return String(text.reversed().drop { $0 == "\n" }.reversed())
    } catch {
      throw KernelError(cannot: "read the sysctl \(self)", function: "open", errno: error.code)
    }
  }

  /// Whether it can be set here: some of the machine's settings can only be read in a namespace.
  package var isWritable: Bool {
    // Sound: the name ends with a zero, which is as far as the call reads.
    unsafe access(file.nameForC, W_OK) == 0
  }

  /// Whether this kernel has it.
  package var exists: Bool {
    // Sound: the name ends with a zero, which is as far as the call reads.
    unsafe access(file.nameForC, F_OK) == 0
  }

  /// Sets it. The corresponding C functions are `open` and `write`.
  package func write(_ value: String) throws(KernelError) {
    do {
      try FileDescriptor(file, O_WRONLY).write(Array(value.utf8))
    } catch {
      let help: String? =
        switch error.code {
        case EROFS:
          "/proc/sys is read-only, as in an unprivileged container: set it from outside "
            + "(docker run --sysctl \(description)=\(value)) or give the container the right"
        case EACCES, EPERM: "it needs CAP_NET_ADMIN: run as root"
        case EINVAL: "the kernel does not take the value '\(value)'"
        default: nil
        }
      throw KernelError(
        error.code == EINVAL ? .usage : .unavailable,
        cannot: "set the sysctl \(self) to \(value)", function: "write", errno: error.code,
        help: help)
    }
  }
}
