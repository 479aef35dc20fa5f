/// A number that octets are compared by: FNV-1a, 64 bits (draft-eastlake-fnv). Others may have the same;
/// it is no proof against those who want that.
package struct Fingerprint {
  /// The number of what was added.
  @usableFromInline package internal(set) var value: UInt64

  @usableFromInline static let basis: UInt64 = 0xcbf2_9ce4_8422_2325
  @usableFromInline static let prime: UInt64 = 0x100_0000_01b3

  /// Of nothing yet. Those of different seeds have nothing to do with one another.
  package init(seed: UInt64 = 0) { value = Self.basis ^ seed }

  /// Adds octets. Where one piece ends and the next begins does not count.
  @inlinable package mutating func add(_ octets: some Sequence<UInt8>) {
    var value = value
    for octet in octets { value = (value ^ UInt64(octet)) &* Self.prime }
    self.value = value
  }

  /// The same, for what is added for each of very many messages.
  package mutating func add(_ octets: ArraySlice<UInt8>) {
    var value = value
    let octets = octets.span
    for index in octets.indices { value = (value ^ UInt64(octets[index])) &* Self.prime }
    self.value = value
  }

  /// Adds an octet.
  @inlinable package mutating func add(_ octet: UInt8) {
    value = (value ^ UInt64(octet)) &* Self.prime
  }
}
