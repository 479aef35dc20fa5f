internal import Wire

/// A filter of tc that gives packets to another interface than the one by which they came or were to leave.
package struct FilterRedirect: Sendable, Equatable, JSONObject {
  /// The interface that it stands at.
  package var device: String
  /// Whether it takes what leaves, and not what comes in.
  package var isEgress: Bool
  /// Its kind: "u32".
  package var kind: String
  /// By which tc(8) names it.
  package var preference: UInt32
  /// The interface that gets them.
  package var target: String
  /// Nanoseconds since the epoch when it gave one away last, to ten milliseconds.
  package var lastUse: UInt64

  /// A filter of these fields.
  package init(
    device: String, isEgress: Bool, kind: String, preference: UInt32, target: String,
    lastUse: UInt64
  ) {
    self.device = device
    self.isEgress = isEgress
    self.kind = kind
    self.preference = preference
    self.target = target
    self.lastUse = lastUse
  }

  static var blank: FilterRedirect {
    FilterRedirect(
      device: "", isEgress: false, kind: "", preference: 0, target: "", lastUse: 0)
  }

  mutating func members(_ json: inout JSONMembers) {
    json.member("device", &device)
    json.member("isEgress", &isEgress)
    json.member("kind", &kind)
    json.member("lastUse", &lastUse)
    json.member("preference", &preference)
    json.member("target", &target)
  }

  /// Nanoseconds of the kernel's clock of such times, and of its tick.
  private static let precision: UInt64 = 20_000_000

  /// Whether it may have given away a packet that came to it then.
  func mayHaveTaken(at time: UInt64) -> Bool { lastUse.later(by: Self.precision) >= time }
}
