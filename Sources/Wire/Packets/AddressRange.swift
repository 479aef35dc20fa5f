/// Addresses from one to another, both included, of one family.
package struct AddressRange: Sendable, Equatable {
  /// The lowest address.
  package var first: IPAddress
  /// The highest address, included.
  package var last: IPAddress

  /// The addresses of a prefix.
  package init(_ prefix: Prefix) {
    first = prefix.first
    last = prefix.last
  }

  /// The address after the last; nil when the last is the family's highest.
  package var behind: IPAddress? {
    switch last {
    case .v4(let value): value == .max ? nil : .v4(value + 1)
    case .v6(let value): value == .max ? nil : .v6(value + 1)
    }
  }

  /// The prefixes of one IP version as ascending ranges that neither overlap nor touch.
  package static func merged(_ prefixes: [Prefix], version: Int) -> [AddressRange] {
    let ranges = prefixes.filter { $0.address.family == version }.map { AddressRange($0) }
      .sorted { $0.first.bytes.lexicographicallyPrecedes($1.first.bytes) }
    var merged: [AddressRange] = []
    for range in ranges {
      guard let previous = merged.last else {
        merged.append(range)
        continue
      }
      guard let behind = previous.behind else { break }
      if behind.bytes.lexicographicallyPrecedes(range.first.bytes) {
        merged.append(range)
      } else if previous.last.bytes.lexicographicallyPrecedes(range.last.bytes) {
        merged[merged.count - 1].last = range.last
      }
    }
    return merged
  }
}
