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
    for index in removedTables.indices where removedTables[index].end == nil {
      let removed = removedTables[index]
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
      removedTables[index].end = now
    }
    removedTables.removeAll { now.since($0.end ?? now) > RemovedTable.lateness }
    removedTables.removeFirst(max(removedTables.count - RemovedTable.most, 0))
  }

  /// A step that is told of now, as far as it is certain.
  func certain(_ step: RuleStep) -> RuleStep {
    removedTables.reduce(step) { step, removed in
      guard let end = removed.end, now.since(end) <= RemovedTable.lateness,
        let key = Snapshot.RuleKey(step), removed.rules[key] != nil
      else { return step }
      return removed.certain(step, new: snapshot.rule(step))
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
