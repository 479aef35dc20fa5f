/// A setting of the network namespace: the kernel's Documentation/networking/ip-sysctl.rst and
/// nf_conntrack-sysctl.rst.
package struct Setting: Sendable, Hashable {
  /// Its path below /proc/sys: "net/ipv4/ip_forward".
  package let path: String

  init(_ path: String) { self.path = path }

  /// As sysctl(8) has it: "net.ipv4.ip_forward".
  package var name: String { String(path.map { $0 == "/" ? "." : $0 }) }
}

extension Setting {
  static let forwarding4 = Setting("net/ipv4/ip_forward")
  static let forwarding6 = Setting("net/ipv6/conf/all/forwarding")
}
