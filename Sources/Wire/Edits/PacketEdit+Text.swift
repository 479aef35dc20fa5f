extension PacketEdit {
  /// Why a text is no edit.
  package struct Fault: Error, Sendable, Equatable {
    /// As it reads behind what was being looked at.
    package let message: String
    init(_ message: String) { self.message = message }
  }

  /// The edit in `text`: ttl=N, tos=N, source=ADDR, dest=ADDR or dest=ADDR:PORT, where an IPv6
  /// address with a port stands in brackets. Throws for what would make every packet invalid.
  package init(parsing text: String) throws(Fault) {
    let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2 else {
      throw Fault("is not KEY=VALUE with a key of ttl, tos, dest or source")
    }
    let value = parts[1]
    switch parts[0] {
    case "ttl":
      guard let number = Self.number(value), number > 0 else {
        throw Fault("the TTL is 1 to 255, for nothing goes anywhere with 0")
      }
      self = .ttl(number)
    case "tos":
      guard let number = Self.number(value) else { throw Fault("the TOS is 0 to 255") }
      self = .tos(number)
    case "source": self = .source(try Self.address(value))
    case "dest":
      if let address = IPAddress(value) {
        self = .destination(try Self.usable(address), port: nil)
        return
      }
      guard let colon = value.lastIndex(of: ":"),
        let port = UInt16(value[value.index(after: colon)...]), port > 0
      else { throw Fault("'\(value)' is not ADDR, ADDR:PORT or [ADDR]:PORT") }
      var host = value[..<colon]
      let isBracketed = host.hasPrefix("[") && host.hasSuffix("]")
      if isBracketed { host = host.dropFirst().dropLast() }
      let address = try Self.address(host)
      guard isBracketed == (address.family == 6) else {
        throw Fault("an IPv6 address with a port stands in brackets: [2001:db8::1]:53")
      }
      self = .destination(address, port: port)
    default: throw Fault("'\(parts[0])' is none of ttl, tos, dest and source")
    }
  }

  /// The IP version it is for; nil for both.
  package var version: Int? {
    switch self {
    case .ttl, .tos: nil
    case .source(let address), .destination(let address, _): address.family
    }
  }

  /// Whether it is about the same field as another.
  package func contradicts(_ other: PacketEdit) -> Bool {
    switch (self, other) {
    case (.ttl, .ttl), (.tos, .tos): true
    case (.source, .source), (.destination, .destination): version == other.version
    default: false
    }
  }

  private static func number(_ text: Substring) -> UInt8? {
    text.utf8.allSatisfy { 0x30...0x39 ~= $0 } ? UInt8(text) : nil
  }

  private static func address(_ text: Substring) throws(Fault) -> IPAddress {
    guard let address = IPAddress(text) else { throw Fault("'\(text)' is no address") }
    return try usable(address)
  }

  /// Packets from and to these are never forwarded.
  private static func usable(_ address: IPAddress) throws(Fault) -> IPAddress {
    // Of link-local addresses, Linux forwards those of IPv4.
    if address.isMulticast || address.isLoopback || address.isUnspecified
      || address == .v4(.max) || address.family == 6 && address.isLinkLocal
    {
      throw Fault("a packet with the address \(address) would not be forwarded")
    }
    return address
  }
}
