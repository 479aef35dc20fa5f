internal import CNetfilter

/// A set of capabilities(7).
package struct Capabilities: OptionSet, Sendable, CustomStringConvertible {
  /// A bit for each, by its number.
  package var rawValue: UInt64

  /// The set with these bits.
  package init(rawValue: UInt64) { self.rawValue = rawValue }

  private init(number: Int) { rawValue = 1 << UInt64(number) }

  /// `CAP_DAC_OVERRIDE`: files of others.
  package static let fileOverride = Capabilities(number: 1)
  /// `CAP_DAC_READ_SEARCH`: reading files of others.
  package static let fileReading = Capabilities(number: 2)
  /// `CAP_SETUID`: sockets of other users.
  package static let users = Capabilities(number: 7)
  /// `CAP_SETPCAP`: taking more out of the bounding set later.
  package static let bounding = Capabilities(number: 8)
  /// `CAP_NET_BIND_SERVICE`: ports below 1024.
  package static let lowPorts = Capabilities(number: 10)
  /// `CAP_NET_ADMIN`: rules, routes, log groups, TUN devices, settings.
  package static let network = Capabilities(number: 12)
  /// `CAP_NET_RAW`: raw sockets, which the tables of iptables-legacy are read through as well.
  package static let rawSockets = Capabilities(number: 13)
  /// `CAP_SYS_PTRACE`: what other people's processes have open.
  package static let processes = Capabilities(number: 19)
  /// `CAP_SYS_ADMIN`: entering and making namespaces.
  package static let system = Capabilities(number: 21)
  /// `CAP_PERFMON`: tracepoints.
  package static let monitoring = Capabilities(number: 38)
  /// `CAP_BPF`: programs in the kernel.
  package static let bpf = Capabilities(number: 39)

  /// Numbers that capabilities can have: two words of 32 bits.
  static let numbers: Range<Int32> = 0..<64

  /// "0000000000001000", as /proc has it.
  package var description: String {
    let digits = String(rawValue, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}
