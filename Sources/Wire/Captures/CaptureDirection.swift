/// Which way a packet went, seen from the machine that recorded it (bits 0 and 1 of epb_flags).
package enum CaptureDirection: UInt32, Sendable {
  case inbound = 1
  case outbound = 2
}
