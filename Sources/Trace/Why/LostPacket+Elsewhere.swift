internal import Wire

extension LostPacket {
  /// The kernel's word that another network namespace of this machine dropped the probe, or its answer.
  var droppedElsewhere: DropEvent? {
    guard let plan = header?.probe, let sequence = journey.probe else { return nil }
    let drops = snapshot.dropsElsewhere.filter { drop in
      // A bridge may send copies to hosts that are not meant.
      guard drop.reasonName != "OTHERHOST", !isThroughWith(drop),
        // What was refused for that reason was told so.
        drop.reason != "NO_SOCKET" || refusal == nil,
        let packet = try? Packet(drop.packet), !isCopy(packet, droppedAt: drop.device)
      else {
        return false
      }
      return plan.sequence(of: packet) == sequence
    }
    // Where there was an answer, the probe got there, whatever became of its packet then.
    return drops.last(where: isAnswer) ?? drops.last
  }

  /// Whether the kernel was through with a packet and says no more: an ICMP message ends where it was taken in,
  /// whether it could be answered or not.
  private func isThroughWith(_ drop: DropEvent) -> Bool {
    (drop.reason ?? Self.unspecified) == Self.unspecified
      && drop.location?.hasPrefix("icmp") == true
  }

  /// Whether what was dropped goes back to who sent the probe. Addresses may be translated there.
  private func isAnswer(_ drop: DropEvent) -> Bool {
    (try? Packet(drop.packet)).map { header?.probe?.goesBack($0) ?? false } ?? false
  }

  /// Whether no way back is to be looked for: as the kernel says, the probe came to its end in another namespace,
  /// and not for its source; or its answer came to where it was sent from, or to a rule that dropped it.
  var hasEndedElsewhere: Bool {
    guard let drop = droppedElsewhere, let reason = drop.reason else { return false }
    if isAnswer(drop) {
      return reason == Self.netfilter || drop.arrived?.destination == journey.packet.source
    }
    // To a socket that is not there, a refusal is the answer.
    return !["NO_SOCKET", Self.unspecified, "IP_RPFILTER", "IP_LOCAL_SOURCE", "IP_INVALID_SOURCE"]
      .contains(reason)
  }

  /// Evidence of that.
  var evidenceElsewhere: [Evidence] {
    droppedElsewhere.map { [$0.evidence] } ?? []
  }

  /// What to say of it, as the rest of a sentence, and how to see more; nil if it was not dropped elsewhere.
  func wordsElsewhere() -> String? {
    guard let drop = droppedElsewhere else { return nil }
    return "\(drop.dropper) dropped \(isAnswer(drop) ? "the answer" : "it")\(drop.reasonWords)"
      + "; to follow it there: " + follow(to: drop)
  }

  /// Whether the kernel's word leaves room for doubt: without a reason, a packet may also be thrown away that has
  /// done its service.
  var isElsewhereCertain: Bool {
    droppedElsewhere.map { ($0.reason ?? Self.unspecified) != Self.unspecified } ?? false
  }

  private static let unspecified = DropEvent.unspecified
  private static let netfilter = DropEvent.netfilter

  /// What to type to be told the rest.
  private func follow(to drop: DropEvent) -> String {
    let plan = header?.walk?.plan ?? header?.probe
    return header?.namespaceWords(with: drop) { here, there in
      plan?.command(in: here + [there])
    } ?? "the same command with another --netns behind the first, for that namespace"
  }
}

extension SessionHeader {
  /// A command in quotation marks, made of what the namespaces here and that of a drop are called; nil where no shell
  /// takes that, or it cannot be made.
  fileprivate func namespaceWords(
    with drop: DropEvent, _ make: (_ here: [Command], _ there: Command) -> Command?
  ) -> String? {
    // What is on other machines is asked for otherwise.
    if walk?.sites.contains(where: { $0.kind == .machine }) == true { return nil }
    let names = walk?.sites.map(\.name) ?? netns.map { [$0] }
    // Whoever named none starts nftrace in the namespace, though the shell may be in another: 'ip netns exec'.
    let here: [Command] =
      names.map { $0.compactMap { (try? Word.namespace($0)).map { "\($0)" } } }
      ?? ["/proc/self/ns/net"]
    guard here.count == names?.count ?? 1,
      let there = drop.place.flatMap({ try? Word.namespace($0) })
    else { return nil }
    return make(here, "\(there)").map { "'\($0.text)'" }
  }

