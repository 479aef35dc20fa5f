internal import FoundationEssentials
public import Wire

/// One thing the kernel said, or one packet that passed the TUN device, as it was.
public struct Record: Sendable, Equatable {
  /// Nanoseconds since the epoch, when nftrace received it.
  public var time: UInt64
  /// What it was.
  public var content: Content

  /// What there is to record.
  public enum Content: Sendable, Equatable {
    /// An NFLOG message: the payload of its netlink message.
    case log([UInt8])
    /// A line of the kernel log that one of nftrace's rules made.
    case line(LogLine)
    /// Any other netlink message.
    case netlink(NetlinkMessage)
    /// An IP packet written to the TUN device, or sent otherwise.
    case sent([UInt8])
    /// An IP packet that the kernel sent through the TUN device.
    case received([UInt8])
    /// Messages the kernel had to throw away here: how many, where it said so.
    case lost(Int?)
    /// What nftrace found out by other means.
    case note(Note)
  }

  /// A record of something at this time.
  public init(time: UInt64, _ content: Content) {
    self.time = time
    self.content = content
  }
}

/// What nftrace itself knew when a session began. It is kept as JSON in the session file.
public struct SessionHeader: Sendable, Codable, Equatable {
  /// "nftrace-session/1".
  public var schema = "nftrace-session/1"
  /// The command that made it: "ping", "setup" or "record".
  public var command: String
  /// nftrace's version.
  public var version: String
  /// The kernel's release, as uname(2) gives it.
  public var kernel: String
  /// The name under which the network namespace was asked for.
  public var netns: String?
  /// What tells that namespace from others: "4026532201-5".
  public var namespace: String?
  /// nftrace's points, in the order in which they were made.
  public var points: [ObservationPoint]
  /// The name of nftrace's tables.
  public var table: String
  /// The probes of a ping.
  public var probe: ProbePlan?
  /// The prefixes whose traffic is recorded.
  public var targets: [String]
  /// Sysctls of the namespace when the session began, by name.
  public var sysctls: [String: String]
  /// Names of the iptables-legacy NAT table's targets in use, by IP version, if there is that table.
  public var legacyNAT: [Int: [String]]
  /// The device that packets of this host are diverted into, to come back in through it; nil without
  /// `intercept`.
  public var diversion: String?
  /// "log" where the kernel log's lines are all there is; nil for what netlink told.
  public var backend: String?
  /// What a recorder that keeps to a size has thrown away before this section; nil if nothing.
  public var dropped: DroppedRecords?
  /// What a recorder had recorded before this section; nil in what is no recording.
  public var recorded: RecordedEvents?

  /// A header of these fields.
  public init(
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
  public var isKernelLog: Bool { backend == "log" }

  /// The header as JSON text.
  public var json: String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    guard let data = try? encoder.encode(self) else { return "{}" }
    return String(decoding: data, as: UTF8.self)
  }

  /// The header in JSON text; nil when it is not one.
  public init?(json: String) {
    guard let header = try? JSONDecoder().decode(Self.self, from: Data(json.utf8)),
      header.schema == "nftrace-session/1"
    else { return nil }
    self = header
    probe = header.probe?.bounded
    points = Array(header.points.prefix(Self.mostPoints))
  }

  /// Points that are taken from a file: more than any ruleset has.
  static let mostPoints = 4096
}

extension SessionHeader {
  /// Whether this section goes on where one that began with `earlier` ended: a recorder's file was
  /// full, and it began another one.
  public func continues(_ earlier: SessionHeader) -> Bool {
    var next = self
    next.dropped = earlier.dropped
    next.recorded?.messages = earlier.recorded?.messages ?? 0
    next.recorded?.lost = earlier.recorded?.lost ?? 0
    return next == earlier
  }
}

/// How far a recorder has come.
public struct RecordedEvents: Sendable, Codable, Equatable {
  /// When it began, nanoseconds since the epoch: what tells recorders apart.
  public var since: UInt64
  /// Log, trace and conntrack messages that it wrote, in whatever file they were.
  public var messages: Int
  /// Messages that the kernel had no room for.
  public var lost: Int

