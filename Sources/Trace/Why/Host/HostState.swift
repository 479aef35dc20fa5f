package import Wire

/// What this host has of things that take or keep packets elsewhere than in a rule, as far as it was
/// asked for a lost probe. nil is what was not asked, or is not to be had.
package struct HostState: Sendable, Equatable {
  /// Sockets that may take packets.
  package var sockets: [HostSocket]?
  /// Queues of packets that a program reads.
  package var queues: [QueueReader]?
  /// Policies of IPsec.
  package var policies: [SecurityPolicy]?
  /// The programs that have TUN devices open, by the device.
  package var holders: [String: String]?
  /// Who is a member of which groups.
  package var memberships: [Membership]?
  /// Addresses that this host answers neighbours' questions for, though they are behind it.
  package var proxies: [Membership]?
  /// Where IPv6 routers announce themselves.
  package var advertisements: [RouterAdvertisements]?
  /// What looks at packets at an interface, outside of netfilter.
  package var programs: [DeviceProgram]?
  /// Filters of tc that give packets to other interfaces.
  package var redirects: [FilterRedirect]?
  /// Rules that translate destinations and name the packet's port; nil also where none translates any.
  package var portForwards: [RuleText]?
  /// The rules of the chains that ended packets' ways, in their order.
  package var rulesBeside: [RuleText]?
  /// The elements of sets that those who ended packets' ways, and those who led there, looked them up in.
  package var elements: [SetElement]?
  /// Rules of nft that give packets to transparent proxies, the first of them.
  package var transparentProxies: [RuleText]?
  /// Rules that translate sources, the first of them.
  package var sourceRules: [RuleText]?
  /// How many rules stand in the nat chains of POSTROUTING.
  package var sourceTranslations: Int?

  /// What other network namespaces of this machine know of neighbours that do not answer.
  package var whereabouts: [Whereabouts]?

  /// Nothing.
  package init() {}

  /// What one question was answered with.
  package init(_ fill: (inout HostState) -> Void) { fill(&self) }

  /// Takes in what further questions were answered with.
  mutating func take(_ news: HostState) {
    sockets = Self.joined(sockets, news.sockets)
    queues = news.queues ?? queues
    policies = news.policies ?? policies
    holders = news.holders ?? holders
    memberships = news.memberships ?? memberships
    proxies = news.proxies ?? proxies
    advertisements = news.advertisements ?? advertisements
    programs = news.programs ?? programs
    redirects = Self.joined(redirects, news.redirects)
    portForwards = Self.joined(portForwards, news.portForwards)
    rulesBeside = news.rulesBeside ?? rulesBeside
    elements = news.elements ?? elements
    transparentProxies = news.transparentProxies ?? transparentProxies
    sourceRules = news.sourceRules ?? sourceRules
    sourceTranslations = news.sourceTranslations ?? sourceTranslations
    whereabouts = Self.joined(whereabouts, news.whereabouts)
  }

  /// What is asked for each packet of a probe, such as for the ports of a request and of its answer: none takes the
  /// place of another.
  private static func joined<Thing: Equatable>(_ known: [Thing]?, _ news: [Thing]?) -> [Thing]? {
    guard let known, let news else { return known ?? news }
    return known + news.filter { !known.contains($0) }
  }
}

extension HostState: JSONObject {
  static var blank: HostState { HostState() }

  mutating func members(_ json: inout JSONMembers) {
    json.member("advertisements", &advertisements)
    json.member("elements", &elements)
    json.member("whereabouts", &whereabouts)
    json.member("holders", &holders)
    json.member("memberships", &memberships)
    json.member("policies", &policies)
    json.member("portForwards", &portForwards)
    json.member("programs", &programs)
    json.member("proxies", &proxies)
    json.member("queues", &queues)
    json.member("redirects", &redirects)
    json.member("rulesBeside", &rulesBeside)
    json.member("sockets", &sockets)
    json.member("sourceRules", &sourceRules)
    json.member("sourceTranslations", &sourceTranslations)
    json.member("transparentProxies", &transparentProxies)
  }
}

/// A queue of packets, and who reads it.
package struct QueueReader: Sendable, Equatable, JSONObject {
  /// Its number.
  package var number: UInt16
  /// The name of the program, as ps(1) shows it.
  package var program: String?
  /// Packets that had no room in the queue, or none on the way to the program, so far.
  package var dropped: UInt64

  /// A queue of these fields.
  package init(number: UInt16, program: String?, dropped: UInt64) {
    self.number = number
    self.program = program
    self.dropped = dropped
  }

  static var blank: QueueReader { QueueReader(number: 0, program: nil, dropped: 0) }

  mutating func members(_ json: inout JSONMembers) {
    json.member("dropped", &dropped)
    json.member("number", &number)
    json.member("program", &program)
  }
}

/// An address that an interface has a part in: a group that it is a member of, or a host that it answers
/// neighbours for.
package struct Membership: Sendable, Equatable, JSONObject {
  /// The interface.
  package var device: String
  /// The address.
  package var address: IPAddress

  /// An address at an interface.
  package init(device: String, address: IPAddress) {
    self.device = device
    self.address = address
  }

  static var blank: Membership { Membership(device: "", address: .v4(0)) }

  mutating func members(_ json: inout JSONMembers) {
    json.member("address", &address)
    json.member("device", &device)
  }
}

/// What an interface makes of the routers that announce themselves there.
package struct RouterAdvertisements: Sendable, Equatable, JSONObject {
  /// The interface.
  package var device: String
  /// The value of its setting accept_ra.
  package var accept: String
  /// The value of its setting forwarding.
  package var forwarding: String

  /// An interface of these settings.
  package init(device: String, accept: String, forwarding: String) {
    self.device = device
    self.accept = accept
    self.forwarding = forwarding
  }

  /// Whether a host that forwards is to take no notice of them.
  var areIgnored: Bool { accept == "0" || accept == "1" && forwarding != "0" }

  static var blank: RouterAdvertisements {
    RouterAdvertisements(device: "", accept: "", forwarding: "")
  }

  mutating func members(_ json: inout JSONMembers) {
    json.member("accept", &accept)
    json.member("device", &device)
    json.member("forwarding", &forwarding)
  }
}

/// What looks at packets at an interface, outside of netfilter: a BPF program, a tc filter, a queue.
package struct DeviceProgram: Sendable, Equatable, JSONObject {
  /// The interface.
  package var device: String
  /// Where it stands.
  package var place: Place
  /// What it is called: "drop.o:[classifier]", "fq_codel".
  package var name: String

  /// Places outside of netfilter.
  package enum Place: String, Sendable, JSONCoded {
    case xdp
    case tcIngress = "tc ingress"
    case tcEgress = "tc egress"
    case qdisc
  }

  /// A program of these fields.
  package init(device: String, place: Place, name: String) {
    self.device = device
    self.place = place
    self.name = name
  }

  static var blank: DeviceProgram { DeviceProgram(device: "", place: .xdp, name: "") }

  mutating func members(_ json: inout JSONMembers) {
    json.member("device", &device)
    json.member("name", &name)
    json.member("place", &place)
  }
}
