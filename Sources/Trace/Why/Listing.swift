internal import Wire

/// A list that the kernel was asked for, of one family: what it holds takes the place of what the last
/// one of its kind held.
struct Listing: Hashable {
  var kind: Kind
  /// The address family as netlink numbers it, or NFPROTO_… for chains; 0 where a request is for all.
  var family: UInt8

  enum Kind: Hashable {
    case links, addresses, neighbours, routes, policy, chains

    /// What is listed, by the type of its messages.
    fileprivate init?(entry type: UInt16) {
      switch type {
      case RouteMessageType.newLink: self = .links
      case RouteMessageType.newAddress: self = .addresses
      case RouteMessageType.newNeighbour: self = .neighbours
      case RouteMessageType.newRoute: self = .routes
      case RouteMessageType.newRule: self = .policy
      case ChainMessage.newType: self = .chains
      default: return nil
      }
    }

    /// The same by the type of what asks for them.
    fileprivate init?(request type: UInt16) {
      switch type {
      case RouteMessageType.getLink: self = .links
      case RouteMessageType.getAddress: self = .addresses
      case RouteMessageType.getNeighbour: self = .neighbours
      case RouteMessageType.getRoute: self = .routes
      case RouteMessageType.getRule: self = .policy
      case ChainMessage.getType: self = .chains
      default: return nil
      }
    }
  }

  /// The list that a message is an entry of; nil for one that came by itself, or answers a lookup.
  init?(of message: NetlinkMessage) {
    guard message.isPartOfDump, let kind = Kind(entry: message.type) else { return nil }
    self.init(kind: kind, family: message.payload.first ?? 0)
  }

  /// The list that a message asks for.
  init?(requestedBy message: NetlinkMessage) {
    guard message.isDumpRequest, let kind = Kind(request: message.type) else { return nil }
    self.init(kind: kind, family: message.payload.first ?? 0)
  }

  private init(kind: Kind, family: UInt8) {
    self.kind = kind
    // Interfaces have no family.
    self.family = kind == .links ? 0 : family
  }
}

/// Notices where a new list begins among the messages of a session.
struct ListingWatch: Sendable {
  /// Which request the entries so far were answers to.
  private var answered: [Listing: Request] = [:]

  private struct Request: Equatable {
    var sequence: UInt32
    var port: UInt32
  }

  /// Takes in a message; returns the list that it begins, and in whose place nothing of the old one
  /// stays. Sessions that do not have the requests tell it by the number that their answers repeat.
  mutating func takeBeginning(_ message: NetlinkMessage) -> Listing? {
    if let listing = Listing(requestedBy: message) {
      for known in answered.keys where known.kind == listing.kind {
        if listing.family == 0 || known.family == listing.family { answered[known] = nil }
      }
      return listing
    }
    guard let listing = Listing(of: message) else { return nil }
    let request = Request(sequence: message.sequence, port: message.port)
    guard let last = answered.updateValue(request, forKey: listing) else { return nil }
    return last == request ? nil : listing
  }
}
