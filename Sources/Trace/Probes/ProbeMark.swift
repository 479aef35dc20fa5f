public import Wire

/// What a TCP or UDP probe, its answers and errors about it have in their headers also where NAT has
/// changed the prober's address.
public struct ProbeMark: Sendable, Equatable {
  /// The packet's transport protocol.
  public var proto: IPProtocol
  /// What must be there, all of it.
  public var fields: [Field]

  /// Octets of a header, and the values they may have.
  public struct Field: Sendable, Equatable {
    /// Whether the header is that of IP, not the one behind it.
    public var isNetwork = false
    /// Where they begin.
    public var offset: UInt32
    /// The least value, in network order.
    public var least: [UInt8]
    /// The greatest value, of the same length.
    public var most: [UInt8]
  }
}
