/// What was done with the latest packets that did not come back from a diversion.
struct DiversionFates: Sendable {
  private var latest: [PacketIdentity: Interception.Fate] = [:]
  private var earlier: [PacketIdentity: Interception.Fate] = [:]
  /// More packets than these are not on their way at one time.
  private static let half = Story.mostOpen

  mutating func note(_ fate: Interception.Fate, of identity: PacketIdentity) {
    if latest.count >= Self.half { (earlier, latest) = (latest, [:]) }
    latest[identity] = fate
  }

  subscript(identity: PacketIdentity) -> Interception.Fate? {
    latest[identity] ?? earlier[identity]
  }
}
