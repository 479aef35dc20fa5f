internal import FoundationEssentials

/// What nftrace found out by other means than messages of the kernel, kept in the session file as
/// JSON in the comment of a statistics block.
public enum Note: Sendable, Codable, Equatable {
  /// Counters of the namespace, cumulative: "IpInAddrErrors", "ct.drop", "eth0.tx_dropped".
  case counters([String: UInt64])
  /// Settings: "net.ipv4.ip_forward" and its value.
  case sysctls([String: String])
  /// A rule as its owner would write it.
  case rule(RuleText)
  /// What was found out of the namespace.
  case facts(Facts)
  /// A probe could not be sent: its number and the errno.
  case notSent(Int, Int32)
  /// A recorder wrote its last.
  case ended(RecordingEnd)

  /// The note as JSON text.
  public var json: String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    guard let data = try? encoder.encode(self) else { return "{}" }
    return String(decoding: data, as: UTF8.self)
  }

  /// The note in JSON text; nil when it is none.
  public init?(json: String) {
    guard let note = try? JSONDecoder().decode(Self.self, from: Data(json.utf8)) else {
      return nil
    }
    self = note
  }
}

/// How a recording ended, as its last block says it.
public struct RecordingEnd: Sendable, Codable, Equatable {
  /// What ended it before somebody asked for that; nil otherwise.
  public var reason: String?
  /// Messages recorded, in this file, those before it and those that were dropped.
  public var events: Int
  /// Messages the kernel had to throw away.
  public var lost: Int
  /// Messages that could not be written.
  public var unwritten: Int
  /// What was thrown away to keep to a size.
  public var dropped: DroppedRecords
  /// Seconds since the epoch when it ended.
  public var ended: UInt64

  /// An end of these fields.
  public init(
    reason: String? = nil, events: Int, lost: Int, unwritten: Int = 0,
    dropped: DroppedRecords = DroppedRecords(), ended: UInt64
  ) {
    self.reason = reason
    self.events = events
    self.lost = lost
    self.unwritten = unwritten
    self.dropped = dropped
    self.ended = ended
  }
}

/// A rule in the words of the tool that made it.
public struct RuleText: Sendable, Codable, Equatable {
  /// NFPROTO_… of the table.
  public var family: UInt8
  /// The table's name.
  public var table: String
  /// The chain's name.
  public var chain: String
  /// nf_tables' handle; nil for a rule of iptables-legacy.
  public var handle: UInt64?
  /// Its place in the chain, from 1, where that is known.
  public var position: Int?
  /// The rule: "ip saddr 10.0.0.0/8 drop", or "-A FORWARD -s 10.0.0.0/8 -j DROP".
  public var text: String
  /// Who wrote it so.
  public var tool: Tool

  /// The tools in whose words rules are told.
  public enum Tool: String, Sendable, Codable {
    case nft, iptables
    case iptablesLegacy = "iptables-legacy"
  }

  /// A rule's text. Of handle and position one at least is there.
  public init(
    family: UInt8, table: String, chain: String, handle: UInt64?, position: Int?, text: String,
    tool: Tool
  ) {
    self.family = family
    self.table = table
    self.chain = chain
    self.handle = handle
    self.position = position
    self.text = text
    self.tool = tool
  }
}
