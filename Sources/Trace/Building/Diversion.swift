internal import Wire

/// The device through which packets leave and come back changed, and what was done with the latest
/// packets that did not come back.
struct Diversion: Sendable {
  /// nil where nothing is diverted.
  private let device: String?
  private var latest: [PacketIdentity: Interception.Fate] = [:]
  private var earlier: [PacketIdentity: Interception.Fate] = [:]
  /// More packets than these are not on their way at one time.
  private static let half = Story.mostOpen

  /// A diversion by this device, of which no packet is known yet.
  init(through device: String?) { self.device = device }

  /// Whether that is its device.
  func isThrough(_ name: String?) -> Bool { device != nil && name == device }

  /// Takes in what was done with a packet that was read from the device.
  mutating func note(_ fate: Interception.Fate, of identity: PacketIdentity) {
    if latest.count >= Self.half { (earlier, latest) = (latest, [:]) }
    latest[identity] = fate
  }

  private func fate(of identity: PacketIdentity) -> Interception.Fate? {
    latest[identity] ?? earlier[identity]
  }

  /// Whether a packet went in and was not let out: what comes in by the device is another one, its
  /// answer.
  func holds(_ journey: OpenJourney) -> Bool {
    isThrough(journey.way.last.outDevice) && fate(of: journey.identity) != nil
  }

  /// Whether more is to come of a packet that went in. It may wait there for long, when packets come
  /// faster than they can be told.
  func delays(_ journey: OpenJourney) -> Bool {
    journey.lastPoint.hook == .egress && isThrough(journey.way.last.outDevice)
      && fate(of: journey.identity) == nil
  }

  /// The end of a packet that left by this device, if it is the one of the diversion, and was not seen to
  /// come back. What is answered there stays what was sent; of what was neither answered nor dropped,
  /// more should have come.
  func end(_ journey: OpenJourney, out name: String?) -> End? {
    guard isThrough(name) else { return nil }
    let place = End.Place(hook: .egress, out: device)
    switch fate(of: journey.identity) {
    case .answered: return .sent(place)
    case .dropped: return .kept(.interception, place)
    default: return .unknown(place, journey.unseen, nil)
    }
  }
}
