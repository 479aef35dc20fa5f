internal import Wire

extension Story {
  /// One packet at one point, from an NFLOG message or the first trace message of a chain.
  struct Observation {
    var point: ObservationPoint
    var time: UInt64
    var inDevice: String?
    var outDevice: String?
    var packet: Packet
    var identity: Identity?
    var mark: UInt32
  }

  /// A journey that may go on.
  struct OpenJourney {
    var id: Int
    var identity: Identity
    var traceID: UInt32?
    var hops: [Hop]
    var steps: [RuleStep] = []
    /// The verdict that ended it, and where.
    var dropped: RuleStep?
    var droppedAt: (hook: Hook, priority: Int32)?
    var connectionID: UInt32?
    var connectionState: Connection.State?
    var isReply: Bool?
    var start: UInt64
    var last: UInt64

    var lastPoint: ObservationPoint { hops[hops.count - 1].point }
  }
}
