internal import Wire

/// An object of nf_tables as the kernel lists it: its family and its attributes.
struct ListedObject {
  let family: UInt8
  private let attributes: [NetlinkAttribute]

  init?(_ message: NetlinkMessage) {
    guard let header = try? NetfilterHeader(message.payload),
      let attributes = try? NetlinkAttribute.all(
        in: message.payload, from: NetfilterHeader.length)
    else { return nil }
    family = header.family
    self.attributes = attributes
  }

  subscript(number: UInt32) -> NetlinkAttribute? { attributes[type: UInt16(number)] }

  func string(_ number: UInt32) -> String? { self[number]?.string }

  func handle(_ number: UInt32) -> UInt64 { self[number]?.network() ?? 0 }

  /// A message that makes the same, of those attributes that it takes.
  func message(
    _ type: UInt16, flags: UInt16 = RouteSocket.RequestFlags.create.rawValue,
    keeping numbers: [UInt32], adding more: [NetlinkAttribute] = []
  ) -> NetlinkMessage {
    let kept = attributes.filter { numbers.contains(UInt32($0.type)) }
    return NetlinkMessage(
      type: type, flags: flags,
      payload: NetfilterHeader(family: family).bytes + (kept + more).bytes)
  }
}
