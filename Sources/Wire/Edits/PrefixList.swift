/// Prefixes that are listed or excluded; the longest that has an address decides about it.
///
/// Prefixes either nest or are apart, so the list is kept as where each stretch of addresses with one
/// decision begins, and asked by halving.
package struct PrefixList: Sendable, Equatable {
  /// What a list says about an address.
  package enum Decision: Sendable, Equatable {
    /// The longest prefix that has it is listed.
    case listed
    /// The longest prefix that has it is excluded.
    case excluded
    /// No prefix has it.
    case absent
  }

  /// A prefix, and what is said about its addresses.
  package struct Entry: Sendable, Equatable {
    /// The addresses; host bits play no part.
    package var prefix: Prefix
    /// Whether "!" stands before it.
    package var isExcluded: Bool

    /// An entry of these.
    package init(_ prefix: Prefix, isExcluded: Bool = false) {
      self.prefix = prefix
      self.isExcluded = isExcluded
    }
  }

  /// What is wrong with a line of a list, and which one it is, counted from 1.
  package struct Fault: Error, Sendable, Equatable {
    /// The line's number.
    package let line: Int
    /// As it reads behind the line's number.
    package let message: String
  }

  private var starts4: [UInt32] = []
  private var decisions4: [Decision] = []
  private var starts6: [UInt128] = []
  private var decisions6: [Decision] = []

  /// The list of these entries. Of two for one prefix the later counts.
  package init(_ entries: [Entry]) {
    let four = entries.filter { $0.prefix.address.family == 4 }
    let six = entries.filter { $0.prefix.address.family == 6 }
    (starts4, decisions4) = Self.stretches(four, UInt32.self)
    (starts6, decisions6) = Self.stretches(six, UInt128.self)
  }

  /// The list in a text: one prefix or address a line, "!" before those that are excluded, "#"
  /// before comments. All faults are found, not the first alone.
  package static func parse(_ text: String) -> (list: PrefixList, faults: [Fault]) {
    var entries: [Entry] = []
    var faults: [Fault] = []
    var lines: [Prefix: Int] = [:]
    for (index, whole) in text.split(
      omittingEmptySubsequences: false, whereSeparator: \.isNewline
    ).enumerated() {
      let number = index + 1
      var words = whole.prefix { $0 != "#" }.split(whereSeparator: \.isWhitespace)[...]
      let isExcluded = words.first?.hasPrefix("!") == true
      if isExcluded, let first = words.popFirst(), first.count > 1 {
        words.insert(first.dropFirst(), at: words.startIndex)
      }
      if words.isEmpty, !isExcluded { continue }
      guard words.count == 1, let word = words.first, let prefix = Prefix(word) else {
        let said = whole.prefix { $0 != "#" }
        faults.append(
          Fault(
            line: number, message: "'\(said)' is no prefix, such as 192.0.2.0/24 or !2001:db8::/32")
        )
        continue
      }
      guard prefix == prefix.network else {
        faults.append(
          Fault(
            line: number, message: "'\(word)' has host bits set: the prefix is \(prefix.network)"))
        continue
      }
      if let earlier = lines[prefix] {
        faults.append(Fault(line: number, message: "\(prefix) stands in line \(earlier) already"))
        continue
      }
      lines[prefix] = number
      entries.append(Entry(prefix, isExcluded: isExcluded))
    }
    return (PrefixList(entries), faults)
  }

  /// What it says about an IPv4 address.
  package func decision(v4 address: UInt32) -> Decision {
    Self.find(address, starts4, decisions4)
  }

  /// What it says about an IPv6 address.
  package func decision(v6 address: UInt128) -> Decision {
    Self.find(address, starts6, decisions6)
  }

  /// What it says about an address.
  package func decision(_ address: IPAddress) -> Decision {
    switch address {
    case .v4(let value): decision(v4: value)
    case .v6(let value): decision(v6: value)
    }
  }

  /// Whether no address of this version is listed.
  package func listsNothing(version: Int) -> Bool {
    !(version == 4 ? decisions4 : decisions6).contains(.listed)
  }

  private static func find<T: FixedWidthInteger>(
    _ address: T, _ starts: [T], _ decisions: [Decision]
  ) -> Decision {
    // The last stretch that begins at the address or before.
    var low = 0
    var high = starts.count
    while low < high {
      let middle = (low + high) / 2
      if starts[middle] <= address { low = middle + 1 } else { high = middle }
    }
    return low == 0 ? .absent : decisions[low - 1]
  }

  private static func stretches<T: FixedWidthInteger>(
    _ entries: [Entry], _: T.Type
  ) -> ([T], [Decision]) {
    var latest: [Prefix: Decision] = [:]
    for entry in entries {
      latest[entry.prefix.network] = entry.isExcluded ? .excluded : .listed
    }
    let sorted = latest.map { (first: number($0.key.first) as T, $0.key, $0.value) }.sorted {
      $0.first == $1.first ? $0.1.length < $1.1.length : $0.first < $1.first
    }
    var starts: [T] = []
    var decisions: [Decision] = []
    func begin(_ start: T, _ decision: Decision) {
      if starts.last == start {
        decisions[decisions.count - 1] = decision
      } else {
        starts.append(start)
        decisions.append(decision)
      }
    }
    // Those that are around the present place, the innermost last.
    var open: [(last: T, decision: Decision)] = []
    func close(before start: T?) {
      while let inner = open.last, start.map({ inner.last < $0 }) ?? true {
        open.removeLast()
        if inner.last < T.max { begin(inner.last + 1, open.last?.decision ?? .absent) }
      }
    }
    for (first, prefix, decision) in sorted {
      close(before: first)
      begin(first, decision)
      open.append((number(prefix.last), decision))
    }
    close(before: nil)
    return (starts, decisions)
  }

  private static func number<T: FixedWidthInteger>(_ address: IPAddress) -> T {
    switch address {
    case .v4(let value): T(truncatingIfNeeded: value)
    case .v6(let value): T(truncatingIfNeeded: value)
    }
  }
}
