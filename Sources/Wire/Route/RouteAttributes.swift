/// The attributes behind a fixed header, read strictly: an attribute that is missing is nil, one
/// of the wrong size throws.
struct RouteAttributes {
  let all: [NetlinkAttribute]
  /// Where they begin in the payload, in octets: the place an error names.
  let start: Int

  init(_ message: NetlinkMessage, after header: Int) throws(WireError) {
    self.init(all: try NetlinkAttribute.all(in: message.payload, from: header), start: header)
  }

  /// Those of these types alone: the kernel says more of an interface than anybody reads.
  init(_ message: NetlinkMessage, after header: Int, only types: [UInt16]) throws(WireError) {
    var reader = ByteReader(message.payload.span)
    try reader.skip(header)
    var kept: [NetlinkAttribute] = []
    while let attribute = try reader.attribute() {
      var value = try reader.value(of: attribute)
      if types.contains(attribute.type) {
        kept.append(NetlinkAttribute(attribute.type, value.rest()))
      }
    }
    self.init(all: kept, start: header)
  }

  init(all: [NetlinkAttribute], start: Int) {
    self.all = all
    self.start = start
  }

  func number<T: FixedWidthInteger>(_ type: UInt16, as _: T.Type = T.self) throws(WireError) -> T? {
    guard let attribute = all[type: type] else { return nil }
    guard let value: T = attribute.host() else {
      throw wrongSize(attribute, "\(T.bitWidth / 8)")
    }
    return value
  }

  func address(_ type: UInt16) throws(WireError) -> IPAddress? {
    guard let attribute = all[type: type] else { return nil }
    guard let value = IPAddress(bytes: attribute.value) else {
      throw wrongSize(attribute, "4 or 16")
    }
    return value
  }

  func string(_ type: UInt16) -> String? { all[type: type]?.string }

  func hardware(_ type: UInt16) -> HardwareAddress? {
    guard let value = all[type: type]?.value, !value.isEmpty else { return nil }
    return HardwareAddress(value)
  }

  func nested(_ type: UInt16) throws(WireError) -> RouteAttributes? {
    guard let attribute = all[type: type] else { return nil }
    return RouteAttributes(all: try attribute.nested(), start: start)
  }

  /// A prefix whose length stands in the header and whose address, if it has one, is here.
  func prefix(_ type: UInt16, family: UInt8, length: UInt8) throws(WireError) -> Prefix {
    let given = try address(type)
    let address = if let given { given } else { try AddressFamily.unspecified(family) }
    guard let prefix = Prefix(address, length: Int(length)) else {
      throw WireError("prefix length \(length) of \(address)", at: start)
    }
    return prefix
  }

  private func wrongSize(_ attribute: NetlinkAttribute, _ expected: String) -> WireError {
    WireError(
      "attribute \(attribute.type) has \(attribute.value.count) octets, not \(expected)", at: start)
  }
}

extension NetlinkMessage {
  /// Throws unless the message is one of these types.
  func need(_ types: ClosedRange<UInt16>, _ name: String) throws(WireError) {
    guard types.contains(type) else {
      throw WireError("netlink message type \(type) is no \(name)", at: 0)
    }
  }

  /// The same message under another type: how a deletion is made from an addition.
  func typed(_ type: UInt16) -> NetlinkMessage {
    var message = self
    message.type = type
    return message
  }
}
