internal import Wire

/// Counts what a session has without telling it: its octets go in, in pieces, from the beginning or
/// from the beginning of any of its sections. Packets are not decoded, and so hundreds of megabytes
/// take well below a second.
package struct SessionTally: Sendable {
  /// What the first section begins with.
  package private(set) var header: SessionHeader?
  /// Log, trace and conntrack messages.
  package private(set) var events = 0
  /// Packets that they are about, of which each hook told: those that arrived or that this host made.
  package private(set) var packets = 0
  /// When the first and the last of them were received, nanoseconds since the epoch.
  package private(set) var first: UInt64?
  /// The last one.
  package private(set) var last: UInt64?
  /// Messages that the kernel had no room for.
  package private(set) var lost = 0
  /// How it ended, if it says so.
  package private(set) var end: RecordingEnd?

  /// What is no packet is read as ever.
  private var decoder = SessionDecoder()
  /// The beginning of a block whose rest has not come.
  private var begun: [UInt8] = []
  /// Octets that are left of a packet's block, and what it is once it is whole.
  private var rest = 0
  private var incoming: Incoming?
  /// Whether what comes can be no session.
  private var isDamaged = false

  /// Nothing counted yet.
  package init() {}

  /// Another file begins: what the one before it was cut off with is left out.
  package mutating func begin() {
    begun = []
    rest = 0
    incoming = nil
    isDamaged = false
    decoder = SessionDecoder()
  }

  /// What the beginning of a packet's block says of it.
  private struct Incoming {
    var time: UInt64
    var isEvent: Bool
    var beginsPacket = false
  }

  /// Octets of a packet's block that say what it is: as far as the interface of an NFLOG message.
  private static let looked = 28 + NewPacket.looked
  /// The same, where there are as many: as far as what a packet of IPv6 is.
  private static let lookedMost = 28 + NewPacket.lookedMost
  /// Types of blocks: enhanced packets, and interface statistics, which have notes.
  private static let (packetBlocks, noteBlocks) = (UInt32(6), UInt32(5))

  /// Takes in the next octets.
  package mutating func feed(_ bytes: [UInt8]) {
    if isDamaged { return }
    var at = min(rest, bytes.count)
    rest -= at
    if rest > 0 { return }
    count()
    let bytes = begun.isEmpty ? bytes : begun + bytes
    begun = []
    while true {
      let left = bytes.count - at
      guard left >= 8 else { break }
      let length = Int(bytes.number(at: at + 4))
      guard length >= 12, length % 4 == 0, length <= 16 << 20 else {
        isDamaged = true
        return
      }
      if bytes.number(at: at) == Self.packetBlocks, length > Self.looked, !decoder.awaitsHeader {
        guard left >= min(length, Self.lookedMost) else { break }
        incoming = Self.packet(bytes, at: at)
        rest = max(length - left, 0)
        if rest > 0 { return }
        count()
      } else {
        guard left >= length else { break }
        take(Array(bytes[at..<at + length]))
      }
      at += length
    }
    begun = Array(bytes[at...])
  }

  private mutating func count() {
    guard let incoming else { return }
    self.incoming = nil
    guard incoming.isEvent else { return }
    events += 1
    if incoming.beginsPacket { packets += 1 }
    first = first ?? incoming.time
    last = incoming.time
  }

  /// An enhanced packet block: the interface it is of, its time, and what is in it, as `SessionFile`
  /// writes them.
  private static func packet(_ bytes: [UInt8], at: Int) -> Incoming {
    // What its length says of a damaged one may be more than there is.
    let length = max(Int(bytes.number(at: at + 4)), looked)
    let end = min(at + min(length, lookedMost), bytes.count)
    let time = UInt64(bytes.number(at: at + 12)) << 32 | UInt64(bytes.number(at: at + 16))
    switch bytes.number(at: at + 8) {
    case 0:
      return Incoming(
        time: time, isEvent: true, beginsPacket: NewPacket.isBegun(by: bytes[(at + 28)..<end]))
    case 1:
      let type = UInt16(bytes[at + 48]) | UInt16(bytes[at + 49]) << 8
      return Incoming(
        time: time, isEvent: type == TraceMessage.type || ConntrackMessage.isOne(type))
    default: return Incoming(time: time, isEvent: false)
    }
  }

  private mutating func take(_ block: [UInt8]) {
    decoder.feed(block)
    while let element = try? decoder.next() {
      switch element {
      case .header(let header): self.header = self.header ?? header
      case .record(let record):
        if case .lost(let count) = record.content {
          let (sum, isTooMuch) = lost.addingReportingOverflow(count ?? 1)
          lost = isTooMuch ? .max : sum
        }
        if case .note(.ended(let end)) = record.content { self.end = end }
      }
    }
  }
}

extension [UInt8] {
  /// The number of four octets here, the lowest first.
  fileprivate func number(at index: Int) -> UInt32 {
    UInt32(self[index]) | UInt32(self[index + 1]) << 8 | UInt32(self[index + 2]) << 16
      | UInt32(self[index + 3]) << 24
  }
}

extension SessionTally {
  /// Looks at the last octets of a session, the more of them the better, for when the last message was
  /// received and how it ended: each block has its length at its end as well. What is cut off there is
  /// found to be none.
  package static func tail(_ bytes: [UInt8]) -> (last: UInt64?, end: RecordingEnd?) {
    var ending = bytes.count
    var end: RecordingEnd?
    while true {
      guard ending >= 12 else { break }
      let length = Int(bytes.number(at: ending - 4))
      let start = ending - length
      guard length >= 12, length % 4 == 0, start >= 0, bytes.number(at: start + 4) == length else {
        break
      }
      if bytes.number(at: start) == packetBlocks, length > looked {
        let incoming = packet(bytes, at: start)
        if incoming.isEvent { return (incoming.time, end) }
      }
      if bytes.number(at: start) == noteBlocks, end == nil, length < 4096 {
        end = note(in: Array(bytes[start..<ending]))
      }
      ending = start
    }
    return (nil, end)
  }

  /// The end that a statistics block tells, whose interface nobody needs to know.
  private static func note(in block: [UInt8]) -> RecordingEnd? {
    var tally = SessionTally()
    tally.take(SessionFile.anyBeginning)
    tally.take(block)
    return tally.end
  }
}
