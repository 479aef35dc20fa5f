import Wire

/// A netlink payload of any content: each decoder ends, and a value it made survives being written
/// and read again. Whole messages count as payloads and as datagrams.
func fuzzNetlink(_ bytes: [UInt8]) {
  decode(bytes)
  for message in (try? NetlinkMessage.all(in: bytes)) ?? [] {
    precondition((try? NetlinkMessage.all(in: message.bytes)) == [message])
    decode(message.payload)
    if let value = try? ConntrackMessage(message) {
      precondition((try? ConntrackMessage(value.message)) == value)
    }
  }
}

/// Whether what `payload` holds fits into attributes again. Octets that are no UTF-8 become three
/// octets of text each, and of a value of more than 65531 octets the end is cut off.
private func fits(_ payload: [UInt8]) -> Bool { payload.count <= 20_000 }

private func decode(_ payload: [UInt8]) {
  if let value = try? LogMessage(payload) {
    let again = try? LogMessage(value.bytes)
    precondition(again == value || !fits(payload))
    readPacket(value.payload)
  }
  if let value = try? TraceMessage(payload) {
    let again = try? TraceMessage(value.bytes)
    precondition(again == value || !fits(payload))
    readPacket((value.networkHeader ?? []) + (value.transportHeader ?? []))
  }
  if let value = try? ConntrackMessage(NetlinkMessage(type: 0x0100, payload: payload)) {
    precondition((try? ConntrackMessage(value.message)) == value)
  }
  _ = (try? ChainMessage(payload))?.hook
  _ = (try? NFTRuleMessage(payload))?.translation
  readPacket(payload)
}

private func readPacket(_ bytes: [UInt8]) {
  guard let packet = try? Packet(bytes) else { return }
  _ = packet.quoted
  let again = try? Packet(packet.bytes)
  precondition(again?.source == packet.source && again?.destination == packet.destination)
}
