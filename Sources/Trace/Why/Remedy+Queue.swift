internal import Wire

extension Remedy {
  /// The rule with the flag that lets packets pass while nobody reads its queue: what is inspected stays
  /// inspected, in both directions.
  static func bypass(_ lost: LostPacket, _ step: RuleStep) throws(Word.Unspeakable) -> Command? {
    guard isChangeable(lost, step), let text = step.text else { return nil }
    switch tool(lost, step) {
    case .nft:
      guard let handle = step.handle, let changed = nftBypass(text) else { return nil }
      let place = try place(step.family, step.table, step.chain)
      return
        "nft \(("replace rule \(place) handle \(handle) \(try Word.rule(changed, for: "nft"))" as Command).quoted)"
    case .iptables, .iptablesLegacy:
      guard let position = step.position, !text.contains("--queue-bypass") else { return nil }
      let rest = try Word.rule(text, for: "iptables")
      let chain = try Word.iptables(chain: step.chain)
      return "\(try program(lost, step)) -R \(chain) \(position) \(rest) --queue-bypass"
    }
  }

  /// nft(8) writes "queue to 7", "queue flags fanout to 7-9" and, in older versions, "queue num 7".
  private static func nftBypass(_ text: String) -> String? {
    guard !text.contains("bypass") else { return nil }
    for (old, new) in [
      ("queue flags fanout to ", "queue flags bypass,fanout to "),
      ("queue to ", "queue flags bypass to "),
    ] {
      if let range = text.firstRange(of: old) {
        return text[..<range.lowerBound] + new + text[range.upperBound...]
      }
    }
    return text.contains("queue num ") ? text + " bypass" : nil
  }
}
