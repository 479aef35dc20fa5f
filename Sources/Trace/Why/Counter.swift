/// A counter of the network namespace, cumulative. /proc/net/snmp, netstat and snmp6 have them by these
/// names; those of /proc/net/stat/nf_conntrack are called "ct." and what they are called there.
package struct Counter: Sendable, Hashable {
  /// The name.
  package let name: String

  init(_ name: String) { self.name = name }

  /// The name that conntrack's file has for it; nil for one of another file.
  package var conntrackName: String? {
    name.hasPrefix("ct.") ? String(name.dropFirst(3)) : nil
  }
}

extension Counter {
  /// Packets that conntrack dropped, for want of room or of a free tuple.
  static let conntrackDrop = Counter("ct.drop")
}
