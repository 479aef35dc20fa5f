internal import Wire

/// What the kernel said of a packet that it dropped outside of netfilter, and where that was.
struct KernelVerdict {
  /// "packet" or "answer".
  var what: String
  /// The kernel's name for the reason.
  var reason: String
  /// The interface that it was at, where that is known.
  var device: String?
  /// Where that was, as a part of a sentence: "after nat-PREROUTING".
  var place: String
  var at: Finding.Place
  /// The reason, and what else is known.
  var evidence: [Evidence]
  /// What looks at packets at the interfaces on its way.
  var programs: [DeviceProgram]

  /// Filters there that give packets to interfaces which are down, and these.
  private(set) var redirectsAway: [(redirect: FilterRedirect, target: LinkMessage)] = []

  /// What the kernel said of a packet that some hook saw; nil if it said nothing that tells.
  init?(_ lost: LostPacket) {
    guard lost.stage != .ruled,
      let drop = lost.journey.end.kernelDrop ?? (lost.isReply ? nil : lost.journey.socketDrop),
      let reason = Self.reason(drop.reason, at: drop.location)
    else { return nil }
    what = RuleNames.what(lost)
    self.reason = reason
    device = lost.last.point.hook == .ingress ? lost.inDevice : lost.outDevice ?? lost.inDevice
    place = "after \(lost.last.name)"
    at = Finding.Place(hook: lost.last.point.hook, table: lost.last.point.table)
    evidence =
      [.seenLast(at: lost.last.name)] + lost.reasonEvidence
      + (lost.isReply ? [] : lost.socketReasonEvidence)
    programs = lost.host(.programs).programs ?? []
    noteRedirects(lost.snapshot)
  }

  /// What it said of one that no hook saw.
  init?(_ drop: DropEvent, of what: String, device: String, _ snapshot: Snapshot) {
    guard let reason = Self.reason(drop.reason, at: drop.location) else { return nil }
    self.what = what
    self.reason = reason
    self.device = device
    place = "on arrival at \(device), before any hook"
    at = Finding.Place(hook: .ingress)
    evidence = [.dropReason(drop.reason ?? reason, place: drop.location)]
    programs = snapshot.host.programs ?? []
    noteRedirects(snapshot)
  }

  private mutating func noteRedirects(_ snapshot: Snapshot) {
    redirectsAway = (snapshot.host.redirects ?? []).filter { $0.device == device }.compactMap {
      guard let target = snapshot.link($0.target), !target.flags.contains(.up) else { return nil }
      return ($0, target)
    }
  }

  /// The reason, if it says more than that there was one. XDP programs in generic mode have none, but
  /// a place of their own.
  private static func reason(_ name: String?, at place: String?) -> String? {
    guard let name, name != "NETFILTER_DROP", name != "NOT_DROPPED_YET", !name.hasPrefix("reason ")
    else { return nil }
    guard name == "NOT_SPECIFIED" else { return name }
    return place?.hasPrefix("do_xdp_generic") == true ? "XDP" : nil
  }

  /// What stands at that interface, of these places.
  func programs(_ places: [DeviceProgram.Place]) -> [DeviceProgram] {
    programs.filter { places.contains($0.place) && (device == nil || $0.device == device) }
  }

  /// Names of programs for a sentence: " (drop.o:[xdp])".
  static func names(_ programs: [DeviceProgram]) -> String {
    programs.isEmpty
      ? "" : " (\(programs.map { Escape.name($0.name) }.joined(separator: ", ")))"
  }
}