  /// A recorder that began at this time and came so far.
  public init(since: UInt64, messages: Int = 0, lost: Int = 0) {
    self.since = since
    self.messages = messages
    self.lost = lost
  }

  /// Takes in a record that was written, or read.
  public mutating func take(_ record: Record) {
    switch record.content {
    case .log: messages = messages.adding(clamped: 1)
    case .netlink(let message)
    where message.type == TraceMessage.type || ConntrackMessage.isOne(message.type):
      messages = messages.adding(clamped: 1)
    case .lost(let count): lost = lost.adding(clamped: count ?? 1)
    default: break
    }
  }

  /// Messages that are missing from here to `later`: what was not recorded, and what is not read.
  public func missing(until later: RecordedEvents) -> Int {
    guard since == later.since else { return 0 }
    return max(later.messages.subtracting(clamped: messages), 0)
      .adding(clamped: max(later.lost.subtracting(clamped: lost), 0))
  }
}

extension SessionHeader {
  /// Whether the kernel's trace tells of connections: Linux 6.16 and later.
  var tellsConnections: Bool {
    let numbers = kernel.split { !$0.isNumber }.prefix(2).compactMap { Int($0) }
    return numbers.count == 2 && (numbers[0], numbers[1]) >= (6, 16)
  }
}

/// Records of a session that were thrown away because it grew too large.
public struct DroppedRecords: Sendable, Codable, Equatable {
  /// How many.
  public var records: Int
  /// Their octets in the session file.
  public var octets: Int

  /// So many records of so many octets.
  public init(records: Int = 0, octets: Int = 0) {
    self.records = records
    self.octets = octets
  }
}

/// The probes that a ping sends.
public struct ProbePlan: Sendable, Codable, Equatable {
  /// The address they come from.
  public var source: String
  /// The address they go to.
  public var destination: String
  /// "icmp", "tcp" or "udp".
  public var proto: String
  /// ICMP identifier of the first probe. Each has one of its own, so that each is a connection of
  /// its own and its NAT rules are really asked.
  public var identifier: UInt16
  /// How many there are.
  public var count: Int
  /// Seconds between probes.
  public var interval: Double
  /// Seconds to wait for an answer.
  public var timeout: Double
  /// TTL or hop limit they are sent with.
  public var ttl: UInt8
  /// Type of service or traffic class they are sent with.
  public var tos: UInt8
  /// Whether they forbid fragmentation.
  public var dontFragment: Bool
  /// Octets of payload behind the transport header.
  public var size: Int
  /// Eight octets that mark the payload of every probe, as a number in network order.
  public var nonce: UInt64
  /// Where the probe enters: the name of the TUN device.
  public var device: String?
  /// The port of every TCP or UDP probe's sender; nil where each probe has one of its own.
  public var sourcePort: UInt16?
  /// The port TCP and UDP probes go to.
  public var destinationPort: UInt16?
  /// How they enter: "local" from this host, "in" as if received on `device`; nil through a TUN device.
  public var entrance: String?
  /// Whether they are discarded at the end of their way, before they leave; nil for no.
  public var dryRun: Bool?

  /// A plan of these fields.
  public init(
    source: String, destination: String, proto: String, identifier: UInt16, count: Int,
    interval: Double, timeout: Double, ttl: UInt8, tos: UInt8, dontFragment: Bool, size: Int,
    nonce: UInt64, device: String?, sourcePort: UInt16? = nil, destinationPort: UInt16? = nil,
    entrance: String? = nil, dryRun: Bool? = nil
  ) {
    self.source = source
    self.destination = destination
    self.proto = proto
    self.identifier = identifier
    self.count = count
    self.interval = interval
    self.timeout = timeout
    self.ttl = ttl
    self.tos = tos
    self.dontFragment = dontFragment
    self.size = size
    self.nonce = nonce
    self.device = device
    self.sourcePort = sourcePort
    self.destinationPort = destinationPort
    self.entrance = entrance
    self.dryRun = dryRun
  }
}
