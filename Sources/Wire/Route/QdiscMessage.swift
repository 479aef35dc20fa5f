/// A queueing discipline and what it dropped: `struct tcmsg` and `TCA_…` of <linux/rtnetlink.h>,
/// the counters of <linux/gen_stats.h>. What tc filters drop counts as dropped by the clsact or
/// ingress discipline that they hang on.
package struct QdiscMessage: Sendable, Equatable {
  /// Index of its interface.
  package var interface: UInt32
  /// Its kind: "fq_codel", "clsact".
  package var kind: String
  /// Its number, by which tc(8) names it; 0 for one that the kernel gave the interface by itself.
  package var handle: UInt32
  /// Packets it dropped since it was made.
  package var drops: UInt32

  /// Whether the kernel gave it to the interface by itself.
  package var isDefault: Bool { handle == 0 }

  /// A value with these fields.
  package init(interface: UInt32, kind: String, handle: UInt32 = 0, drops: UInt32) {
    self.interface = interface
    self.handle = handle
    self.kind = kind
    self.drops = drops
  }

  /// Octets of `struct tcmsg`.
  package static let headerLength = 20

  private enum Attribute {
    static let kind: UInt16 = 1
    static let statistics: UInt16 = 7
    static let queue: UInt16 = 3
  }

  /// The discipline in an `RTM_NEWQDISC`.
  package init(parsing message: NetlinkMessage) throws(WireError) {
    try message.need(RouteMessageType.newQdisc...RouteMessageType.newQdisc, "queueing discipline")
    var reader = ByteReader(message.payload.span)
    try reader.skip(4)
    interface = try reader.littleEndian()
    handle = try reader.littleEndian()
    let attributes = try RouteAttributes(message, after: Self.headerLength)
    kind = attributes.string(Attribute.kind) ?? ""
    // struct gnet_stats_queue: qlen, backlog, drops, requeues, overlimits.
    let queue = try attributes.nested(Attribute.statistics)?.all[type: Attribute.queue]?.value ?? []
    var counters = ByteReader(queue.span)
    if queue.count >= 12 {
      try counters.skip(8)
      drops = try counters.littleEndian()
    } else {
      drops = 0
    }
  }
}
