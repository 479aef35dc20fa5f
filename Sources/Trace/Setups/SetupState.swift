package import Wire

/// What `setup` made in a network namespace and has to be remembered: kept as JSON beside its
/// journal.
package struct SetupState: Sendable, Equatable {
  /// "nftrace-setup/1".
  package var schema = "nftrace-setup/1"
  /// The subnets whose traffic is observed, as they were given.
  package var subnets: [String]
  /// "nflog" or "log".
  package var backend: String
  /// The NFLOG group that the rules report to; nil with "log".
  package var group: UInt16?
  /// The TUN device, if one was asked for.
  package var tun: Tun?
  /// Subnets of the TUN device that are masqueraded.
  package var masquerade: [String] = []
  /// Whether forwarding was asked for.
  package var forward = false
  /// The points, in the order in which they were made.
  package var points: [ObservationPoint] = []
  /// Seconds since the epoch when it was first set up.
  package var since: UInt64
  /// The process that did so, and its command line.
  package var process: Int32
  /// What that process was called with.
  package var command: [String]
  /// What tells that boot of the machine from others.
  package var boot: String
  /// Whether its rules have the kernel trace what they report, which is for who reads that: see
  /// `ObservationTables.traces`. Setups of before always do.
  package var traces = true
  /// Whether its rules follow packets that are translated: `ObservationTables.followsTranslations`. Setups of before do not.
  package var followsTranslations = false
  /// Whether its rules count what they report: see `ObservationTables.counts`.
  package var counts = false
  /// Whether a recorder belongs to it.
  package var records = false
  /// The file the recorder writes.
  package var session: String?
  /// Journals written for it, in order.
  package var journals: [String] = []
  /// The SSH connection of who set it up, which is not observed, as SSH_CONNECTION has it; nil where all are.
  package var leftOut: String?
  /// What begins its lines of the kernel log, which all namespaces share: "net:[4026532201]". nil in the machine's
  /// first.
  package var logNamespace: String?
  /// What its network namespace is called, if it has a name.
  package var netns: String?

  /// A TUN device that packets come in through.
  package struct Tun: Sendable, Equatable {
    /// Its name.
    package var name: String
    /// Whether setup made it, so that teardown removes it.
    package var isOurs: Bool
    /// Its addresses.
    package var addresses: [String]

    /// The device of this name.
    package init(name: String, isOurs: Bool, addresses: [String]) {
      self.name = name
      self.isOurs = isOurs
      self.addresses = addresses
    }
  }

  /// The state of a setup that begins.
  package init(
    subnets: [String], backend: String, group: UInt16?, since: UInt64, process: Int32,
    command: [String], boot: String
  ) {
    self.subnets = subnets
    self.backend = backend
    self.group = group
    self.since = since
    self.process = process
    self.command = command
    self.boot = boot
  }

  /// The state as JSON text.
  package var json: String { asJSON.line + "\n" }

  /// The state in JSON text; nil when it is none.
  package init?(json: String) {
    guard let state = Self(text: json), state.schema == "nftrace-setup/1" else { return nil }
    self = state
  }

  /// The subnets as values.
  package var prefixes: Subnets { Subnets(subnets.compactMap { Prefix($0) }) }

  /// The hooks at devices that this kernel has: all of them until it said otherwise.
  package var edges: Set<Hook> {
    points.isEmpty
      ? [.ingress, .egress]
      : Set(points.map(\.hook)).intersection([.ingress, .egress])
  }
}

extension SetupState: JSONObject {
  static var blank: SetupState {
    SetupState(
      subnets: [], backend: "", group: nil, since: 0, process: 0, command: [], boot: "")
  }

  mutating func members(_ json: inout JSONMembers) {
    json.member("schema", &schema)
    json.member("subnets", &subnets)
    json.member("backend", &backend)
    json.member("group", &group)
    json.member("tun", &tun)
    json.member("masquerade", &masquerade)
    json.member("forward", &forward)
    json.member("points", &points)
    json.member("since", &since)
    json.member("process", &process)
    json.member("command", &command)
    json.member("boot", &boot)
    var follows = followsTranslations ? true : nil
    json.member("followsTranslations", &follows)
    followsTranslations = follows ?? false
    var isTraced = traces ? nil : false
    json.member("traces", &isTraced)
    traces = isTraced ?? true
    var isCounted = counts ? true : nil
    json.member("counts", &isCounted)
    counts = isCounted ?? false
    json.member("records", &records)
    json.member("session", &session)
    json.member("journals", &journals)
    json.member("leftOut", &leftOut)
    json.member("logNamespace", &logNamespace)
    json.member("netns", &netns)
  }
}

extension SetupState.Tun: JSONObject {
  static var blank: SetupState.Tun {
    SetupState.Tun(name: "", isOurs: false, addresses: [])
  }

  mutating func members(_ json: inout JSONMembers) {
    json.member("name", &name)
    json.member("isOurs", &isOurs)
    json.member("addresses", &addresses)
  }
}
