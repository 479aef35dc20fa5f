internal import FoundationEssentials
public import Wire

/// What `setup` made in a network namespace and has to be remembered: kept as JSON beside its
/// journal.
public struct SetupState: Sendable, Decodable, Equatable {
  /// "nftrace-setup/1".
  public var schema = "nftrace-setup/1"
  /// The subnets whose traffic is observed, as they were given.
  public var subnets: [String]
  /// "nflog" or "log".
  public var backend: String
  /// The NFLOG group that the rules report to; nil with "log".
  public var group: UInt16?
  /// The TUN device, if one was asked for.
  public var tun: Tun?
  /// Subnets of the TUN device that are masqueraded.
  public var masquerade: [String] = []
  /// Whether forwarding was asked for.
  public var forward = false
  /// The points, in the order in which they were made.
  public var points: [ObservationPoint] = []
  /// Seconds since the epoch when it was first set up.
  public var since: UInt64
  /// The process that did so, and its command line.
  public var process: Int32
  /// What that process was called with.
  public var command: [String]
  /// What tells that boot of the machine from others.
  public var boot: String
  /// Whether a recorder belongs to it.
  public var records = false
  /// The file the recorder writes.
  public var session: String?
  /// Journals written for it, in order.
  public var journals: [String] = []
  /// What its network namespace is called, if it has a name.
  public var netns: String?

  /// A TUN device that packets come in through.
  public struct Tun: Sendable, Decodable, Equatable {
    /// Its name.
    public var name: String
    /// Whether setup made it, so that teardown removes it.
    public var isOurs: Bool
    /// Its addresses.
    public var addresses: [String]

    /// The device of this name.
    public init(name: String, isOurs: Bool, addresses: [String]) {
      self.name = name
      self.isOurs = isOurs
      self.addresses = addresses
    }

    fileprivate var json: JSONValue {
      .object([
        ("name", .string(name)), ("isOurs", .bool(isOurs)), ("addresses", .strings(addresses)),
      ])
    }
  }

  /// The state of a setup that begins.
  public init(
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

  /// The state as JSON text, which the decoder below reads. By hand, for setup is to be quick:
  /// Foundation's encoder makes dozens of types first, a twentieth of the time of the whole command.
  public var json: String {
    JSONValue.object([
      ("schema", .string(schema)), ("subnets", .strings(subnets)), ("backend", .string(backend)),
      ("group", .int(group)), ("tun", tun?.json ?? .null), ("masquerade", .strings(masquerade)),
      ("forward", .bool(forward)), ("points", .array(points.map { $0.json })),
      ("since", .int(Int(clamping: since))), ("process", .int(Int(process))),
      ("command", .strings(command)),
      ("boot", .string(boot)), ("records", .bool(records)), ("session", .string(session)),
      ("journals", .strings(journals)), ("netns", .string(netns)),
    ]).line + "\n"
  }

  /// The state in JSON text; nil when it is none.
  public init?(json: String) {
    guard let state = try? JSONDecoder().decode(Self.self, from: Data(json.utf8)),
      state.schema == "nftrace-setup/1"
    else { return nil }
    self = state
  }

  /// The subnets as values.
  public var prefixes: Subnets { Subnets(subnets.compactMap { Prefix($0) }) }

  /// The hooks at devices that this kernel has: all of them until it said otherwise.
  public var edges: Set<Hook> {
    points.isEmpty
      ? [.ingress, .egress]
      : Set(points.map(\.hook)).intersection([.ingress, .egress])
  }
}

extension ObservationPoint {
  /// As its `Codable` conformance reads it.
  fileprivate var json: JSONValue {
    .object([
      ("hook", .string(hook.rawValue)), ("priority", .int(Int(priority))),
      ("table", .string(table)),
      ("label", .string(label)), ("chain", .string(chain)),
    ])
  }
}

extension JSONValue {
  fileprivate static func strings(_ texts: [String]) -> JSONValue {
    .array(texts.map { .string($0) })
  }
}
