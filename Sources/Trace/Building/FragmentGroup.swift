internal import Wire

/// What fragments of one packet have in common, as long as nobody translates or reassembles them.
struct FragmentGroup: Hashable {
  private let source: IPAddress
  private let destination: IPAddress
  private let identification: UInt32

  /// The group of a fragment; nil for what is none.
  init?(_ packet: Packet) {
    guard let fragment = packet.fragment else { return nil }
    source = packet.source
    destination = packet.destination
    identification = fragment.identification
  }
}
