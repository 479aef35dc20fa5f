import Report
import Trace
import Wire

/// A packet of any content in a diversion, behind four octets that choose what is done with it. What
/// comes out is as long as what went in, and can be told.
func fuzzDiversion(_ bytes: [UInt8]) {
  guard bytes.count > 4 else { return }
  let edits: [PacketEdit] = [
    .ttl(bytes[1]), .tos(bytes[1]), .source(.v4(0x0a00_0001)), .source(.v6(1)),
    .destination(.v4(0x0a00_0001), port: 7), .destination(.v6(2), port: UInt16(bytes[1])),
    .destination(.v4(UInt32(bytes[1])), port: nil),
  ]
  let before = Array(bytes[4...])
  guard let layout = PacketLayout(before, count: before.count) else { return }
  var after = before
  for (index, edit) in edits.enumerated() where bytes[0] >> UInt8(index) & 1 == 1 {
    _ = edit.apply(to: &after, layout)
  }
  if bytes[2] & 1 == 1, layout.isEchoRequest(after) { layout.makeEchoReply(in: &after) }
  layout.raiseTTL(in: &after)
  precondition(after.count == before.count)
  for fate in [.passed, .changed, .unchangeable, .answered, .dropped, .foreign]
    as [Interception.Fate]
  {
    _ = InterceptText.line(time: .max, before: before, after: after, fate: fate)
  }
  _ = InterceptText.hex(before)
}
