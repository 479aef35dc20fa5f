import Wire

/// A drop event of any content: decoding ends, and a value survives being written and read again.
func fuzzDropEvent(_ bytes: [UInt8]) {
  guard let event = try? DropEvent(parsing: bytes) else { return }
  _ = event.reason
  _ = try? Packet(event.packet)
  // Octets that are no UTF-8 become three octets of text each.
  if bytes.count < 20_000 {
    precondition((try? DropEvent(parsing: event.message)) == event)
  }
}
