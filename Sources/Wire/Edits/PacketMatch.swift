/// Which packets are meant, by destination: ADDR/PROTO/PORT, each of which may be "*" or left out at
/// the end. ADDR is an address or a prefix (10.0.0.0/8), PROTO is tcp, udp or icmp (of either version),
/// PORT a destination port.
package struct PacketMatch: Sendable, Equatable {
  /// Destinations; nil is all of them.
  package var destination: Prefix?
  /// The protocol; nil is any.
  package var proto: IPProtocol?
  /// The destination port; nil is any. Where it is not nil, only TCP and UDP match.
  package var port: UInt16?

  /// Why a text is no match expression.
  package struct Fault: Error, Sendable, Equatable {
    /// As it reads behind what was being looked at.
    package let message: String
    init(_ message: String) { self.message = message }
  }

  /// The expression in `text`.
  package init(parsing text: String) throws(Fault) {
    var parts = text.split(separator: "/", omittingEmptySubsequences: false)[...]
    let names: Set<Substring> = ["tcp", "udp", "icmp"]
    if let first = parts.first, !names.contains(first) {
      parts.removeFirst()
      if first != "*" {
        var written = String(first)
        if let length = parts.first, Int(length) != nil { written += "/\(parts.removeFirst())" }
        guard let prefix = Prefix(written) else {
          throw Fault("'\(written)' is no address, prefix or *")
        }
        guard prefix == prefix.network else {
          throw Fault("'\(written)' has host bits set: the prefix is \(prefix.network)")
        }
        destination = prefix
      }
    }
    if let word = parts.popFirst() {
      switch word {
      case "tcp": proto = .tcp
      case "udp": proto = .udp
      case "icmp": proto = .icmp
      case "*": break
      default: throw Fault("'\(word)' is none of tcp, udp, icmp and *")
      }
    }
    if let word = parts.popFirst(), word != "*" {
      guard proto != .icmp else { throw Fault("icmp has no ports") }
      guard let number = UInt16(word), number > 0, word.utf8.allSatisfy({ 0x30...0x39 ~= $0 })
      else { throw Fault("'\(word)' is no port: a number from 1 to 65535, or *") }
      port = number
    }
    guard parts.isEmpty else { throw Fault("more than ADDR/PROTO/PORT") }
  }

  /// What it says about a packet: nil where that depends on a port that is in another fragment.
  package func matches(_ bytes: [UInt8], _ layout: PacketLayout) -> Bool? {
    if let destination {
      guard destination.address.family == layout.version else { return false }
      let unused = UInt128(destination.address.bitWidth - destination.length)
      let wanted: UInt128 =
        switch destination.address {
        case .v4(let value): UInt128(value)
        case .v6(let value): value
        }
      guard layout.destination(bytes) >> unused == wanted >> unused else { return false }
    }
    switch proto {
    case nil: break
    case IPProtocol.icmp:
      guard layout.proto == (layout.version == 4 ? 1 : 58) else { return false }
    case let proto?: guard layout.proto == proto.rawValue else { return false }
    }
    guard let port else { return true }
    guard layout.proto == 6 || layout.proto == 17 else { return false }
    if layout.part == .laterFragment { return nil }
    return layout.destinationPort(bytes) == port
  }
}
