internal import Wire

/// What a table of nf_tables is known by.
package struct TableName: Hashable, Sendable {
  /// NFPROTO_….
  package var family: UInt8
  /// Its name.
  package var name: String

  /// A name of these parts.
  package init(_ family: UInt8, _ name: String) {
    self.family = family
    self.name = name
  }

  /// The table a message of nf_tables is about.
  init?(_ message: NetlinkMessage) {
    guard let family = (try? NetfilterHeader(message.payload))?.family,
      let name = RulesetWatch.table(of: message)
    else { return nil }
    self.init(family, name)
  }

  /// The table that is gone, if the message says that.
  init?(removedBy message: NetlinkMessage) {
    guard message.type == RulesetWatch.deleteTableType else { return nil }
    self.init(message)
  }
}
