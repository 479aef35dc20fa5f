package import Trace
package import Wire

/// What the kernel lists when a session begins: interfaces, addresses, chains and counters. It is
/// recorded first, so that a session explains itself.
package struct OpeningListing: Sendable {
  /// RTM_NEWLINK messages.
  package var links: [NetlinkMessage]
  /// RTM_NEWADDR messages.
  package var addresses: [NetlinkMessage]
  /// NFT_MSG_NEWCHAIN messages.
  package var chains: [NetlinkMessage]
  /// What else is known.
  package var facts: [Fact]
  /// The tables of iptables-legacy, by IP version.
  package var legacyTables: [Int: [String]]
  /// What else the host was found to have, for a recording.
  package var host: HostState?
  /// `Counters.read()`.
  package var counters: [String: UInt64]

  /// A listing of these parts.
  package init(
    links: [NetlinkMessage], addresses: [NetlinkMessage], chains: [NetlinkMessage],
    facts: [Fact] = [], legacyTables: [Int: [String]] = [:], counters: [String: UInt64] = [:]
  ) {
    self.links = links
    self.addresses = addresses
    self.chains = chains
    self.facts = facts
    self.legacyTables = legacyTables
    self.counters = counters
  }

  /// The lists as records of this time, nanoseconds since the epoch.
  package func records(at now: UInt64) -> [Record] {
    let legacy = [4, 6].map { Fact.legacyTables(version: $0, legacyTables[$0] ?? []) }
    let lists =
      [RouteMessageType.dump(RouteMessageType.getLink)] + links
      + [RouteMessageType.dump(RouteMessageType.getAddress)] + addresses
      + [ChainMessage.dump] + chains
    return lists.map { Record(time: now, .netlink($0)) }
      + (host.map { [Record(time: now, .note(.host($0)))] } ?? []) + [
        Record(time: now, .note(.counters(counters))),
        Record(time: now, .note(.facts(Facts(facts + legacy)))),
      ]
  }

  /// The tables of iptables-legacy, of either IP version.
  package var allLegacyTables: Set<String> { Set(legacyTables.values.joined()) }

  /// The names of all interfaces.
  package var deviceNames: [String] { links.compactMap { LinkMessage.called($0)?.name } }

  /// Whether what leaves by this device leaves this host, and not by a port of it.
  func isEdge(_ device: String) -> Bool {
    !links.contains { message in
      LinkMessage.called(message)?.name == device
        && (try? LinkMessage(parsing: message))?.kind == "bridge"
    }
  }
}
