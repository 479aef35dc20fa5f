import Recordings
import Wire

/// Every prefix of `bytes`, the whole one last.
func prefixes(_ bytes: [UInt8]) -> [[UInt8]] { (0...bytes.count).map { Array(bytes.prefix($0)) } }

/// A generator of the same numbers on every run and machine: SplitMix64.
struct SteadyNumbers: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }
}

extension [UInt8] {
  /// These octets with a few changes: bits flipped, octets made extreme, runs cut out or repeated.
  func mutated(by numbers: inout SteadyNumbers) -> [UInt8] {
    var bytes = self
    for _ in 0...Int.random(in: 0...3, using: &numbers) {
      guard !bytes.isEmpty else { break }
      let at = Int.random(in: 0..<bytes.count, using: &numbers)
      let end = Swift.min(bytes.count, at + Int.random(in: 1...8, using: &numbers))
      switch Int.random(in: 0..<6, using: &numbers) {
      case 0: bytes[at] ^= 1 << UInt8.random(in: 0..<8, using: &numbers)
      case 1: bytes[at] = [0, 1, 0x7f, 0x80, 0xff].randomElement(using: &numbers) ?? 0
      case 2: bytes[at] = .random(in: 0...255, using: &numbers)
      case 3: bytes.removeSubrange(at..<end)
      case 4: bytes.insert(contentsOf: bytes[at..<end], at: at)
      default: bytes = Array(bytes.prefix(at))
      }
    }
    return bytes
  }
}

/// Feeds `payload` to every decoder of netlink payloads, and what they make of it back to them.
/// Returns whether each value that was decoded survived being written and read again.
func survives(_ payload: [UInt8]) -> Bool {
  var same = true
  if let value = try? LogMessage(payload) {
    same = same && (try? LogMessage(value.bytes)) == value
    if let packet = try? Packet(value.payload) { _ = packet.bytes }
  }
  if let value = try? TraceMessage(payload) {
    same = same && (try? TraceMessage(value.bytes)) == value
    _ = value.startsChain
  }
  let message = NetlinkMessage(type: 0x0100, payload: payload)
  if let value = try? ConntrackMessage(message) {
    same = same && (try? ConntrackMessage(value.message)) == value
  }
  _ = (try? ChainMessage(payload))?.hook
  _ = (try? NFTRuleMessage(payload))?.translation
  return same
}
