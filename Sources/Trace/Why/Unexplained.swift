internal import Wire

/// When no cause fits: say so, with the last place and what was ruled out. Never guess.
enum Unexplained {
  /// A packet that was dropped before any hook saw it: by XDP, a tc ingress filter or a driver. The
  /// kernel says so where it may be asked; that a probe was seen nowhere says it as well.
  static func beforeAnyHook(
    _ exchange: Exchange, _ unseen: [(packet: Packet, drop: DropEvent)], _ header: SessionHeader?,
    _ snapshot: Snapshot
  ) -> Finding? {
    guard exchange.journeys.isEmpty || (exchange.reply == nil && !unseen.isEmpty) else {
      return nil
    }
    let last = unseen.last
    let device =
      last.flatMap { snapshot.name($0.drop.device) } ?? header?.probe?.device ?? "the interface"
    let what = exchange.journeys.isEmpty ? "packet" : "answer"
    return .error(
      "lost-after",
      "the \(what) was lost on arrival at \(device), before any hook: look for an XDP program "
        + "('\(Remedy.look("ip link show", at: device))') and for tc ingress filters "
        + "('\(Remedy.look("tc filter show dev", at: device, " ingress"))')",
      confidence: last == nil ? .likely : .certain,
      evidence: last.map { drop(reason: $0.drop.reason, place: $0.drop.location) }
        ?? ["no hook saw it"] + snapshot.withoutReasons, at: Finding.Place(hook: .ingress))
  }

  /// The kernel's own words on a drop.
  static func drop(reason: String?, place: String?) -> [String] {
    guard let reason else { return [] }
    return ["the kernel's drop reason is \(reason)" + (place.map { ", at \($0)" } ?? "")]
  }

  /// An answer that stays here although another waits for it: conntrack did not know it.
  private static func notTranslatedBack(_ lost: LostPacket) -> Finding? {
    guard lost.isReply, lost.stage == .delivered, lost.destinationChange == nil,
      let request = lost.exchange.request,
      let sent = request.hops.last(where: \.passed)?.packet.source,
      sent != request.packet.source, sent == lost.packet.destination
    else { return nil }
    let state = lost.journey.connection?.state
    return .error(
      "lost-after",
      "the answer was delivered to this host and not translated back to \(request.packet.source): "
        + "conntrack did not know it as an answer; look for rules with 'ct zone' or notrack that "
        + "fit one direction alone",
      confidence: .likely,
      evidence: [
        "the request left with the source \(sent), the answer to it was delivered here"
      ] + (state.map { ["conntrack's state of the answer is \($0.rawValue)"] } ?? []),
      at: Finding.Place(hook: lost.last.point.hook, table: lost.last.point.table))
  }

  static func finding(_ lost: LostPacket) -> Finding {
    if let unknown = notTranslatedBack(lost) { return unknown }
    let label = Escape.name(lost.last.point.label)
    var evidence = ["seen last at \(label)"]
    if lost.version == 6, let device = lost.last.inDevice,
      let setting = lost.setting(device, "disable_ipv6"), setting.value == "1"
    {
      evidence.append("\(setting.name) = 1")
    }
    switch lost.stage {
    case .routing:
      if lost.route?.route != nil { evidence.append("routing has a way for it") }
    case .within(let hook):
      evidence.append("no nf_tables rule of \(hook.rawValue.uppercased()) dropped it")
    case .output, .beforePostrouting:
      evidence.append("no nf_tables rule dropped it, and its next hop is known")
    default: break
    }
    evidence += lost.reasonEvidence
    if lost.dropReason == nil { evidence += lost.snapshot.withoutReasons }
    // Conntrack puts fragments together at defrag, the first position of all.
    let isFragment =
      lost.stage == .within(.prerouting) && lost.last.point.priority < -399
      && lost.packet.fragment?.more == true
    if isFragment { evidence.append("it is the first fragment of a packet") }
    let next: String =
      switch lost.stage {
      case _ where isFragment:
        "where it waits for its other fragments: look for what drops those, here or on the way"
      case .arrival where lost.dropReason == "OTHERHOST":
        "for its frame has another machine's MAC address: look at the entry for this host in 'ip "
          + "neigh' of who sent it"
      case .arrival: "before PREROUTING: look at tc ingress filters and at the packet itself"
      case .within(let hook): "inside \(hook.rawValue.uppercased())"
      case .routing: "between PREROUTING and the next hook"
      case .beforePostrouting: "before POSTROUTING: look at xfrm policies"
      case .behindEgress:
        "behind the last hook of netfilter: look at '"
          + Remedy.look("tc -s qdisc show dev", at: lost.outDevice ?? "?")
          + "' and at tc egress filters"
      case .output:
        "behind the last hook: look at 'tc -s qdisc' and tc filters of "
          + "\(lost.outDevice ?? "the interface")"
      default: "somewhere behind \(label)"
      }
    return .error(
      "lost-after",
      "the \(lost.isReply ? "answer" : "packet") was lost after \(label), \(next)",
      confidence: isFragment ? .likely : .certain, evidence: evidence,
      at: Finding.Place(hook: lost.last.point.hook, table: lost.last.point.table))
  }
}
