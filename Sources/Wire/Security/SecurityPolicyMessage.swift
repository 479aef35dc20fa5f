/// A policy of IPsec (RFC 4301) as the kernel lists it: `struct xfrm_userpolicy_info` of <linux/xfrm.h>.
package struct SecurityPolicyMessage: Sendable, Equatable {
  /// Sources of packets that it is for.
  package var source: Prefix
  /// Their destinations.
  package var destination: Prefix
  /// Their IP protocol; nil is all.
  package var proto: UInt8?
  /// Their source port; nil is all.
  package var sourcePort: UInt16?
  /// Their destination port; nil is all.
  package var destinationPort: UInt16?
  /// Index of the interface that they leave or came in by; 0 is all.
  package var device: UInt32
  /// Of those that fit, the one with the lowest is the one that counts.
  package var priority: UInt32
  /// `XFRM_POLICY_IN`, `_OUT`, `_FWD`: 0 what is for this host, 1 what leaves, 2 what is forwarded.
  package var direction: UInt8
  /// Whether it lets nothing pass (`XFRM_POLICY_BLOCK`).
  package var isBlock: Bool
  /// The ends of the tunnels, or of transports, that it wants packets in; an end is unspecified where it
  /// is the packet's own.
  package var wanted: [Ends]

  /// From where to where.
  package struct Ends: Sendable, Equatable {
    /// The outer source.
    package var source: IPAddress
    /// The outer destination.
    package var destination: IPAddress

    /// These ends.
    package init(source: IPAddress, destination: IPAddress) {
      self.source = source
      self.destination = destination
    }
  }

  private enum MessageType {
    static let newAssociation: UInt16 = 0x10
    static let getAssociation: UInt16 = 0x12
    static let newPolicy: UInt16 = 0x13
    static let getPolicy: UInt16 = 0x15
  }
  private static let selectorLength = 56
  private static let headerLength = 168
  private static let templateLength = 64
  /// `XFRMA_TMPL`.
  private static let templates: UInt16 = 5

  /// What asks for all policies: `XFRM_MSG_GETPOLICY`.
  package static var question: NetlinkMessage {
    NetlinkMessage(
      type: MessageType.getPolicy, flags: NetlinkMessage.dumpRequest,
      payload: [UInt8](repeating: 0, count: 64))
  }

  /// What asks for all security associations: `XFRM_MSG_GETSA`.
  package static var associationQuestion: NetlinkMessage {
    NetlinkMessage(
      type: MessageType.getAssociation, flags: NetlinkMessage.dumpRequest,
      payload: [UInt8](repeating: 0, count: 24))
  }

  /// The ends of the association in an `XFRM_MSG_NEWSA`: `struct xfrm_usersa_info`.
  package static func association(_ message: NetlinkMessage) throws(WireError) -> Ends {
    try message.need(MessageType.newAssociation...MessageType.newAssociation, "association")
    let payload = message.payload
    var reader = ByteReader(payload.span)
    try reader.skip(selectorLength)
    let destination = try reader.take(16)
    try reader.skip(8)
    let source = try reader.take(16)
    // Its lifetimes, statistics and numbers.
    try reader.skip(116)
    let family = try reader.u8()
    return Ends(
      source: try address(source, family: family),
      destination: try address(destination, family: family))
  }

  /// The policy in an `XFRM_MSG_NEWPOLICY`.
  package init(parsing message: NetlinkMessage) throws(WireError) {
    try message.need(MessageType.newPolicy...MessageType.newPolicy, "policy")
    var reader = ByteReader(message.payload.span)
    let (destination, source) = (try reader.take(16), try reader.take(16))
    let (port, portMask) = (try reader.u16(), try reader.u16())
    let (otherPort, otherMask) = (try reader.u16(), try reader.u16())
    let family: UInt16 = try reader.littleEndian()
    let (length, sourceLength) = (try reader.u8(), try reader.u8())
    let number = try reader.u8()
    try reader.skip(3)
    device = try reader.littleEndian()
    try reader.skip(Self.selectorLength - 52 + 96)
    priority = try reader.littleEndian()
    try reader.skip(4)
    direction = try reader.u8()
    isBlock = try reader.u8() == 1
    proto = number == 0 ? nil : number
    destinationPort = portMask == 0 ? nil : port
    sourcePort = otherMask == 0 ? nil : otherPort
    let version = UInt8(truncatingIfNeeded: family)
    self.source = try Self.prefix(source, sourceLength, family: version)
    self.destination = try Self.prefix(destination, length, family: version)
    wanted = []
    let attributes = try NetlinkAttribute.all(in: message.payload, from: Self.headerLength)
    let bytes = attributes[type: Self.templates]?.value ?? []
    var templates = ByteReader(bytes.span)
    while templates.remaining >= Self.templateLength {
      let outer = try templates.take(16)
      try templates.skip(8)
      let family = try templates.u8()
      try templates.skip(3)
      let own = try templates.take(16)
      try templates.skip(Self.templateLength - 44)
      wanted.append(
        Ends(
          source: try Self.address(own, family: family),
          destination: try Self.address(outer, family: family)))
    }
  }

  private static func address(_ bytes: [UInt8], family: UInt8) throws(WireError) -> IPAddress {
    let address = IPAddress(bytes: family == AddressFamily.v4 ? Array(bytes[..<4]) : bytes)
    guard let address, family == AddressFamily.v4 || family == AddressFamily.v6 else {
      throw WireError("policy of family \(family)", at: 0)
    }
    return address
  }

  private static func prefix(
    _ bytes: [UInt8], _ length: UInt8, family: UInt8
  ) throws(WireError) -> Prefix {
    guard let prefix = Prefix(try address(bytes, family: family), length: Int(length)) else {
      throw WireError("prefix length \(length)", at: 0)
    }
    return prefix
  }
}
