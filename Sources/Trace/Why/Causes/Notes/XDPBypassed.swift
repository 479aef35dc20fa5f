internal import Wire

extension FindingID {
  static let xdpBypassed = FindingID(rawValue: "xdp-bypassed")
}

/// A program looks at what arrives before the place at which the probe was put in.
enum XDPBypassed: ExchangeNote {
  static let page = FindingPage(
    .xdpBypassed, "An XDP program on the interface was not met by the probe",
    meaning: """
      The interface has an XDP program of the driver's own kind. It sees what comes from outside before the
      kernel does; a probe that is put in with `--in` enters behind it. What the program drops, changes or
      redirects, this probe does not show.
      """,
    certainty: """
      A warning, and always certain.
      """,
    conclusion: """
      The probe arrived on an interface whose XDP program is not in generic mode: the kernel says so with
      the interface (IFLA_XDP).
      """,
    advice: """
      Probe from the machine outside as well. `ip link show IFACE` names the program by its number,
      `bpftool prog show id N` says what it is; `ip link set dev IFACE xdp off` takes it away.
      """)

  static func examine(_ exchange: Exchange, _ answers: () -> Answers) -> Finding? {
    let answers = answers()
    guard let plan = answers.plan, plan.entrance == .arriving, let device = plan.device,
      answers.snapshot.link(device)?.hasNativeXDP == true, exchange.request != nil
    else { return nil }
    return warning(
      "an XDP program on \(device) sees what arrives there before this probe entered, and did not see it: "
        + "what it drops is not shown here; see '\(Remedy.look("ip link show", at: device))'",
      evidence: [.xdpProgram(device)])
  }
}
