internal import Wire

/// Who asked, and where an answer has to come out to reach it: the client of a probe, or of recorded traffic.
struct Asker {
  /// Its address.
  let address: IPAddress
  /// The interface that it is behind.
  let device: String
  /// Whether no more than a default route leads to it: then it may be reached by others.
  let isFromAfar: Bool

  /// The client of these probes; nil where this host asks itself.
  init?(of plan: ProbePlan) {
    guard plan.entrance != .local, let device = plan.device else { return nil }
    self.address = plan.source
    self.device = device
    self.isFromAfar = plan.isFromAfar
  }

  /// Who sent a recorded request; nil where that was this host.
  init?(of request: Journey, _ snapshot: Snapshot) {
    guard request.hops.first?.point.hook != .output, let device = request.inDevice, device != "lo",
      let link = snapshot.link(device)
    else { return nil }
    let address = request.packet.source
    self.address = address
    self.device = device
    isFromAfar =
      !snapshot.addresses.networks(of: link.index).contains { $0.contains(address) }
      && snapshot.addresses.neighbour(address, on: link.index)?.hardwareAddress == nil
  }
}

extension LostPacket {
  /// Who asked, if that was not this host.
  var asker: Asker? {
    // In the places behind the first, who asked is who the question came from there.
    if let plan, header?.walk.map({ $0.place == 0 }) ?? true {
      return Asker(of: plan)
    }
    return exchange.request.flatMap { Asker(of: $0, snapshot) }
  }
}

extension Exchange {
  /// The first answer, where none came to who asked: a rule or something else stopped them, or they went elsewhere.
  package var lostAnswer: Journey? {
    let answers = journeys.filter { $0.direction == .reply && !$0.packet.isRefusal }
    return answers.allSatisfy(\.isLostAnswer) ? answers.first : nil
  }
}

extension Journey {
  fileprivate var isLostAnswer: Bool { isAstray || end.isStopped || end.isLoss }
}