  /// How to ask from the namespace where the client is, which dropped the answer.
  func askingWords(from drop: DropEvent) -> String {
    var plan = probe
    plan?.entrance = .local
    return namespaceWords(with: drop) { here, there in plan?.command(in: [there] + here) }
      ?? "the same command with --netns for that namespace before the other, and without --in and -s"
  }
}

extension Snapshot {
  /// The kernel's word that another network namespace dropped the answer to this probe behind this host, as it would
  /// for who had asked: neither for want of a socket, nor by rules that may know who asked whom.
  func clientDrop(_ sequence: Int, of plan: ProbePlan) -> DropEvent? {
    // Who is behind a router may be nobody, so that the router knows no way to him.
    let reasons =
      isNeighbour(plan) ? Self.clientReasons.union(Self.routerReasons) : Self.routerReasons
    return answerDrops(sequence, of: plan).last { drop in
      drop.reason == DropEvent.netfilter
        ? drop.rulesRemember == false : reasons.contains(drop.reason ?? "")
    }
  }

  /// Whether the client is on the link itself.
  private func isNeighbour(_ plan: ProbePlan) -> Bool {
    guard let device = plan.device, let link = link(bridge(of: device) ?? device) else {
      return false
    }
    return addresses.networks(of: link.index).contains { $0.contains(plan.source) }
  }

  /// The same of rules that may take an answer to what was asked there.
  func ruleOfClient(_ sequence: Int, of plan: ProbePlan) -> DropEvent? {
    answerDrops(sequence, of: plan).last { $0.reason == DropEvent.netfilter }
  }

  /// What other namespaces dropped on its way to the client, or there.
  private func answerDrops(_ sequence: Int, of plan: ProbePlan) -> [DropEvent] {
    // What becomes of an answer beyond the next router is not this host's.
    guard plan.entrance == .arriving, !plan.isFromAfar else { return [] }
    return dropsElsewhere.filter { drop in
      guard let packet = try? Packet(drop.packet), packet.destination == plan.source,
        plan.goesBack(packet)
      else { return false }
      return plan.sequence(of: packet) == sequence
    }
  }

  /// What becomes of a packet before anybody looks for who waits for it.
  private static let clientReasons: Set<String> = [
    "IP_INADDRERRORS", "IP_INNOROUTES", "IP_LOCAL_SOURCE", "IP_INVALID_SOURCE", "IP_INVALID_DEST",
    "IP_LOCALNET", "IPV6DISABLED", "XFRM_POLICY", "PKT_TOO_BIG", "UNICAST_IN_L2_MULTICAST",
    "IP_OUTNOROUTES",
  ]
  /// The same, whether the client is there or not.
  private static let routerReasons: Set<String> = [
    "IP_RPFILTER", "XDP", "TC_INGRESS", "TC_EGRESS",
  ]
}

extension ProbePlan {
  /// Whether a packet of a probe goes back to who sent it. Addresses may be translated.
  fileprivate func goesBack(_ packet: Packet) -> Bool {
    if let icmp = packet.icmp { return !icmp.isEchoRequest(packet.proto) }
    return direction(of: packet) == .reply
  }
}

// A drop in another network namespace, in words.
extension DropEvent {
  fileprivate static let unspecified = "NOT_SPECIFIED"
  fileprivate static let netfilter = "NETFILTER_DROP"

  /// What that namespace is called, or its number where nothing leads to it.
  private var name: String { place ?? "net:[\(namespace)]" }

  /// Who dropped the packet.
  var dropper: String { "network namespace \(Escape.name(name)) of this machine" }

  /// Why, as the end of a sentence.
  var reasonWords: String {
    let words =
      reason == Self.netfilter
      ? "a rule or policy of netfilter did"
      : reason.flatMap { DropReasons.words($0, device: "the interface") }
    return (words.map { ": \($0)" } ?? "")
      + (reason.map { $0 == Self.unspecified ? "" : " (\($0))" } ?? "")
  }

  /// That it did.
  var evidence: Evidence { .droppedElsewhere(in: name, reason: reason, place: location) }

  /// The packet, if it came to where it was sent to, and no program there waited for it.
  var arrived: Packet? { reason == "NO_SOCKET" ? try? Packet(packet) : nil }
}
