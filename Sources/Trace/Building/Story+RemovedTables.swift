internal import Wire

extension Story {
  /// Takes in that a table is gone, if the message says so.
  mutating func noteRemoval(_ message: NetlinkMessage) {
    guard let table = TableName(removedBy: message) else { return }
    let known = snapshot.forgetRules(table)
    removedTables.append(RemovedTable(name: table, rules: known.rules, texts: known.texts))
  }

  /// Takes in the end of a transaction: of each rule in the tables that it removed it is known now
  /// what came in its place.
  mutating func settleRemovals() {
    for removed in removedTables.settle(at: now) {
      reviseSteps { removed.certain($0, new: $1) }
      // What has not changed need not be read again. It may stand elsewhere in its chain.
      for text in removed.texts {
        guard let handle = text.handle else { continue }
        let step = RuleStep(
          family: text.family, table: text.table, chain: text.chain, .nft(handle: handle),
          verdict: .continue)
        guard !removed.certain(step, new: snapshot.rule(step)).isReplaced else { continue }
        var text = text
        text.position = nil
        snapshot.take(.rule(text))
      }
    }
  }

  private mutating func reviseSteps(_ certain: (RuleStep, NFTRuleMessage?) -> RuleStep) {
    let snapshot = snapshot
    func revised(_ step: RuleStep) -> RuleStep { certain(step, snapshot.rule(step)) }
    for index in open.indices {
      open[index].way.revise(revised)
      open[index].dropped = open[index].dropped.map(revised)
    }
    self.snapshot.reviseDiscoveryDrops(revised)
  }
}
