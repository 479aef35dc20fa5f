import App
import Kernel
import Trace
import Wire

extension OpeningListing {
  /// Asks the kernel, in the namespace of the calling thread.
  static func read(_ rules: inout RulesetReader) throws(KernelError) -> OpeningListing {
    var routes = try RouteSocket()
    let tables = try rules.tables().filter { !OwnTable.isOne($0.name) }
    let links = try routes.dump(RouteMessageType.getLink)
    return OpeningListing(
      links: links,
      addresses: try routes.dump(RouteMessageType.getAddress), chains: try rules.chains(),
      facts: tables.filter(\.isOwned).map { .ownedTable(TableName($0.family, $0.name)) }
        + tables.filter(\.isDormant).map { .dormantTable(TableName($0.family, $0.name)) },
      legacyTables: [4: LegacyTables.names(version: 4), 6: LegacyTables.names(version: 6)],
      counters: Counters.read(links: links))
  }

  /// The same, through a socket of its own.
  static func read() throws(KernelError) -> OpeningListing {
    var rules = try RulesetReader()
    return try read(&rules)
  }
}
