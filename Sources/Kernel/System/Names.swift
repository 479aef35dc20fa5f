internal import CNetfilter
internal import Glibc
package import Wire

/// Names of hosts and services, as the C library finds them in the calling thread's network namespace.
package enum Names {
  /// The function that looks up names of hosts, as errors name it.
  package static let lookup = "getaddrinfo"

  /// The first address of a name, of this IP version or of any. Throws where there is none.
  package static func address(of name: String, version: Int?) throws(KernelError) -> IPAddress {
    let family = version.map { $0 == 4 ? AF_INET : AF_INET6 } ?? AF_UNSPEC
    var octets = [UInt8](repeating: 0, count: 16)
    var failure: UnsafePointer<CChar>?
    // Sound: the name ends with a zero; the array has room for an address of either version; the words
    // of what failed are the C library's own, and stay.
    let found = unsafe nftrace_lookup(name.nameForC, family, &octets, &failure)
    if found == AF_INET, let address = IPAddress(bytes: Array(octets.prefix(4))) { return address }
    if found == AF_INET6, let address = IPAddress(bytes: octets) { return address }
    let words = unsafe failure.map { unsafe String(cString: $0) } ?? "no address of IP"
    throw KernelError(
      .usage, cannot: "look up \(name)\(version.map { " in IPv\($0)" } ?? "")",
      function: lookup,
      errno: 0, help: "\(words). Give an address, or a name that is known here.")
  }

  /// Those that are asked for where there is no such file.
  private static let known: [String: UInt16] = [
    "ssh": 22, "domain": 53, "http": 80, "https": 443,
  ]

  /// The port of a service, by its name in /etc/services or its number; nil if there is none.
  package static func port(_ text: String, _ proto: IPProtocol) -> UInt16? {
    if let number = UInt16(text) { return number }
    // Sound: both names end with a zero; the call is made by the thread that reads the command line.
    let port = unsafe nftrace_service(text.nameForC, "\(proto)".nameForC)
    return UInt16(exactly: port) ?? known[text]
  }
}
