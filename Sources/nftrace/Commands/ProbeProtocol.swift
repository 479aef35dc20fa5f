import ArgumentParser
import Wire

/// Protocols a probe can have.
enum ProbeProtocol: String, Choice {
  case icmp, udp, tcp

  /// Its number in this version of IP.
  func number(_ version: Int) -> IPProtocol {
    switch self {
    case .icmp: version == 6 ? .icmpv6 : .icmp
    case .udp: .udp
    case .tcp: .tcp
    }
  }
}
