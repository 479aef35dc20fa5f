internal import Wire

/// A rule that would translate the packet's source, and that no packet meets: its table is dormant, or no hook leads to
/// its chain.
struct RuleNotInForce {
  /// The rule.
  let rule: RuleText
  private let isDormant: Bool
  private let hasChain: Bool

  /// nil where there is none. A cause that looks at it needs `.host(.sourceTranslations)`.
  init?(translating lost: LostPacket) {
    let families = [NFProto.inet, lost.version == 4 ? NFProto.ipv4 : NFProto.ipv6]
    let fitting = (lost.host(.sourceTranslations).sourceRules ?? []).filter {
      $0.tool == .nft && families.contains($0.family)
        && RuleConditions($0.text).difference(lost) == nil
    }
    for rule in fitting {
      let isDormant = lost.snapshot.isDormant(TableName(rule.family, rule.table))
      let base = lost.snapshot.baseChains.filter {
        $0.family == rule.family && $0.table == rule.table
      }
      // What base chains there are may jump to it.
      guard isDormant || !base.contains(where: { $0.hook == .postrouting }) else { continue }
      self.rule = rule
      self.isDormant = isDormant
      hasChain = lost.snapshot.chains.keys.contains {
        $0.family == rule.family && $0.table == rule.table && $0.chain == Self.chain
      }
      return
    }
    return nil
  }

  private static let chain = "srcnat"

  /// Behind a colon.
  var words: String {
    let place = RuleNames.chain(rule.family, rule.table, rule.chain)
    return isDormant
      ? "a rule of \(place) would translate it, and that table is dormant"
      : "a rule of \(place) would translate it, and no hook leads to that chain"
  }

  /// Has packets meet it.
  var remedy: Command? {
    get throws(Word.Unspeakable) {
      let family = try Word.nftFamily(rule.family)
      let table = try Word.nft(rule.table)
      if isDormant { return "nft add table \(family) \(table)" }
      if hasChain { return nil }
      return
        "nft add chain \(family) \(table) srcnat '{ type nat hook postrouting priority srcnat; }' && "
        + "nft add rule \(family) \(table) srcnat jump \(try Word.nft(rule.chain))"
    }
  }
}
