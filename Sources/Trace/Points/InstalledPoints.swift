package import Wire

/// nftrace's own chains, as the kernel lists them: what is really there of a setup.
package struct InstalledPoints: Sendable, Equatable {
  private var chains: Set<Chain> = []
  private var devices: Set<String> = []

  private struct Chain: Hashable {
    var hook: Hook
    var priority: Int32
    var name: String
  }

  /// The base chains of nftrace's table among NFT_MSG_NEWCHAIN messages.
  package init(_ messages: [NetlinkMessage], table: String) {
    for message in messages {
      guard let chain = try? ChainMessage(message.payload), chain.table == table,
        chain.type == "filter", let hook = chain.hook, let priority = chain.priority
      else { continue }
      // Where there are many devices, several chains are one point: "ingress", "ingress_2"…
      let isEdge = hook == .ingress || hook == .egress
      let name = isEdge ? String(chain.name.prefix { $0 != "_" }) : chain.name
      chains.insert(Chain(hook: hook, priority: priority, name: name))
      devices.formUnion(chain.devices)
    }
  }

  /// Of chains that are at all devices, whatever these are called: no device is without `lo` beside it.
  private static let all: Set<String> = ["*"]

  /// How many points there are.
  package var count: Int { chains.count }

  /// Whether there is nothing.
  package var isEmpty: Bool { chains.isEmpty }

  /// Whether these points are there and no others, and, where points stand at devices, all of
  /// `devices` have them.
  package func match(_ points: [ObservationPoint], devices: [String]) -> Bool {
    let wanted = Set(
      points.map { Chain(hook: $0.hook, priority: $0.priority, name: $0.chain) })
    let hasEdges = points.contains { $0.hook == .ingress || $0.hook == .egress }
    return chains == wanted
      && (!hasEdges || self.devices == Set(devices) || self.devices == Self.all)
  }
}
