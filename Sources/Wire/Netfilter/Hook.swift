/// A netfilter hook. The raw value is the name that JSON and people use.
package enum Hook: String, Sendable, Hashable, CaseIterable {
  case ingress, prerouting, input, forward, output, postrouting, egress

  /// The hook of a number as the kernel gives it; the netdev family and the inet family's ingress
  /// have numbers of their own. nil if there is no such hook.
  package init?(number: Int, family: UInt8) {
    if family == NFProto.netdev {
      guard 0..<2 ~= number else { return nil }
      self = number == 0 ? .ingress : .egress
      return
    }
    if family == NFProto.arp {
      // NF_ARP_IN, NF_ARP_OUT, NF_ARP_FORWARD of <linux/netfilter_arp.h>.
      guard 0..<3 ~= number else { return nil }
      self = [.input, .output, .forward][number]
      return
    }
    switch number {
    case 0: self = .prerouting
    case 1: self = .input
    case 2: self = .forward
    case 3: self = .output
    case 4: self = .postrouting
    case 5: self = .ingress
    default: return nil
    }
  }

  /// The number the kernel gives the hook in `family`.
  package func number(family: UInt8) -> UInt32 {
    switch self {
    case .prerouting: 0
    case .input: 1
    case .forward: 2
    case .output: 3
    case .postrouting: 4
    case .ingress: family == NFProto.netdev ? 0 : 5
    case .egress: 1
    }
  }
}
