internal import Wire

extension Record {
  /// Whether it tells of a change of the ruleset, or of the end of a transaction.
  package var isRulesetChange: Bool {
    guard case .netlink(let message) = content else { return false }
    return message.type >> 8 == UInt16(NetfilterSubsystem.nftables)
      && message.type != TraceMessage.type
  }

  /// The table that is gone, if it says that.
  package var removedTable: TableName? {
    if case .netlink(let message) = content { TableName(removedBy: message) } else { nil }
  }

  /// Whether it tells of a rule of one of these tables, with its handle.
  package func tellsOfRule(in tables: Set<TableName>) -> Bool {
    switch content {
    case .netlink(let message) where message.type == NFTRuleMessage.newType:
      guard let table = TableName(message) else { return false }
      return tables.contains(table)
    case .note(.rule(let text)):
      return text.handle != nil && tables.contains(TableName(text.family, text.table))
    default: return false
    }
  }
}
