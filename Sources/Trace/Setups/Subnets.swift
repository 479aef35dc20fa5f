package import Wire

/// The subnets whose traffic is observed, as somebody gave them.
package struct Subnets: Sendable, Equatable {
  /// Why a list of subnets cannot be what was meant.
  package struct Fault: Error, Sendable, Equatable {
    /// What is wrong and what would be right, as a sentence.
    package var message: String

    /// A fault with these words.
    package init(_ message: String) { self.message = message }
  }

  /// In the order in which they were given, none twice.
  package private(set) var prefixes: [Prefix]

  /// No subnet, or these.
  package init(_ prefixes: [Prefix] = []) {
    self.prefixes = []
    add(prefixes)
  }

  /// Those that `texts` name: ADDRESS/LENGTH, or an address alone. Throws for the first that is
  /// none, or that has host bits, for it is unclear what was meant by it.
  package init(parsing texts: [String]) throws(Fault) {
    prefixes = []
    for text in texts { add([try Self.prefix(text)]) }
  }

  private static func prefix(_ text: String) throws(Fault) -> Prefix {
    guard let prefix = Prefix(text) else { throw Fault(fault(in: text)) }
    let network = prefix.network
    guard network == prefix else {
      throw Fault(
        "'\(text)' has host bits set: the subnet is \(network), the one address is "
          + "\(Prefix(prefix.address))")
    }
    return prefix
  }

  private static func fault(in text: String) -> String {
    let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    if parts.count == 2, let address = IPAddress(parts[0]) {
      return "'\(text)' is no subnet: the length is a number from 0 to \(address.bitWidth), "
        + "such as \(address)/\(address.family == 4 ? 24 : 64)"
    }
    return "'\(text)' is no subnet: give ADDRESS/LENGTH, such as 192.168.69.0/24 or "
      + "2001:db8::/64 (names are not looked up)"
  }

  /// The IP versions there are.
  package var versions: Set<Int> { Set(prefixes.map(\.address.family)) }

  /// Whether there is none.
  package var isEmpty: Bool { prefixes.isEmpty }

  /// Adds those that are not there yet. Returns them.
  @discardableResult
  package mutating func add(_ others: [Prefix]) -> [Prefix] {
    var added: [Prefix] = []
    for prefix in others where !prefixes.contains(prefix) {
      prefixes.append(prefix)
      added.append(prefix)
    }
    return added
  }

  /// Removes those that are there. Returns them.
  @discardableResult
  package mutating func remove(_ others: [Prefix]) -> [Prefix] {
    let removed = prefixes.filter { others.contains($0) }
    prefixes.removeAll { others.contains($0) }
    return removed
  }

  /// The subnet of the list that has all of `prefix`, and more.
  package func larger(than prefix: Prefix) -> Prefix? {
    prefixes.first { $0.length < prefix.length && $0.contains(prefix.address) }
  }

  /// As people write them.
  package var texts: [String] { prefixes.map(\.description) }
}
