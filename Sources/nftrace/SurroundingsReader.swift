import Kernel
import Trace
import Wire

/// What the kernel lists when a session begins: interfaces, addresses,
/// chains and counters. It is recorded
/// first, so that a session explains itself.
struct SurroundingsReader {
  var links: [NetlinkMessage]
  var addresses: [NetlinkMessage]
  var chains: [NetlinkMessage]
  /// Facts with names of their own, as `Note.facts` has them.
  var facts: [String: String] = [:]

  /// Asks the kernel, in the namespace of the calling thread.
  static func read(_ rules: inout RulesetReader) throws(KernelError) -> SurroundingsReader {
    var routes = try RouteSocket()
    let owned = try rules.tables().filter { $0.isOwned && !$0.name.hasPrefix("nftrace_") }
    var facts: [String: String] = [:]
    for table in owned { facts["owned table \(NFProto.name(table.family)) \(table.name)"] = "yes" }
    return SurroundingsReader(
      links: try routes.dump(RouteMessageType.getLink),
      addresses: try routes.dump(RouteMessageType.getAddress), chains: try rules.chains(),
      facts: facts)
  }

  /// The lists as records.
  var records: [Record] {
    let now = Clock.realtime
    let legacy = [4, 6].map { ("legacy tables \($0)", LegacyTables.names(version: $0)) }
      .filter { !$0.1.isEmpty }.map { ($0.0, $0.1.joined(separator: " ")) }
    return (links + addresses + chains).map { Record(time: now, .netlink($0)) } + [
      Record(time: now, .note(.counters(Counters.read()))),
      Record(time: now, .note(.facts(facts.merging(legacy) { _, new in new }))),
    ]
  }

  /// The names of all interfaces.
  var deviceNames: [String] { links.compactMap { try? LinkMessage(parsing: $0).name } }
}
