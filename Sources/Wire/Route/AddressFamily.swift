/// Address families as netlink numbers them (`AF_INET`, `AF_INET6`).
enum AddressFamily {
  static let v4: UInt8 = 2
  static let v6: UInt8 = 10
  /// `AF_BRIDGE`: forwarding tables.
  static let bridge: UInt8 = 7

  /// The number of an address's own family.
  static func of(_ address: IPAddress) -> UInt8 { address.family == 4 ? v4 : v6 }

  /// All zeros in that family; throws for families without IP addresses.
  static func unspecified(_ family: UInt8) throws(WireError) -> IPAddress {
    switch family {
    case v4: return .v4(0)
    case v6: return .v6(0)
    default: throw WireError("address family \(family) is neither IPv4 nor IPv6", at: 0)
    }
  }
}
