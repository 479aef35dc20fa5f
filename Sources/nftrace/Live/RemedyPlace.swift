import App
import Kernel
import Trace
import Wire

/// Copies of the network namespace in which it was made, for one probe: each with other changes.
final class RemedyPlace {
  private let ping: Ping
  private let to: Ping.Destination
  private let original: HeldNamespace
  private let sought: SoughtNeighbours
  /// The copy that stands, and the commands that were run there.
  private var standing: (copy: HeldCopy, commands: [String])?
  /// What is not as it is in the original, in the copy that was made last.
  private(set) var differences: [String] = []

  /// Copies for the probe of this ping.
  init(_ ping: Ping, _ to: Ping.Destination) throws(KernelError) {
    self.ping = ping
    self.to = to
    original = try HeldNamespace("/proc/thread-self/ns/net")
    sought = ping.trial.sought(
      [ping.sender.flatMap { IPAddress($0) }, to.address].compactMap(\.self))
  }

  /// What came of the probe with some changes.
  struct Trial: ChangeTrial {
    /// Whether it was answered, or refused where whoever asked was not told of that before.
    var isThrough: Bool
    /// Whether it was refused then.
    var isRefused: Bool
    /// Why it was lost, if that is known.
    var cause: Finding?

    var obstacle: String {
      cause.map { "\($0.id.rawValue) \($0.summary) \($0.at?.rule ?? "")" } ?? ""
    }
    var candidates: [ChangeCandidate] { cause.map(ChangeCandidate.remedies) ?? [] }
    var likeliest: ChangeCandidate? { cause?.remedy.map { ChangeCandidate($0) } }
  }

  /// Makes the changes, in the copy that stands where nothing else was changed there, and sends the probe; nil where a command
  /// fails.
  func send(_ changes: [ChangeCandidate]) throws -> Trial? {
    let commands = changes.map(\.command)
    if commands.isEmpty || standing?.commands != commands.dropLast() {
      standing = nil
      try original.enter()
      let copy = try HeldCopy(sought)
      differences = copy.differences.map(\.description)
      standing = (copy, [])
    }
    guard let (copy, before) = standing else { return nil }
    // Until it is known what came of them.
    standing = nil
    let space = ChosenNamespace(nil, copy)
    try space.enter()
    for command in commands.dropFirst(before.count) {
      guard try NamespaceCopy.run(command).code == 0 else { return nil }
    }
    standing = (copy, commands)
    try NamespaceCopy.forget()
    let sent = try ping.send(
      to: to, in: [space], isAll: false, copy: copy, rehearsal: copy.rehearsal(), prints: false)
    // That a rule refuses it is one more obstacle.
    var isByRule = false
    if case .rejected? = sent.last?.exchange.request?.end.kind { isByRule = true }
    let isRefused =
      ping.trial.refused != nil && sent.last?.outcome == .rejected && !isByRule
    let isThrough = sent.code == 0 || isRefused
    return Trial(
      isThrough: isThrough, isRefused: isRefused, cause: isThrough ? nil : sent.cause)
  }
}
