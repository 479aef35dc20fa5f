internal import Wire

extension FindingID {
  static let filterRedirected = FindingID(rawValue: "tc-redirect")
}

/// A filter of tc gave the packet to another interface, behind the last hook.
enum FilterRedirected: Cause {
  static let page = FindingPage(
    .filterRedirected, "A tc filter gave it to another interface",
    meaning: """
      The packet was to leave by one interface, and a filter of tc at its egress has the action `mirred egress redirect`
      (or `ingress redirect`): it took the packet away and gave it to another interface. Hooks of netfilter, routes and
      captures on the way there all look well; the wire never sees the packet. Such filters are left over of captures,
      of traffic shaping by an `ifb` device, and of networks of containers.
      """,
    certainty: """
      Likely: the filter was used at the time when the packet came to it. Which of several packets it took, the kernel
      does not say.
      """,
    conclusion: """
      The filters of the outgoing interface were listed. One of them redirects, and its action was used last when the
      packet had passed the last hook, to ten milliseconds. An `ifb` device gives back what it gets, and is not meant.
      """,
    advice: """
      `tc -s filter show dev IFACE egress` lists the filters with what each has done. The remedy deletes the one that
      redirects.
      """)

  static let needs: [Need] = [.host(.redirects)]

  static func examine(_ lost: LostPacket) -> Finding? {
    guard lost.stage == .sent, lost.host(.redirects).redirects?.isEmpty == false,
      let redirect = lost.snapshot.redirect(of: lost.journey)
    else { return nil }
    let device = redirect.device
    return error(
      "\(lost.isReply ? "the answer" : "it") was to leave \(device), and a filter of tc there (\(redirect.kind)) gave "
        + "it to \(redirect.target): see '"
        + Remedy.look("tc filter show dev", at: device, " egress")
        + "'", confidence: .likely,
      evidence: [
        .sent(through: device, source: lost.packet.source),
        .deviceProgram(DeviceProgram(device: device, place: .tcEgress, name: redirect.kind)),
      ],
      remedy: try remedy(redirect))
  }

  private static func remedy(_ redirect: FilterRedirect) throws(Word.Unspeakable) -> Command {
    "tc filter del dev \(try Word.device(redirect.device)) egress pref \(redirect.preference)"
  }
}

extension Snapshot {
  /// The filter that took what had passed the last hook on its way out, as far as the time tells.
  func redirect(of journey: Journey) -> FilterRedirect? {
    guard let device = journey.exit, let time = journey.hops.last?.time else { return nil }
    return host.redirects?.last {
      $0.isEgress && $0.device == device && $0.target != device
        && link($0.target)?.kind != "ifb" && $0.mayHaveTaken(at: time)
    }
  }
}
