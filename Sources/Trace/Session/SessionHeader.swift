internal import Wire

/// What nftrace itself knew when a session began. It is kept as JSON in the session file.
package struct SessionHeader: Sendable, Equatable {
  /// "nftrace-session/1".
  package var schema = "nftrace-session/1"
  /// The command that made it: "ping", "setup" or "record".
  package var command: String
  /// nftrace's version.
  package var version: String
  /// The kernel's release, as uname(2) gives it.
  package var kernel: String
  /// The name under which the network namespace was asked for.
  package var netns: String?
  /// The name that it had for `ip netns`, where none was asked for: somebody has entered it before.
  package var netnsEntered: String?
  /// What it is called, if it has a name.
  package var netnsName: String? { netns ?? netnsEntered }
  /// What tells that namespace from others: "4026532201-5".
  package var namespace: String?
  /// The file that leads to it: "/run/netns/web"; nil where none was asked for.
  package var netnsPath: String?
  /// The other network namespaces in which the probes are watched, in the order of their places.
  package var others: [SessionHeader] = []
  /// In the header of one of several places: how the probes enter the first, and what all of them are called.
  private(set) var walk: Walk?

  /// What the place is called that this is from, where it is one of several sessions that are told as one.
  var called: String?

  /// The probes of several network namespaces.
  struct Walk: Sendable, Equatable {
    /// As they were asked for, where they enter.
    var plan: ProbePlan
    /// The places, in their order.
    var sites: [Site]
    /// Which of them this is.
    var place: Int
  }

  /// How the machine of this place is connected to, as ssh(1) takes it; nil for the machine that asks.
  package var via: String?
  /// When it began, nanoseconds since the epoch; nil in sessions of before.
  package var started: UInt64?
  /// The machine's name, as uname(2) gives it.
  package var host: String?
  /// What tells that boot of the machine from others.
  package var boot: String?
  /// nftrace's points, in the order in which they were made.
  package var points: [ObservationPoint]
  /// The name of nftrace's tables.
  package var table: String
  /// The probes of a ping.
  package var probe: ProbePlan?
  /// The prefixes whose traffic is recorded.
  package var targets: [String]
  /// Sysctls of the namespace when the session began, by name.
  package var sysctls: [String: String]
  /// Names of the iptables-legacy NAT table's targets in use, by IP version, if there is that table.
  package var legacyNAT: [Int: [String]]
  /// The device that packets of this host are diverted into, to come back in through it; nil without
  /// `intercept`.
  package var diversion: String?
  /// "log" where the kernel log's lines are all there is; nil for what netlink told.
  package var backend: String?
  /// Where it is of a copy of a network namespace, what was tried there.
  package var rehearsal: Rehearsal?
  /// What a recorder that keeps to a size has thrown away before this section; nil if nothing.
  package var dropped: DroppedRecords?
  /// What a recorder had recorded before this section; nil in what is no recording.
  package var recorded: RecordedEvents?

  /// Whether this is the beginning of one that follows whole, for it is long; nil where it is whole.
  package var isContinued: Bool?

  /// A header of these fields.
  package init(
    command: String, version: String, kernel: String, netns: String? = nil,
    points: [ObservationPoint], table: String, probe: ProbePlan? = nil, targets: [String] = [],
    sysctls: [String: String] = [:], legacyNAT: [Int: [String]] = [:]
  ) {
    self.command = command
    self.version = version
    self.kernel = kernel
    self.netns = netns
    self.points = points
    self.table = table
    self.probe = probe
    self.targets = targets
    self.sysctls = sysctls
    self.legacyNAT = legacyNAT
  }

  /// Whether all that is known is what lines of the kernel log say.
  package var isKernelLog: Bool { backend == "log" }

  /// The header as JSON text.
  package var json: String { asJSON.line }

  /// The header in JSON text; nil when it is not one.
  package init?(json: String) {
    guard let header = Self(text: json), header.schema == "nftrace-session/1",
      header.probe.map({ $0.source.family == $0.destination.family }) ?? true
    else { return nil }
    self = header
    probe = header.probe?.bounded
    points = Array(header.points.prefix(Self.mostPoints))
    others = header.others.prefix(Self.mostOthers).map { other in
      var other = other
      other.points = Array(other.points.prefix(Self.mostPoints))
      other.others = []
      return other
    }
  }

  /// Namespaces that are taken from a file: more than anybody follows a packet through.
  static let mostOthers = 63

  /// Points that are taken from a file: more than any ruleset has.
  static let mostPoints = 4096
}

extension SessionHeader {
  /// What is short of it, as the beginning of one that follows whole.
  var short: SessionHeader {
    var header = self
    header.isContinued = true
    header.others = []
    header.points = []
    header.targets = []
    header.sysctls = [:]
    header.legacyNAT = [:]
    // Without its octets, nobody could tell what belongs to it.
    if header.probe?.like != nil { header.probe = nil }
    return header
  }

