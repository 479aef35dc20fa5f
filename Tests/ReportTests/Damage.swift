import Wire

/// Damages recorded sessions, each time in the same way: random numbers of its own, from a seed.
struct Damage {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  /// SplitMix64.
  private mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var value = state
    value = (value ^ value >> 30) &* 0xbf58_476d_1ce4_e5b9
    value = (value ^ value >> 27) &* 0x94d0_49bb_1331_11eb
    return value ^ value >> 31
  }

  private mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(max(bound, 1))) }

  private static let extremes: [UInt64] = [
    0, 1, 0x7f, 0xff, 0x7fff, 0xffff, 0x7fff_ffff, 0xffff_ffff, 1 << 63, .max - 1, .max,
  ]

  /// A session of these octets with one to four kinds of damage.
  mutating func damaged(_ octets: [UInt8]) -> [UInt8] {
    var blocks = Self.blocks(octets)
    for _ in 0...below(4) {
      switch below(8) {
      case 0: flip(&blocks)
      case 1: blocks.swapAt(below(blocks.count), below(blocks.count))
      case 2: blocks.remove(at: below(blocks.count))
      case 3: blocks.insert(blocks[below(blocks.count)], at: below(blocks.count))
      case 4: setTimes(&blocks)
      case 5: setNumber(&blocks)
      case 6: setDigits(&blocks)
      default: reverse(&blocks)
      }
      if blocks.isEmpty { return [] }
    }
    let whole = Array(blocks.joined())
    return below(8) == 0 ? Array(whole.prefix(below(whole.count))) : whole
  }

  /// The blocks of a pcapng file of this machine's byte order.
  static func blocks(_ octets: [UInt8]) -> [[UInt8]] {
    var blocks: [[UInt8]] = []
    var rest = octets[...]
    while rest.count >= 12 {
      let length = rest.dropFirst(4).prefix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
      guard length >= 12 else { break }
      blocks.append(Array(rest.prefix(length)))
      rest = rest.dropFirst(length)
    }
    return blocks
  }

  private mutating func flip(_ blocks: inout [[UInt8]]) {
    for _ in 0...below(4) {
      let block = below(blocks.count)
      blocks[block][below(blocks[block].count)] ^= 1 << UInt8(below(8))
    }
  }

  /// The times of a few blocks, or of all: those of packets and statistics begin at the same place.
  private mutating func setTimes(_ blocks: inout [[UInt8]]) {
    let time = Self.extremes[below(Self.extremes.count)] &+ next() % 3
    let first = below(blocks.count)
    let last = below(2) == 0 ? min(first + below(4), blocks.count - 1) : blocks.count - 1
    for index in first...last { Self.set(time: time, of: &blocks[index]) }
  }

  static func set(time: UInt64, of block: inout [UInt8]) {
    guard block.count >= 20, block[0] == 5 || block[0] == 6 else { return }
    var octets: [UInt8] = []
    octets.append(littleEndian: UInt32(time >> 32))
    octets.append(littleEndian: UInt32(truncatingIfNeeded: time))
    block.replaceSubrange(12..<20, with: octets)
  }

  /// A number of one to eight octets behind a block's lengths, in either order.
  private mutating func setNumber(_ blocks: inout [[UInt8]]) {
    let block = below(blocks.count)
    let size = 1 << below(4)
    guard blocks[block].count > 12 + size else { return }
    let place = 8 + below(blocks[block].count - 12 - size)
    let number = Self.extremes[below(Self.extremes.count)]
    for index in 0..<size {
      blocks[block][place + index] = UInt8(truncatingIfNeeded: number >> UInt64(8 * index))
    }
  }

  /// Decimal digits of a header or a note.
  private mutating func setDigits(_ blocks: inout [[UInt8]]) {
    let candidates = blocks.indices.filter { blocks[$0].contains(0x7b) && blocks[$0][0] != 6 }
    guard !candidates.isEmpty else { return }
    let block = candidates[below(candidates.count)]
    let digits = blocks[block].indices.filter { 0x30...0x39 ~= blocks[block][$0] }
    guard !digits.isEmpty else { return }
    var place = digits[below(digits.count)]
    let digit = UInt8(ascii: "0") + UInt8([0, 9][below(2)])
    while place < blocks[block].count, 0x30...0x39 ~= blocks[block][place] {
      blocks[block][place] = digit
      place += 1
    }
  }

  /// The order of a few blocks.
  private mutating func reverse(_ blocks: inout [[UInt8]]) {
    let first = below(blocks.count)
    let last = min(first + below(8), blocks.count - 1)
    blocks[first...last].reverse()
  }
}
