package import Kernel
package import Trace
internal import Wire

/// What the kernel lists when a session begins: interfaces, addresses, chains and counters. It is
/// recorded first, so that a session explains itself.
package struct OpeningListing {
  var links: [NetlinkMessage]
  var addresses: [NetlinkMessage]
  var chains: [NetlinkMessage]
  var facts: [Fact] = []

  /// Asks the kernel, in the namespace of the calling thread.
  package static func read(_ rules: inout RulesetReader) throws(KernelError) -> OpeningListing {
    var routes = try RouteSocket()
    let owned = try rules.tables().filter { $0.isOwned && !OwnTable.isOne($0.name) }
    return OpeningListing(
      links: try routes.dump(RouteMessageType.getLink),
      addresses: try routes.dump(RouteMessageType.getAddress), chains: try rules.chains(),
      facts: owned.map { .ownedTable(TableName($0.family, $0.name)) })
  }

  /// The lists as records.
  package var records: [Record] {
    let now = Clock.realtime
    let legacy = [4, 6].map { Fact.legacyTables(version: $0, LegacyTables.names(version: $0)) }
    let lists =
      [RouteMessageType.dump(RouteMessageType.getLink)] + links
      + [RouteMessageType.dump(RouteMessageType.getAddress)] + addresses
      + [ChainMessage.dump] + chains
    return lists.map { Record(time: now, .netlink($0)) } + [
      Record(time: now, .note(.counters(Counters.read()))),
      Record(time: now, .note(.facts(Facts(facts + legacy)))),
    ]
  }

  /// The names of all interfaces.
  package var deviceNames: [String] { links.compactMap { try? LinkMessage(parsing: $0).name } }
}
