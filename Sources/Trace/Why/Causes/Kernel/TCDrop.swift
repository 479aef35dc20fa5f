internal import Wire

extension FindingID {
  static let tcDrop = FindingID(rawValue: "tc-drop")
}

/// A filter of traffic control dropped it.
enum TCDrop: KernelCause {
  static let page = FindingPage(
    .tcDrop, "A filter of traffic control (tc) dropped the packet",
    meaning: """
      A filter or BPF program that is attached to the interface for traffic control dropped the packet:
      one for what comes in, before all hooks, or one for what goes out, behind them. Container networks
      (Cilium, Calico's eBPF mode) and rate limits are made of such.
      """,
    certainty: """
      Always certain: the kernel gave this reason for the drop.
      """,
    conclusion: """
      The kernel's drop reason is TC_INGRESS or TC_EGRESS, or another of traffic control's.
      """,
    advice: """
      `tc filter show dev IFACE ingress` (and `egress`) lists the filters, and `bpftool net` the programs
      of the newer kind (tcx), which tc does not know. `tc -s filter show` counts what each has done.
      """)

  static let reasons: Set<String> = [
    "TC_INGRESS", "TC_EGRESS", "TC_COOKIE_ERROR", "TC_CHAIN_NOTFOUND", "TC_RECLASSIFY_LOOP",
  ]

  static var needs: [Need] { [.host(.programs), .host(.redirects), .neighbours] }

  /// It was given to an interface that is down.
  private static func redirectedAway(_ verdict: KernelVerdict) -> Finding? {
    let isEgress = verdict.reason == "TC_EGRESS"
    guard
      let (redirect, target) = verdict.redirectsAway.last(where: {
        $0.redirect.isEgress == isEgress
      })
    else { return nil }
    let programs = verdict.programs([isEgress ? .tcEgress : .tcIngress])
    return error(
      "a tc filter of \(redirect.device) (\(redirect.kind)) gives what \(isEgress ? "leaves" : "comes in") there to "
        + "\(target.name), which is down, so that the \(verdict.what) was dropped",
      evidence: verdict.evidence + programs.map { .deviceProgram($0) }
        + [.interfaceState(target.name, target.state)],
      remedy: try "ip link set dev \(Word.device(target.name)) up", at: verdict.at)
  }

  static func finding(_ verdict: KernelVerdict) -> Finding {
    if let finding = redirectedAway(verdict) { return finding }
    let isEgress = verdict.reason == "TC_EGRESS"
    let programs = verdict.programs([isEgress ? .tcEgress : .tcIngress])
    let device = verdict.device ?? "the interface"
    let way: Command = isEgress ? " egress" : " ingress"
    return error(
      "a tc filter\(KernelVerdict.names(programs)) of \(device) dropped the \(verdict.what) "
        + "\(isEgress ? "behind the last hook" : "before any hook"): see '"
        + Remedy.look("tc filter show dev", at: device, way) + "' and 'bpftool net'",
      evidence: verdict.evidence + programs.map { .deviceProgram($0) }, at: verdict.at)
  }
}
