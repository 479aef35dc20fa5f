/// An address and how many of its leading bits count: 192.168.69.0/24.
package struct Prefix: Sendable, Hashable, CustomStringConvertible {
  /// The address as given, host bits and all.
  package let address: IPAddress
  /// Leading bits that count: 0 to 32, or to 128.
  package let length: Int

  /// The prefix, or nil when the family has fewer bits.
  package init?(_ address: IPAddress, length: Int) {
    guard (0...address.bitWidth).contains(length) else { return nil }
    self.address = address
    self.length = length
  }

  /// ADDRESS/LENGTH, or ADDRESS alone for all of its bits; nil if it is neither.
  package init?(_ text: some StringProtocol) { self.init(parsing: Substring(text)) }

  private init?(parsing text: Substring) {
    let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    guard let address = IPAddress(parts[0]) else { return nil }
    guard parts.count == 2 else {
      self.init(address, length: address.bitWidth)
      return
    }
    guard parts[1].utf8.allSatisfy({ 0x30...0x39 ~= $0 }), let length = Int(parts[1]) else {
      return nil
    }
    self.init(address, length: length)
  }

  /// The prefix of the one address.
  package init(_ address: IPAddress) {
    self.address = address
    self.length = address.bitWidth
  }

  /// The prefix with its host bits cleared.
  package var network: Prefix { Prefix(first, length: length)! }

  /// Its first address, the network's own.
  package var first: IPAddress {
    switch address {
    case .v4(let value): .v4(length == 0 ? 0 : value & (UInt32.max << UInt32(32 - length)))
    case .v6(let value): .v6(length == 0 ? 0 : value & (UInt128.max << UInt128(128 - length)))
    }
  }

  /// Its last address: in IPv4 the broadcast address.
  package var last: IPAddress {
    switch first {
    case .v4(let value): .v4(value | (length == 32 ? 0 : UInt32.max >> UInt32(length)))
    case .v6(let value): .v6(value | (length == 128 ? 0 : UInt128.max >> UInt128(length)))
    }
  }

  /// Whether `other` is of this family and has the same leading bits.
  package func contains(_ other: IPAddress) -> Bool {
    other.family == address.family && Prefix(other, length: length)?.first == first
  }

  /// Whether the two share an address.
  package func overlaps(_ other: Prefix) -> Bool {
    length <= other.length ? contains(other.address) : other.contains(address)
  }

  /// ADDRESS/LENGTH, host bits and all.
  package var description: String { "\(address)/\(length)" }
}
