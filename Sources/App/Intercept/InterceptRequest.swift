package import Trace
package import Wire

/// What is to be intercepted, and what is to be done with it.
package struct InterceptRequest {
  /// Whose packets.
  package var subnets: Subnets
  /// Which of them; several are those that one of these is for.
  package var matches: [PacketMatch] = []
  /// The same, by prefixes.
  package var list: PrefixList?
  /// What is changed of a packet.
  package var edits: [PacketEdit] = []
  /// Whether they are dropped.
  package var drops = false
  /// Whether echo requests are answered.
  package var forgesEcho = false
  /// What the device is to be called; nil leaves that to the kernel.
  package var tun: String?
  /// Whether the octets of each are printed.
  package var hex = false
  /// Whether the ways of packets are told.
  package var traces = false
  /// After so many packets that were chosen it is over; nil for no end.
  package var limit: Int?
  /// How it is told.
  package var options: OutputOptions

  /// All packets to these subnets, as they are.
  package init(_ subnets: Subnets, options: OutputOptions) {
    self.subnets = subnets
    self.options = options
  }

  /// IP versions of packets that are sent elsewhere.
  var versionsSentElsewhere: Set<Int> {
    Set(
      edits.compactMap { edit in
        if case .destination(let address, _) = edit { address.family } else { nil }
      })
  }

  /// The ways of packets are those from and to these: also once they have a destination of the changes.
  var watched: Subnets {
    var watched = subnets
    watched.add(
      edits.compactMap { edit in
        if case .destination(let address, _) = edit { Prefix(address) } else { nil }
      })
    return watched
  }
}
