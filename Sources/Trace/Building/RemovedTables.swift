internal import Wire

/// The tables that were removed a moment ago.
struct RemovedTables: Sendable {
  private var tables: [RemovedTable] = []

  /// Takes in that a table is gone, and what was known of it.
  mutating func append(_ table: RemovedTable) { tables.append(table) }

  /// Takes in that a transaction ended. Returns the tables that it removed.
  mutating func settle(at now: UInt64) -> [RemovedTable] {
    var settled: [RemovedTable] = []
    for index in tables.indices where tables[index].end == nil {
      tables[index].end = now
      settled.append(tables[index])
    }
    tables.removeAll { now.since($0.end ?? now) > RemovedTable.lateness }
    tables.removeFirst(max(tables.count - RemovedTable.most, 0))
    return settled
  }

  /// A step that is told of now, as far as it is certain. `new` is the rule that has its handle.
  func certain(_ step: RuleStep, at now: UInt64, new: NFTRuleMessage?) -> RuleStep {
    tables.reduce(step) { step, removed in
      guard let end = removed.end, now.since(end) <= RemovedTable.lateness,
        let key = Snapshot.RuleKey(step), removed.rules[key] != nil
      else { return step }
      return removed.certain(step, new: new)
    }
  }
}
