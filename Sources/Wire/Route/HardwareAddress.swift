/// A link-layer address: six octets on Ethernet, none on a TUN device.
package struct HardwareAddress: Sendable, Hashable, CustomStringConvertible {
  /// The octets as they go over the wire.
  package var bytes: [UInt8]

  /// A value with these fields.
  package init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// Octets in hexadecimal with colons between: "02:00:00:00:00:09".
  package var description: String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: ":")
  }
}
