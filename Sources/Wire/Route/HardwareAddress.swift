/// A link-layer address: six octets on Ethernet, none on a TUN device.
package struct HardwareAddress: Sendable, Hashable, CustomStringConvertible {
  /// The octets as they go over the wire.
  package var bytes: [UInt8]

  /// A value with these fields.
  package init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// The Ethernet address that packets for this multicast group, or for everybody, go to: RFC 1112 section
  /// 6.4, RFC 2464 section 7; nil for the address of one host.
  package init?(ofGroup address: IPAddress) {
    let octets = address.bytes
    switch address {
    case .v4(UInt32.max): self.init(Array(repeating: 0xff, count: 6))
    case .v4 where address.isMulticast: self.init([1, 0, 0x5e, octets[1] & 0x7f] + octets[2...])
    case .v6 where address.isMulticast: self.init([0x33, 0x33] + octets[12...])
    default: return nil
    }
  }

  /// The IPv6 address on its link that who has this address has by that: RFC 4291, appendix A; nil where it is none of
  /// Ethernet's.
  package var linkLocal: IPAddress? {
    guard bytes.count == 6 else { return nil }
    let identifier = [bytes[0] ^ 2, bytes[1], bytes[2], 0xff, 0xfe] + bytes[3...]
    return IPAddress(bytes: [0xfe, 0x80, 0, 0, 0, 0, 0, 0] + identifier)
  }

  /// Octets in hexadecimal with colons between: "02:00:00:00:00:09".
  package var description: String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: ":")
  }
}
