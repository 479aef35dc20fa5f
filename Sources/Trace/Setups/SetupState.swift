internal import FoundationEssentials
package import Wire

/// What `setup` made in a network namespace and has to be remembered: kept as JSON beside its
/// journal.
package struct SetupState: Sendable, Decodable, Equatable {
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
  /// Whether a recorder belongs to it.
  package var records = false
  /// The file the recorder writes.
  package var session: String?
  /// Journals written for it, in order.
  package var journals: [String] = []
  /// What its network namespace is called, if it has a name.
  package var netns: String?

  /// A TUN device that packets come in through.
  package struct Tun: Sendable, Decodable, Equatable {
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

    fileprivate var json: JSONValue {
      .object([
        ("name", .string(name)), ("isOurs", .bool(isOurs)), ("addresses", .strings(addresses)),
      ])
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

  /// The state as JSON text, which the decoder below reads. By hand, for setup is to be quick:
  /// Foundation's encoder makes dozens of types first, a twentieth of the time of the whole command.
  package var json: String {
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
  package init?(json: String) {
    guard let state = try? JSONDecoder().decode(Self.self, from: Data(json.utf8)),
      state.schema == "nftrace-setup/1"
    else { return nil }
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
