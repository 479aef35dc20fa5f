internal import Glibc

/// What machine this is.
package enum Machine {
  /// The kernel's release, as uname(2) gives it.
  package static var kernelRelease: String {
    (try? Files.text("/proc/sys/kernel/osrelease"))?.split(separator: "\n").first.map(String.init)
      ?? "unknown"
  }

  /// What tells this machine, and this boot of it, from others.
  package struct Name: Sendable {
    /// As uname(2) gives it, in the namespace of this process.
    package var host: String?
    /// The kernel's random id of the boot.
    package var boot: String?

    /// A name of these parts.
    package init(host: String?, boot: String?) {
      self.host = host
      self.boot = boot
    }
  }

  /// Which it is, as far as that can be read.
  package static var name: Name {
    let host = (try? Files.text("/proc/sys/kernel/hostname"))?.prefix { $0 != "\n" }
    return Name(host: host.map(String.init), boot: try? boot())
  }

  /// The machine's id, machine-id(5); nil where it has none.
  package static var id: String? {
    (try? Files.text("/etc/machine-id")).map { String($0.prefix { $0 != "\n" }) }
      .flatMap { $0.isEmpty ? nil : $0 }
  }

  /// What tells this boot of the machine from others.
  package static func boot() throws(KernelError) -> String {
    let path = "/proc/sys/kernel/random/boot_id"
    do {
      return String(try Files.text(path).prefix { $0 != "\n" })
    } catch {
      throw KernelError(
        cannot: "find out which boot of the machine this is", function: "open \(path)",
        errno: error.code)
    }
  }
}