  /// The same of one in which names are as long as people make them.
  var shortest: SessionHeader {
    var header = short
    header.netns = nil
    header.netnsEntered = nil
    header.netnsPath = nil
    header.probe = nil
    header.diversion = nil
    return header
  }
}

extension SessionHeader {
  /// Whether this section goes on where one that began with `earlier` ended: a recorder's file was
  /// full, and it began another one.
  package func continues(_ earlier: SessionHeader) -> Bool {
    var next = self
    next.dropped = earlier.dropped
    next.recorded?.messages = earlier.recorded?.messages ?? 0
    next.recorded?.lost = earlier.recorded?.lost ?? 0
    return next == earlier
  }
}

extension SessionHeader {
  /// Whether the kernel's trace tells of connections: Linux 6.16 and later.
  var tellsConnections: Bool {
    let numbers = kernel.split { !$0.isNumber }.prefix(2).compactMap { Int($0) }
    return numbers.count == 2 && (numbers[0], numbers[1]) >= (6, 16)
  }
}

extension SessionHeader {
  /// Where the probes are watched, if that is in several places; none where it is in one alone.
  package var sites: [Site] {
    if others.isEmpty { return [] }
    let all = [self] + others
    guard all.contains(where: { $0.via != nil || $0.called != nil }) else {
      return all.map { Site(name: $0.netns ?? "", path: $0.netnsPath) }
    }
    let hosts = all.map { $0.host ?? "" }
    let areTold = Set(hosts).count == all.count
    return all.map { header in
      // Namespaces of one machine, and machines that call themselves the same, are told apart by how they were asked for.
      let name =
        areTold ? header.host ?? "" : header.called ?? header.asked ?? header.netns ?? "here"
      return Site(machine: name, path: header.via ?? (areTold ? header.ownName : nil))
    }
  }

  /// What another machine is to be connected to by whose session was recorded on its own: what it calls itself.
  private var ownName: String? {
    called == nil || probe != nil ? nil : host.flatMap { Site.isMachine($0) ? $0 : nil }
  }

  /// What a machine was asked for by, without who is to be there.
  private var asked: String? {
    via.map { via in
      let whole = via.hasPrefix("ssh://") ? via.dropFirst(6) : via[...]
      return String(whole.split(separator: "@").last ?? "")
    }
  }

  /// The headers of all places, as if each were the only one. In the others, a probe is a packet that a
  /// neighbour sends.
  var places: [SessionHeader] {
    var first = self
    first.others = []
    var places =
      [first]
      + others.map { other in
        var other = other
        other.probe = probe
        other.probe?.entrance = .local
        other.probe?.device = nil
        return other
      }
    guard let probe, !others.isEmpty else { return places }
    for place in places.indices {
      places[place].walk = Walk(plan: probe, sites: sites, place: place)
    }
    return places
  }

  /// Whether both are of one network namespace of one machine.
  package func isPlace(of other: SessionHeader) -> Bool {
    boot != nil && namespace != nil && boot == other.boot && namespace == other.namespace
  }

  /// Whether another network namespace dropped it than the one that the session is about.
  func isElsewhere(_ drop: DropEvent) -> Bool {
    guard drop.namespace != 0, let inode else { return false }
    return inode != "\(drop.namespace)"
  }

  /// The inode number of the namespace that the session is about.
  package var inode: Substring? { namespace?.prefix { $0 != "-" } }
}

extension SessionHeader: JSONObject {
  static var blank: SessionHeader {
    SessionHeader(command: "", version: "", kernel: "", points: [], table: "")
  }

  mutating func members(_ json: inout JSONMembers) {
    json.member("backend", &backend)
    json.member("boot", &boot)
    json.member("command", &command)
    json.member("continued", &isContinued)
    json.member("diversion", &diversion)
    json.member("dropped", &dropped)
    json.member("host", &host)
    json.member("kernel", &kernel)
    json.member("legacyNAT", &legacyNAT)
    json.member("namespace", &namespace)
    json.member("netns", &netns)
    json.member("netnsEntered", &netnsEntered)
    json.member("netnsPath", &netnsPath)
    var more = others.isEmpty ? nil : others
    json.member("others", &more)
    others = more ?? []
    json.member("points", &points)
    json.member("probe", &probe)
    json.member("recorded", &recorded)
    json.member("rehearsal", &rehearsal)
    json.member("schema", &schema)
    json.member("started", &started)
    json.member("sysctls", &sysctls)
    json.member("table", &table)
    json.member("targets", &targets)
    json.member("version", &version)
    json.member("via", &via)
  }
}
