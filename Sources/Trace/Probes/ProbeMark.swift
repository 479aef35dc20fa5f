package import Wire

/// What a TCP or UDP probe, its answers and errors about it have in their headers also where NAT has
/// changed the prober's address.
package struct ProbeMark: Sendable, Equatable {
  /// The packet's transport protocol.
  package var proto: IPProtocol
  /// What must be there, all of it.
  package var fields: [Field]

  /// Octets of a header, and the values they may have.
  package struct Field: Sendable, Equatable {
    /// Whether the header is that of IP, not the one behind it.
    package var isNetwork = false
    /// Where they begin.
    package var offset: UInt32
    /// The least value, in network order.
    package var least: [UInt8]
    /// The greatest value, of the same length.
    package var most: [UInt8]
  }
}
