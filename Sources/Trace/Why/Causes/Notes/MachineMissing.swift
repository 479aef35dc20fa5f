extension FindingID {
  /// The id of a machine that is missing.
  package static let machineMissing = FindingID(rawValue: "machine-missing")
}

/// A machine on which probes were to be watched is not there, or is gone.
enum MachineMissing: Diagnosis {
  static let page = FindingPage(
    .machineMissing, "A machine is missing",
    meaning: """
      `ping --via` was to watch the probe on this machine as well, and could not: it cannot be reached by ssh, nftrace is
      not there or may not do its work, or the connection broke off in the middle, when what was seen until then is told.
      """,
    certainty: """
      A warning, and always certain: it is what ssh or the nftrace there said, or that it said nothing in time.
      """,
    conclusion: """
      Nothing was concluded: what became of the packet there is not known, and nothing is said of it.
      """,
    advice: """
      `ssh MACHINE nftrace status` says whether it can be reached without a password, and whether all that nftrace needs
      is there. `--bring` copies nftrace to where it is not installed, for as long as the ping lasts.
      """)

  static func finding(_ machine: String, _ why: String) -> Finding {
    var finding = warning("\(Escape.name(machine)) is missing: \(why)")
    finding.site = Site(machine: machine, path: machine)
    return finding
  }
}
