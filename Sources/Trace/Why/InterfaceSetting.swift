/// A setting that each interface has for itself, and "all" for all of them.
package struct InterfaceSetting: Sendable, Hashable {
  /// The last part of its path: "rp_filter".
  package let key: String
  /// The IP versions that have it.
  package let versions: [Int]

  init(_ key: String, versions: [Int]) {
    self.key = key
    self.versions = versions
  }

  /// Its path below /proc/sys: "net/ipv4/conf/eth0.5/rp_filter".
  func path(of device: String, version: Int) -> String {
    "net/ipv\(version)/conf/\(device)/\(key)"
  }

  /// As sysctl(8) has it: dots between the parts, slashes for the dots in an interface's name.
  func name(of device: String, version: Int) -> String {
    "net.ipv\(version).conf.\(String(device.map { $0 == "." ? "/" : $0 })).\(key)"
  }
}

extension InterfaceSetting {
  /// Whether what comes in there is forwarded. In IPv6, "all" decides.
  static let forwarding = InterfaceSetting("forwarding", versions: [4, 6])
}
