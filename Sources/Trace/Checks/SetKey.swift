internal import Wire

/// The key of an element of a set or a map as nft lists it, or what is looked up there: "10.0.0.0/8 . 80-90".
struct SetKey {
  private let parts: [String]

  init(_ text: String) {
    var parts = [""]
    for word in text.split(separator: " ") {
      if word == "." { parts.append("") } else { parts[parts.count - 1] += word }
    }
    self.parts = parts
  }

  /// Whether an element of this key has what is looked up by another.
  func takes(_ value: SetKey) -> Bool {
    parts.count == value.parts.count && zip(parts, value.parts).allSatisfy(Self.takes)
  }

  private static func takes(_ part: String, _ value: String) -> Bool {
    if part == value { return true }
    let ends = part.split(separator: "-").map(String.init)
    if let address = IPAddress(value) {
      if let prefix = Prefix(part) { return prefix.contains(address) }
      guard ends.count == 2, let first = IPAddress(ends[0]), let last = IPAddress(ends[1]),
        first.family == address.family, last.family == address.family
      else { return false }
      return !address.bytes.lexicographicallyPrecedes(first.bytes)
        && !last.bytes.lexicographicallyPrecedes(address.bytes)
    }
    guard let number = number(value), let first = ends.first.flatMap(Self.number),
      let last = ends.last.flatMap(Self.number), ends.count < 3, first <= last
    else { return false }
    return (first...last).contains(number)
  }

  /// A port, a mark or a protocol.
  private static func number(_ text: String) -> UInt32? {
    if text.hasPrefix("0x") { return UInt32(text.dropFirst(2), radix: 16) }
    return UInt32(text) ?? protocols[text]
  }

  private static let protocols: [String: UInt32] = [
    "icmp": 1, "tcp": 6, "udp": 17, "ipv6-icmp": 58, "icmpv6": 58, "sctp": 132, "gre": 47,
  ]
}
