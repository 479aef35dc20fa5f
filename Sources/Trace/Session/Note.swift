internal import FoundationEssentials

/// What nftrace found out by other means than messages of the kernel, kept in the session file as
/// JSON in the comment of a statistics block.
package enum Note: Sendable, Codable, Equatable {
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
  package var json: String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    guard let data = try? encoder.encode(self) else { return "{}" }
    return String(decoding: data, as: UTF8.self)
  }

  /// The note in JSON text; nil when it is none.
  package init?(json: String) {
    guard let note = try? JSONDecoder().decode(Self.self, from: Data(json.utf8)) else {
      return nil
    }
    self = note
  }
}
