/// An IPv4 or IPv6 address. Text forms: RFC 791 dotted decimal, RFC 4291 section 2.2 in, RFC 5952
/// out.
package enum IPAddress: Sendable, Hashable {
  case v4(UInt32)
  case v6(UInt128)

  /// 4 or 6.
  package var family: Int {
    switch self {
    case .v4: 4
    case .v6: 6
    }
  }

  /// Bits in an address of this family.
  package var bitWidth: Int { family == 4 ? 32 : 128 }

  /// The address in network order: 4 or 16 octets.
  package var bytes: [UInt8] {
    var result: [UInt8] = []
    switch self {
    case .v4(let value): result.append(bigEndian: value)
    case .v6(let value): result.append(bigEndian: value)
    }
    return result
  }

  /// The address in 4 or 16 octets in network order; nil for any other count.
  package init?(bytes: some Collection<UInt8>) {
    switch bytes.count {
    case 4: self = .v4(bytes.reduce(0) { $0 << 8 | UInt32($1) })
    case 16: self = .v6(bytes.reduce(0) { $0 << 8 | UInt128($1) })
    default: return nil
    }
  }

  /// The address written as `text`; nil if it is none. No names, no zones, no octal.
  package init?(_ text: some StringProtocol) { self.init(parsing: Substring(text)) }

  private init?(parsing text: Substring) {
    if text.contains(":") {
      guard let value = Self.parseV6(text) else { return nil }
      self = .v6(value)
    } else {
      guard let value = Self.parseV4(text) else { return nil }
      self = .v4(value)
    }
  }

  private static func parseV4(_ text: Substring) -> UInt32? {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 4 else { return nil }
    var value: UInt32 = 0
    for part in parts {
      // A leading zero is octal to some programs and decimal to others: refuse it.
      guard part.utf8.allSatisfy({ 0x30...0x39 ~= $0 }), part == "0" || !part.hasPrefix("0"),
        let octet = UInt8(part)
      else { return nil }
      value = value << 8 | UInt32(octet)
    }
    return value
  }

  private static func parseV6(_ text: Substring) -> UInt128? {
    let halves = text.components(around: "::")
    guard halves.count <= 2 else { return nil }
    var groups: [[UInt16]] = []
    for (index, half) in halves.enumerated() {
      guard let parsed = parseGroups(half, allowsV4: index == halves.count - 1) else { return nil }
      groups.append(parsed)
    }
    let known = groups.reduce(0) { $0 + $1.count }
    guard groups.count == 2 ? known <= 7 : known == 8 else { return nil }
    let zeros = Array(repeating: UInt16(0), count: 8 - known)
    let all = groups.count == 2 ? groups[0] + zeros + groups[1] : groups[0]
    return all.reduce(0) { $0 << 16 | UInt128($1) }
  }

  private static func parseGroups(_ text: Substring, allowsV4: Bool) -> [UInt16]? {
    if text.isEmpty { return [] }
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    var groups: [UInt16] = []
    for (index, part) in parts.enumerated() {
      if part.contains("."), allowsV4, index == parts.count - 1 {
        guard let value = parseV4(part) else { return nil }
        groups += [UInt16(value >> 16), UInt16(truncatingIfNeeded: value)]
      } else {
        // UInt16 would take a sign as well.
        guard (1...4).contains(part.utf8.count), part.utf8.allSatisfy(Self.isHexDigit),
          let group = UInt16(part, radix: 16)
        else { return nil }
        groups.append(group)
      }
    }
    return groups
  }

  private static func isHexDigit(_ byte: UInt8) -> Bool {
    0x30...0x39 ~= byte || 0x41...0x46 ~= byte || 0x61...0x66 ~= byte
  }

  /// An address no router forwards to the Internet: RFC 1918, RFC 6598, RFC 4193.
  package var isPrivate: Bool {
    ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"]
      .contains { Prefix($0)!.contains(self) }
  }

  /// 127.0.0.0/8 or ::1.
  package var isLoopback: Bool {
    switch self {
    case .v4(let value): value >> 24 == 127
    case .v6(let value): value == 1
    }
  }

  /// 224.0.0.0/4 or ff00::/8.
  package var isMulticast: Bool {
    switch self {
    case .v4(let value): value >> 28 == 0xe
    case .v6(let value): value >> 120 == 0xff
    }
  }

  /// 169.254.0.0/16 or fe80::/10.
  package var isLinkLocal: Bool {
    switch self {
    case .v4(let value): value >> 16 == 0xa9fe
    case .v6(let value): value >> 118 == 0x3fa
    }
  }

  /// The IPv4 address in an IPv6 address that stands for one (RFC 4291 section 2.5.5.2), or this itself.
  package var withoutMapping: IPAddress {
    guard case .v6(let value) = self, value >> 32 == 0xffff else { return self }
    return .v4(UInt32(truncatingIfNeeded: value))
  }

  /// 0.0.0.0 or ::.
  package var isUnspecified: Bool {
    switch self {
    case .v4(let value): value == 0
    case .v6(let value): value == 0
    }
  }
}

extension IPAddress: CustomStringConvertible {
  /// Dotted decimal, or the one form RFC 5952 leaves of an IPv6 address.
  package var description: String {
    switch self {
    case .v4(let value):
      return "\(value >> 24).\(value >> 16 & 255).\(value >> 8 & 255).\(value & 255)"
    case .v6(let value):
      if value >> 32 == 0xffff {
        return "::ffff:\(IPAddress.v4(UInt32(truncatingIfNeeded: value)))"
      }
      let groups = (0..<8).map { UInt16(truncatingIfNeeded: value >> UInt128(112 - 16 * $0)) }
      guard let gap = longestRunOfZeros(groups) else {
        return groups.map { String($0, radix: 16) }.joined(separator: ":")
      }
      let head = groups[..<gap.lowerBound].map { String($0, radix: 16) }.joined(separator: ":")
      let tail = groups[gap.upperBound...].map { String($0, radix: 16) }.joined(separator: ":")
      return head + "::" + tail
    }
  }

  /// RFC 5952 section 4.2: the first longest run of at least two zero groups is shortened.
  private func longestRunOfZeros(_ groups: [UInt16]) -> Range<Int>? {
    var best: Range<Int>?
    var start = 0
    while start < groups.count {
      var end = start
      while end < groups.count, groups[end] == 0 { end += 1 }
      if end - start >= 2, end - start > (best?.count ?? 0) { best = start..<end }
      start = max(end, start + 1)
    }
    return best
  }
}

extension Substring {
  /// The parts around every occurrence of a two-character separator.
  fileprivate func components(around separator: String) -> [Substring] {
    var parts: [Substring] = []
    var rest = self
    while let range = rest.firstRange(of: separator) {
      parts.append(rest[..<range.lowerBound])
      rest = rest[range.upperBound...]
    }
    return parts + [rest]
  }
}
