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

/// How far a recorder has come: it writes this down now and then, and at its end.
public struct RecorderState: Sendable, Codable, Equatable {
  /// "nftrace-recorder/1".
  public var schema = "nftrace-recorder/1"
  /// The process, and what tells it from a later one with its number.
  public var process: Int32
  /// Clock ticks from boot to its start.
  public var start: UInt64
  /// The file it writes.
  public var session: String
  /// Largest size of the file and the one before it together, in octets.
  public var limit: Int
  /// Seconds since the epoch when it began.
  public var since: UInt64
  /// Messages recorded.
  public var events = 0
  /// Messages the kernel had to throw away.
  public var lost = 0
  /// What was thrown away to keep to the limit.
  public var dropped = DroppedRecords()
  /// How often the points were laid out anew because the user's chains changed.
  public var replans = 0
  /// How often nftrace's tables were gone or damaged, and installed again.
  public var repairs = 0
  /// Messages that could not be written; nil where none.
  public var unwritten: Int?
  /// Seconds since the epoch when it ended; nil while it works, and when it was killed.
  public var ended: UInt64?
  /// What ended it, if nobody asked for that.
  public var error: String?

  /// A recorder that begins.
  public init(process: Int32, start: UInt64, session: String, limit: Int, since: UInt64) {
    self.process = process
    self.start = start
    self.session = session
    self.limit = limit
    self.since = since
  }

  /// The state as JSON text.
  public var json: String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    guard let data = try? encoder.encode(self) else { return "{}" }
    return String(decoding: data, as: UTF8.self) + "\n"
  }

  /// How far it has come, for the end of its file, as of that many seconds since the epoch.
  public func end(at time: UInt64) -> RecordingEnd {
    RecordingEnd(
      reason: error, events: events, lost: lost, unwritten: unwritten ?? 0, dropped: dropped,
      ended: time)
  }

  /// Takes in what its file says of its end, where it could not write that down here.
  public mutating func take(_ end: RecordingEnd) {
    error = end.reason
    events = end.events
    lost = end.lost
    unwritten = end.unwritten > 0 ? end.unwritten : nil
    dropped = end.dropped
    ended = end.ended
  }

  /// The state in JSON text; nil when it is none.
  public init?(json: String) {
    guard let state = try? JSONDecoder().decode(Self.self, from: Data(json.utf8)),
      state.schema == "nftrace-recorder/1"
    else { return nil }
    self = state
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
