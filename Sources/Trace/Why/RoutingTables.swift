internal import Wire

/// The routes of all tables, as far as they were listed. There may be a million of them, of which a
/// packet finds a handful: they are kept by where they lead, and read when somebody asks.
struct RoutingTables: Sendable {
  private var entries: [Entry] = []
  /// The latest entry of those that lead to a prefix.
  private var latest: [Prefix: Int] = [:]
  /// The lengths of prefixes that there are routes for.
  private var lengths: Set<Int> = []

  private struct Entry: Sendable {
    /// An `RTM_NEWROUTE`; nil when it is gone.
    var message: NetlinkMessage?
    /// The one before it that leads to the same prefix.
    var previous: Int?
  }

  /// Whether no route was listed.
  var isEmpty: Bool { entries.isEmpty }

  /// Takes in an `RTM_NEWROUTE`.
  mutating func take(_ message: NetlinkMessage) {
    guard let destination = RouteMessage.destination(of: message) else { return }
    let previous = latest.updateValue(entries.count, forKey: destination)
    entries.append(Entry(message: message, previous: previous))
    lengths.insert(destination.length)
  }

  /// Takes in an `RTM_DELROUTE`.
  mutating func remove(_ message: NetlinkMessage) {
    guard let gone = try? RouteMessage(parsing: message) else { return }
    for place in places(of: gone.destination.network) {
      guard let route = route(at: place), Place(route) == Place(gone) else { continue }
      entries[place].message = nil
    }
  }

  /// Forgets the routes of this IP version; 0 is all.
  mutating func forget(version: Int) {
    let kept = version == 0 ? [] : entries
    (entries, latest, lengths) = ([], [:], [])
    for case let message? in kept.map(\.message)
    where RouteMessage.destination(of: message)?.address.family != version { take(message) }
  }

  /// The routes that lead to an address: in each table at most one of them takes it.
  func routes(to address: IPAddress) -> [RouteMessage] {
    lengths.sorted().flatMap { length in
      // Of two in one place the later took the other's.
      var taken: Set<Place> = []
      return Prefix(address, length: length).map { places(of: $0.network) }?
        .compactMap { route(at: $0) }.filter { taken.insert(Place($0)).inserted }.reversed() ?? []
    }
  }

  /// Where the routes to a prefix stand, the latest first.
  private func places(of prefix: Prefix) -> [Int] {
    Array(
      sequence(state: latest[prefix]) { place in
        guard let current = place else { return nil }
        place = entries[current].previous
        return current
      })
  }

  private func route(at place: Int) -> RouteMessage? {
    entries[place].message.flatMap { try? RouteMessage(parsing: $0) }
  }

  /// What a table has one route for.
  private struct Place: Hashable {
    var table: UInt32
    var destination: Prefix
    var source: Prefix
    var tos: UInt8
    var metric: UInt32?
    var gateway: IPAddress?
    var interface: UInt32?

    init(_ route: RouteMessage) {
      table = route.table
      destination = route.destination
      source = route.source
      tos = route.tos
      metric = route.metric
      gateway = route.gateway
      interface = route.outputInterface
    }
  }
}
