internal import Wire

extension FindingID {
  static let ownerAsRoot = FindingID(rawValue: "owner-as-root")
}

/// Rules ask who sends, and the probe was root's.
enum OwnerAsRoot: ExchangeNote {
  static let page = FindingPage(
    .ownerAsRoot, "Rules that ask for a user were met as root",
    meaning: """
      A rule for this host's own packets asks which user, group or control group sends them
      (`-m owner`, `meta skuid`, `socket cgroupv2`). The probe was sent by root; what another user sends
      may fare otherwise.
      """,
    certainty: """
      A note, and always certain: the rules were read.
      """,
    conclusion: """
      This host sent the probe, no user was asked for, and a rule in a table with a chain at OUTPUT asks for the
      owner of a socket.
      """,
    advice: """
      If a program of another user cannot get through, ask as that user: `nftrace ping --local --user USER`.
      """)

  static func examine(_ exchange: Exchange, _ answers: () -> Answers) -> Finding? {
    guard exchange.request?.way.first.point.hook == .output, answers().snapshot.asksOwner else {
      return nil
    }
    return note(
      "rules here ask which user sends, and the probe was root's: --user USER sends it as another")
  }
}
