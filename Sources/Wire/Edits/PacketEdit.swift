/// What is to be different in a packet. Its checksums are kept right by the difference alone (RFC
/// 1624), so one that was wrong before stays recognisably wrong.
package enum PacketEdit: Sendable, Equatable {
  /// TTL or hop limit.
  case ttl(UInt8)
  /// Type of service or traffic class, the whole octet.
  case tos(UInt8)
  /// The source address, in packets of its version.
  case source(IPAddress)
  /// The destination address, in packets of its version; and with it the port of TCP and UDP.
  case destination(IPAddress, port: UInt16?)

  /// Changes the packet that lies in `bytes` with this layout. Returns false, and changes nothing,
  /// where that cannot be done: another IP version, no port in a protocol that has none, an address
  /// that a source route or a signature keeps from being changed.
  package func apply(to bytes: inout [UInt8], _ layout: PacketLayout) -> Bool {
    switch self {
    case .ttl(let value):
      layout.replace(layout.ttl, value, in: &bytes)
      return true
    case .tos(let value):
      if layout.version == 4 {
        layout.replace(1, value, in: &bytes)
      } else {
        let word: UInt16 = bytes.number(at: 0)
        layout.replace(0, word & 0xf00f | UInt16(value) << 4, in: &bytes)
      }
      return true
    case .source(let address):
      guard address.family == layout.version, !layout.isSigned else { return false }
      layout.replaceAddress(layout.addresses, address, in: &bytes)
      return true
    case .destination(let address, let port):
      guard address.family == layout.version, !layout.isSigned, !layout.isSourceRouted else {
        return false
      }
      // Later fragments have no ports: the first has them for all.
      guard port == nil || layout.hasPorts || layout.part == .laterFragment else { return false }
      layout.replaceAddress(layout.addresses + layout.addressLength, address, in: &bytes)
      if let port, layout.hasPorts { layout.replacePort(layout.transport + 2, port, in: &bytes) }
      return true
    }
  }
}

extension PacketLayout {
  /// Makes an echo request an echo reply, in place: addresses change places, and neither that nor
  /// anything else is new to the checksum but the type. A fragment behind the first has its addresses
  /// changed alone.
  package func makeEchoReply(in bytes: inout [UInt8]) {
    for index in addresses..<addresses + addressLength {
      bytes.swapAt(index, index + addressLength)
    }
    replace(ttl, UInt8(64), in: &bytes)
    if part != .laterFragment, transport + 4 <= count {
      let type: UInt8 = version == 4 ? 0 : 129
      let change = Self.put(type, at: transport, in: &bytes)
      Self.correct(transport + 2, by: change, in: &bytes)
    }
  }

  /// Takes back beforehand the one that forwarding will take off the TTL. Returns false where it
  /// cannot be more: at 255.
  @discardableResult
  package func raiseTTL(in bytes: inout [UInt8]) -> Bool {
    let value = bytes[ttl]
    guard value < 255 else { return false }
    replace(ttl, value + 1, in: &bytes)
    return true
  }

  /// The source address as a number: 32 or 128 bits of it.
  package func source(_ bytes: [UInt8]) -> UInt128 { address(bytes, addresses) }

  /// The destination address as a number: 32 or 128 bits of it.
  package func destination(_ bytes: [UInt8]) -> UInt128 {
    address(bytes, addresses + addressLength)
  }

  private func address(_ bytes: [UInt8], _ offset: Int) -> UInt128 {
    if version == 4 { return UInt128(bytes.number(at: offset) as UInt32) }
    let high: UInt64 = bytes.number(at: offset)
    let low: UInt64 = bytes.number(at: offset + 8)
    return UInt128(high) << 64 | UInt128(low)
  }

  /// The destination port; nil where there is none in this packet.
  package func destinationPort(_ bytes: [UInt8]) -> UInt16? {
    hasPorts ? bytes.number(at: transport + 2) : nil
  }

  /// The source port; nil where there is none in this packet.
  package func sourcePort(_ bytes: [UInt8]) -> UInt16? {
    hasPorts ? bytes.number(at: transport) : nil
  }

  /// By what an echo request and its answer know each other; nil for what is none.
  package func echoIdentifier(_ bytes: [UInt8]) -> UInt16? {
    isEchoRequest(bytes) ? bytes.number(at: transport + 4) : nil
  }

  // MARK: Changing

  /// Replaces a field of the IP header that the transport's checksum does not cover.
  fileprivate func replace<T: FixedWidthInteger>(
    _ offset: Int, _ value: T, in bytes: inout [UInt8]
  ) {
    let change = Self.put(value, at: offset, in: &bytes)
    if version == 4 { Self.correct(10, by: change, in: &bytes) }
  }

  /// Replaces an address, which both checksums cover.
  fileprivate func replaceAddress(
    _ offset: Int, _ address: IPAddress, in bytes: inout [UInt8]
  ) {
    let change =
      switch address {
      case .v4(let value): Self.put(value, at: offset, in: &bytes)
      case .v6(let value): Self.put(value, at: offset, in: &bytes)
      }
    if version == 4 { Self.correct(10, by: change, in: &bytes) }
    correctTransport(by: change, in: &bytes)
  }

  fileprivate func replacePort(_ offset: Int, _ port: UInt16, in bytes: inout [UInt8]) {
    correctTransport(by: Self.put(port, at: offset, in: &bytes), in: &bytes)
  }

  private func correctTransport(by change: UInt64, in bytes: inout [UInt8]) {
    guard let checksum else { return }
    let isUDP = proto == 17
    // RFC 768: zero is no checksum, and a computed zero is sent as all ones.
    if isUDP, bytes.number(at: checksum) as UInt16 == 0 { return }
    Self.correct(checksum, by: change, in: &bytes)
    if isUDP || proto == 136, bytes.number(at: checksum) as UInt16 == 0 {
      bytes[checksum] = 0xff
      bytes[checksum + 1] = 0xff
    }
  }

  /// Writes a number in network byte order. Returns what that adds to the sum of 16-bit words: for
  /// each word the ones' complement of the old one, and the new one. Headers begin at even octets.
  private static func put<T: FixedWidthInteger>(
    _ value: T, at offset: Int, in bytes: inout [UInt8]
  ) -> UInt64 {
    let size = T.bitWidth / 8
    let first = offset & ~1
    let end = (offset + size + 1) & ~1
    var change: UInt64 = 0
    for word in stride(from: first, to: end, by: 2) {
      change += UInt64(~(bytes.number(at: word) as UInt16))
    }
    for index in 0..<size {
      bytes[offset + index] = UInt8(truncatingIfNeeded: value >> T(8 * (size - 1 - index)))
    }
    for word in stride(from: first, to: end, by: 2) {
      change += UInt64(bytes.number(at: word) as UInt16)
    }
    return change
  }

  /// RFC 1624 equation 3: HC' = ~(~HC + ~m + m').
  private static func correct(_ offset: Int, by change: UInt64, in bytes: inout [UInt8]) {
    var sum = UInt64(~(bytes.number(at: offset) as UInt16)) + change
    while sum >> 16 != 0 { sum = sum & 0xffff + sum >> 16 }
    let checksum = ~UInt16(truncatingIfNeeded: sum)
    bytes[offset] = UInt8(checksum >> 8)
    bytes[offset + 1] = UInt8(truncatingIfNeeded: checksum)
  }
}
