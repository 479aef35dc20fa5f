internal import Wire

/// What the hooks tell of the end of a probe, where no device can be read.
extension Story {
  /// What came back of a probe, and was delivered here or sent on to its client, as it was then.
  func arrived(probe sequence: Int) -> [Packet] {
    answers(to: sequence) { hasArrived($0, from: $1) }
  }

  /// What came back of a probe, and is through with the hooks towards a client that nftrace picked: who is not there
  /// has it wait for a neighbour.
  func handedOn(probe sequence: Int) -> [Packet] {
    answers(to: sequence) { hop, input in isTowardsPickedClient(hop, from: input) }
  }

  private func answers(to sequence: Int, where isThere: (Hop, String?) -> Bool) -> [Packet] {
    open.compactMap { journey in
      let last = journey.way.last
      guard journey.dropped == nil, isThere(last, journey.way.first.inDevice),
        self.sequence(of: journey) == sequence
      else { return nil }
      return [.reply, .error].contains(direction(journey)) ? last.packet : nil
    }
  }

  /// What is through with the hooks towards a client that nftrace picked is sent as far as anybody can tell, though
  /// nobody there says that he has that address.
  func notePickedClient(_ journey: inout Journey) {
    guard case .unknown(let place, nil, _) = journey.end, journey.direction != .request,
      case let last = journey.way.last, isTowardsPickedClient(last, from: journey.inDevice),
      isNobodyThere(last)
    else { return }
    journey.end = .sent(place)
  }

  /// Whether a packet was sent to a client that nftrace picked, who is not there.
  func isSentToNobody(_ journey: Journey) -> Bool {
    guard case .sent = journey.end, journey.direction != .request else { return false }
    let last = journey.way.last
    return isTowardsPickedClient(last, from: journey.inDevice) && isNobodyThere(last)
  }

  /// Whether nobody has said that he has the address to which a packet goes.
  private func isNobodyThere(_ hop: Hop) -> Bool {
    let neighbour = snapshot.neighbour(hop.packet.destination, on: hop.outDevice)
    return neighbour.map { !$0.state.isDisjoint(with: [.incomplete, .failed]) } ?? false
  }

  /// Whether this is behind the last hook of all, on the way to a client that nftrace picked.
  private func isTowardsPickedClient(_ hop: Hop, from input: String?) -> Bool {
    guard let plan, plan.hasPickedClient, hop.point.hook == .postrouting,
      points.isLast(hop.point), let asker = Asker(of: plan),
      hop.packet.destination == asker.address
    else { return false }
    return snapshot.leads(hop.outDevice, from: input, as: hop.packet.source, to: asker)
  }

  /// Whether data that answers a probe did not get through.
  func hasLostData(probe sequence: Int) -> Bool {
    openJourneys(probe: sequence).contains {
      $0.direction == .reply && $0.packet.carriesData && $0.packet.tcp != nil && !$0.end.isThrough
    }
  }

  /// Whether the client of the probe would take a packet of it for its answer, wherever it comes to it.
  func isAnswer(_ packet: Packet) -> Bool {
    guard let plan else { return false }
    return plan.isAnswer(packet, toMany: snapshot.isForMany(plan.destination))
  }

  /// Whether the kernel dropped an answer behind the last hook, so that no program of this host had it.
  func isKeptFromSockets(_ answer: Packet) -> Bool {
    guard let journey = open.last(where: { $0.identity == PacketIdentity(answer) }) else {
      return false
    }
    // Of TCP the kernel says that no socket is there, whether or not it asked a policy; and it may not be asked.
    // What stays on this host meets none.
    let device = journey.way.last.inDevice
    if device != "lo", let policies = snapshot.host.policies,
      SecurityPolicies.block(policies, answer, by: snapshot.link(device)?.index)
    {
      return true
    }
    let drop = snapshot.drop(
      of: journey.identity, since: journey.start.earlier(by: Self.idle), seenAt: journey.hops)
    return drop.map { ["XFRM_POLICY", "ICMP_CSUM", "TCP_CSUM", "UDP_CSUM"].contains($0.reason) }
      ?? false
  }

  /// Whether the kernel dropped an answer behind the last hook of netfilter, on the way out to the client, or where
  /// the client is.
  func isKeptFromClient(_ answer: Packet, to sequence: Int) -> Bool {
    if let plan, snapshot.clientDrop(sequence, of: plan) != nil { return true }
    guard let journey = open.last(where: { $0.identity == PacketIdentity(answer) }) else {
      return false
    }
    if isTowardsPickedClient(journey.way.last, from: journey.way.first.inDevice) {
      return !self.journey(journey).end.isThrough
    }
    guard journey.way.last.point.hook == .egress else { return false }
    if NeighbourUnresolved.NotAsked.finding(self.journey(journey), snapshot) != nil { return true }
    if let plan, let asker = Asker(of: plan),
      let redirect = snapshot.redirect(of: self.journey(journey)),
      !snapshot.leads(redirect.target, from: nil, as: nil, to: asker)
    {
      return true
    }
    // What a rule drops there, also one of nftrace's own that takes the answer in the client's place, the hooks tell.
    let drop = snapshot.drop(
      of: journey.identity, since: journey.start.earlier(by: Self.idle), seenAt: journey.hops)
    return drop.map { $0.reason != "NETFILTER_DROP" } ?? false
  }

  /// Whether a probe went back where it came in, and its client was placed there for want of a better place: nobody
  /// there sends it by this host.
  func isOfNobody(probe sequence: Int) -> Bool {
    guard plan?.isPlacedByDefault == true else { return false }
    return openJourneys(probe: sequence).contains {
      $0.direction == .request && SourceNowhere.isTurned($0, snapshot)
    }
  }

  /// Whether this is where the client is: behind the interface by which the probe came in, or here.
  private func hasArrived(_ hop: Hop, from input: String?) -> Bool {
    if hop.point.hook == .egress, let plan {
      // A bridge has rules of its own for what it was given: the client is behind a port of it.
      if snapshot.isBridge(hop.outDevice) { return false }
      guard plan.entrance == .arriving, let asker = Asker(of: plan) else { return false }
      return snapshot.leads(hop.outDevice, from: input, as: hop.packet.source, to: asker)
    }
    return hop.point.hook == .input && points.isLast(hop.point)
  }

  /// Whether an earlier packet had made the entry of the probe's connection.
  func hasKnownConnection(probe sequence: Int) -> Bool {
    open.contains { journey in
      journey.hasKnownConnection && self.sequence(of: journey) == sequence
        && direction(journey) == .request
    }
  }

  /// Whether the probe itself came to the end of its way through the hooks.
  func isThrough(probe sequence: Int) -> Bool {
    open.contains { journey in
      let point = journey.lastPoint
      return journey.dropped == nil
        && (point.hook == .postrouting || point.hook == .input) && points.isLast(point)
        && self.sequence(of: journey) == sequence && direction(journey) == .request
    }
  }
}
