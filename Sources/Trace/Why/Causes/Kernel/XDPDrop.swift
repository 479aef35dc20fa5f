internal import Wire

extension FindingID {
  static let xdpDrop = FindingID(rawValue: "xdp-drop")
}

/// An XDP program on the interface dropped it: no hook ever sees that.
enum XDPDrop: KernelWord {
  static let page = FindingPage(
    .xdpDrop, "An XDP program on the interface dropped the packet",
    meaning: """
      A BPF program on the interface looks at what comes in before the kernel does, and dropped this: no
      rule and no hook ever had it. Firewalls against floods (Cilium, Katran, xdp-filter) and monitoring
      agents attach such programs.
      """,
    certainty: """
      Certain where the kernel gave this reason for the drop. Likely where it may not be asked, no hook
      saw the probe, and its interface has such a program.
      """,
    conclusion: """
      The kernel's drop reason is XDP, which only a program in generic mode has it say: one of the
      driver's own drops frames without a word.
      """,
    advice: """
      `ip link show IFACE` names the program by its number, and `bpftool prog show id N` says what it is
      and who loaded it: change it there. `ip link set dev IFACE xdp off` takes it away.
      """)

  static let reasons: Set<String> = ["XDP"]

  static func finding(_ verdict: KernelVerdict) -> Finding {
    let programs = verdict.programs([.xdp])
    let device = verdict.device ?? "the interface"
    return error(
      "the XDP program\(KernelVerdict.names(programs)) on \(device) dropped the \(verdict.what) before "
        + "any hook: see '\(Remedy.look("ip link show", at: device))'",
      evidence: verdict.evidence + programs.map { .deviceProgram($0) }, at: verdict.at)
  }

  /// The kernel may not be asked, and no hook saw it where such a program is.
  static func suspected(on device: String, _ what: String, _ snapshot: Snapshot) -> Finding? {
    guard snapshot.link(device)?.hasXDP == true else { return nil }
    let programs = (snapshot.host.programs ?? []).filter {
      $0.place == .xdp && $0.device == device
    }
    return error(
      "no hook saw the \(what): the XDP program\(KernelVerdict.names(programs)) on \(device) is likely "
        + "to have dropped it; see '\(Remedy.look("ip link show", at: device))'",
      confidence: .likely,
      evidence: [.seenNowhere, .xdpProgram(device)] + programs.map { .deviceProgram($0) }
        + snapshot.withoutReasons, at: Finding.Place(hook: .ingress))
  }
}
