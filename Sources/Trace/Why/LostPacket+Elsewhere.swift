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
        let packet = try? Packet(drop.packet)
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
    guard let packet = try? Packet(drop.packet) else { return false }
    if let icmp = packet.icmp { return !icmp.isEchoRequest(packet.proto) }
    return header?.probe?.direction(of: packet) == .reply
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
    droppedElsewhere.map {
      [.droppedElsewhere(in: Self.name(of: $0), reason: $0.reason, place: $0.location)]
    } ?? []
  }

  /// What to say of it, as the rest of a sentence, and how to see more; nil if it was not dropped elsewhere.
  func wordsElsewhere() -> String? {
    guard let drop = droppedElsewhere else { return nil }
    let words =
      drop.reason == Self.netfilter
      ? "a rule or policy of netfilter did"
      : drop.reason.flatMap { DropReasons.words($0, device: "the interface") }
    let name = Self.name(of: drop)
    let reason = drop.reason.map { $0 == Self.unspecified ? "" : " (\($0))" } ?? ""
    return "network namespace \(Escape.name(name)) of this machine dropped "
      + (isAnswer(drop) ? "the answer" : "it") + (words.map { ": \($0)" } ?? "") + reason
      + "; to follow it there: " + follow(to: drop)
  }

  /// Whether the kernel's word leaves room for doubt: without a reason, a packet may also be thrown away that has
  /// done its service.
  var isElsewhereCertain: Bool {
    droppedElsewhere.map { ($0.reason ?? Self.unspecified) != Self.unspecified } ?? false
  }

  private static let unspecified = "NOT_SPECIFIED"
  private static let netfilter = "NETFILTER_DROP"

  /// What to type to be told the rest.
  private func follow(to drop: DropEvent) -> String {
    let there = drop.place.flatMap { try? Word.namespace($0) }
    let plan = header?.walk?.plan ?? header?.probe
    let names = header?.walk?.namespaces ?? (header?.netns).map { [$0] }
    // Whoever named none starts nftrace in the namespace, though the shell may be in another: 'ip netns exec'.
    let here: [Command] =
      names.map { $0.compactMap { (try? Word.namespace($0)).map { "\($0)" } } }
      ?? ["/proc/self/ns/net"]
    if here.count == names?.count ?? 1, let there,
      let line = plan?.command(in: here + ["\(there)"])
    {
      return "'\(line.text)'"
    }
    return "the same command with another --netns behind the first, for that namespace"
  }

  /// What it is called, or its number where nothing leads to it.
  private static func name(of drop: DropEvent) -> String {
    drop.place ?? "net:[\(drop.namespace)]"
  }
}

extension DropEvent {
  /// The packet, if it came to where it was sent to, and no program there waited for it.
  var arrived: Packet? { reason == "NO_SOCKET" ? try? Packet(packet) : nil }
}
