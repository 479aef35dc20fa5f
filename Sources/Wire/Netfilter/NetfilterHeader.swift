/// The four octets that begin every nfnetlink payload: family, version 0, and a number that each
/// subsystem uses in its own way (the group, for NFLOG).
package struct NetfilterHeader: Sendable, Equatable {
  /// NFPROTO_…: 2 IPv4, 10 IPv6, 1 inet, 5 netdev, 7 bridge.
  package var family: UInt8
  /// In network order on the wire.
  package var resource: UInt16

  /// Octets on the wire.
  package static let length = 4

  /// A header of these fields.
  package init(family: UInt8, resource: UInt16 = 0) {
    self.family = family
    self.resource = resource
  }

  /// The header at the start of `payload`. Throws when there are fewer than four octets.
  package init(_ payload: [UInt8]) throws(WireError) {
    var reader = ByteReader(payload.span)
    family = try reader.u8()
    _ = try reader.u8()
    resource = try reader.u16()
  }

  /// The header on the wire.
  package var bytes: [UInt8] {
    [family, 0, UInt8(resource >> 8), UInt8(truncatingIfNeeded: resource)]
  }
}
