extension FindingID {
  static let eventsLost = FindingID(rawValue: "events-lost")
}

/// The kernel had no room for all events.
enum EventsLost: Diagnosis {
  static let page = FindingPage(
    .eventsLost, "Messages of the kernel were lost",
    meaning: """
      The kernel tells nftrace of packets, rules and connections through a socket. It had no room for
      all messages, because they were not read fast enough, so hooks, rules or whole packets may be
      missing from the timeline.
      """,
    certainty: """
      A note, and always certain: the kernel counts what it could not deliver.
      """,
    conclusion: """
      The socket reported an overrun, or the numbers of NFLOG messages have gaps.
      """,
    advice: """
      Watch less: fewer subnets for `setup`, a filter for `show --follow`, a longer interval for `ping`.
      What is missing is not called lost: packets whose end may be missing are told as such.
      """)

  static func finding(_ counts: EventCounts) -> Finding? {
    guard counts.lost > 0 else { return nil }
    let logs = counts.missingLogs
    return note(
      "\(counts.lost) messages of the kernel were lost: packets, hooks and rules may be missing from "
        + "the timeline", evidence: [.socketOverrun] + (logs > 0 ? [.missingLogs(logs)] : []))
  }
}
