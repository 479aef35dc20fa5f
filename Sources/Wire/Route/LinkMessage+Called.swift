extension LinkMessage {
  /// The number and the name of the interface in an `RTM_NEWLINK`, nothing else of which is read: there may be thousands. Nil of
  /// another message, and where it has no name.
  package static func called(_ message: NetlinkMessage) -> (index: UInt32, name: String)? {
    guard message.type == RouteMessageType.newLink else { return nil }
    var reader = ByteReader(message.payload.span)
    // Family, padding, type.
    guard (try? reader.skip(4)) != nil, let index: UInt32 = try? reader.littleEndian(),
      (try? reader.skip(Self.headerLength - 8)) != nil
    else { return nil }
    while let attribute = try? reader.attribute(), var value = try? reader.value(of: attribute) {
      if attribute.type == Attribute.name { return (index, value.string()) }
    }
    return nil
  }
}
