internal import Wire

/// What probes have between the IP header's fixed part and their transport header: room for routers to write into, and
/// the trace that they are part of.
extension ProbePlan {
  /// Its octets. All probes have as many, so that their transport header is at the same place.
  func options(_ sequence: Int) -> [UInt8] {
    let own = context.map { context in carriers.flatMap { context.options(of: $0) } } ?? []
    guard let ioam, version == 6 else { return own }
    let number = proto.kind.number(version).rawValue
    if sequence == survey {
      return IOAMTrace.header(
        before: UnknownOption.headerNumber, namespace: ioam, room: IOAMTrace.room - 1)
        + UnknownOption.header(before: number)
    }
    return IOAMTrace.header(before: number, namespace: ioam)
  }

  /// Octets of that.
  package var optionLength: Int { options(1).count }

  /// The trace as the data of a SYN.
  func contextData(_ sequence: Int) -> [UInt8]? {
    guard let context, carriers.contains(.tcpData) else { return nil }
    let text = Array(context.probe(UInt32(truncatingIfNeeded: sequence)).traceParent.utf8)
    return text + [UInt8](repeating: UInt8(ascii: " "), count: max(0, size - text.count))
  }

  /// Has the trace carried by these as well.
  package mutating func carry(by carriers: [ContextCarrier]) {
    self.carriers = carriers
    if carriers.contains(.tcpData) { size = TraceContext.length }
  }

  /// What routers have written into a packet of these probes, or into one that this packet quotes.
  func ioamTrace(in packet: Packet) -> IOAMTrace? {
    packet.ioam.flatMap { $0.namespace == ioam ? $0 : nil }
  }
}
