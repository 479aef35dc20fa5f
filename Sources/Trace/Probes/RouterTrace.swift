package import Wire

/// What routers on the way of a probe have written into it.
package struct RouterTrace: Sendable, Equatable {
  /// What they wrote; nil where nobody has sent the packet back, and no machine has seen it.
  package var trace: IOAMTrace?
  /// The namespace of IOAM that was asked for.
  package var namespace: UInt16
  /// The hop limit it was sent with.
  package var sent: UInt8
  /// The least hop limit that it was seen with; nil where it was not.
  package var arrived: UInt8?

  /// A router on the way, by how many have passed the packet on with it.
  package struct Hop: Sendable, Equatable {
    /// Counts from 1.
    package var number: Int
    /// What it wrote; nil where it wrote nothing.
    package var node: IOAMTrace.Node?
    /// Whether it is where the packet was going.
    package var isEnd: Bool
  }

  /// All hops that are known, those that wrote nothing as well.
  package var hops: [Hop] {
    let nodes = trace?.nodes ?? []
    var hops: [Hop] = []
    let passed = arrived.map { Int(sent) - Int($0) } ?? 0
    for node in nodes {
      let number = Int(sent) - Int(node.hopLimit)
      // What no packet can have had is left out, and so is what stands twice.
      guard number > hops.last?.number ?? 0 else { continue }
      hops += silent(after: hops, until: number)
      hops.append(Hop(number: number, node: node, isEnd: arrived != nil && number > passed))
    }
    return hops + silent(after: hops, until: passed + 1)
  }

  private func silent(after hops: [Hop], until number: Int) -> [Hop] {
    let first = (hops.last?.number ?? 0) + 1
    return first < number
      ? (first..<number).map { Hop(number: $0, node: nil, isEnd: false) } : []
  }
}

/// What is known of the routers, in a ping's story.
struct RouterSurvey: Sendable {
  /// By the probes' numbers.
  private var traces: [Int: RouterTrace] = [:]
  /// Those of which a packet was quoted, or seen where it went to.
  private(set) var returned: Set<Int> = []
  /// When the packet was sent that the destination is to send back, and when that came, nanoseconds since the epoch.
  private(set) var sent: UInt64?
  private var answered: UInt64?
  /// Nanoseconds that it is waited for.
  private static let patience: UInt64 = 1_000_000_000
  /// Nanoseconds from its coming to the end of what the kernel says of it.
  private static let after: UInt64 = 3_000_000

  /// Until when more of it may come; nil where it was not sent.
  func end(_ plan: ProbePlan) -> UInt64? {
    guard let sent else { return nil }
    if let answered { return answered.later(by: Self.after) }
    return sent.later(by: min(Self.patience, UInt64(nearest: plan.timeout * 1e9)))
  }

  /// It was sent.
  mutating func begin(_ time: UInt64) { sent = time }

  /// Takes in what a record has of a packet.
  mutating func take(_ record: Record, _ plan: ProbePlan) {
    let octets: [UInt8]?
    switch record.content {
    case .received(let packet): octets = packet
    case .log(let message): octets = (try? LogMessage(message))?.payload
    default: octets = nil
    }
    guard let octets, let packet = try? Packet(octets), let trace = plan.ioamTrace(in: packet),
      let sequence = plan.sequence(of: packet)
    else { return }
    let seen = packet.quoted ?? packet
    // That it left says nothing of routers.
    guard packet.quoted != nil || record.place > 0 || !trace.nodes.isEmpty else { return }
    let isSurvey = sequence == plan.survey
    let number = isSurvey ? 1 : sequence
    if packet.quoted != nil {
      if isSurvey { answered = answered ?? record.time }
      returned.insert(number)
    }
    var known =
      traces[number] ?? RouterTrace(namespace: trace.namespace, sent: plan.ttl, arrived: nil)
    if trace.nodes.count >= known.trace?.nodes.count ?? 0 { known.trace = trace }
    known.arrived = min(known.arrived ?? .max, seen.ttl)
    traces[number] = known
  }

  /// What is known of the routers of a probe, which is forgotten.
  mutating func settle(_ sequence: Int, _ plan: ProbePlan) -> RouterTrace? {
    guard let namespace = plan.ioam else { return nil }
    return traces.removeValue(forKey: sequence)
      ?? RouterTrace(namespace: namespace, sent: plan.ttl, arrived: nil)
  }
}
