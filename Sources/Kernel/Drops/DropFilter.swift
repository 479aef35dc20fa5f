package import Trace
package import Wire

/// Whose drops are wanted. A packet passes that has the nonce or one of the addresses; when neither
/// is given, every IP packet of the namespace does.
package struct DropFilter: Sendable, Equatable {
  /// Eight octets, as a number in network order, somewhere behind the packet's IP header: that of
  /// every probe. An ICMP error that quotes enough of a probe has it, too.
  package var nonce: UInt64?
  /// Prefixes of which the packet's source or destination is to be one. It is a test a prefix and
  /// dropped packet, in the kernel: meant for a few.
  package var prefixes: [Prefix]
  /// What passes in other network namespaces of the machine, besides what has the nonce; nil where
  /// what they drop is not wanted. Addresses tell nothing there: others may have the same.
  package var elsewhere: Marks?

  /// Numbers in the headers of packets, which nobody else's have.
  package struct Marks: Sendable, Equatable {
    /// 4 or 6.
    package var version: Int
    /// Each of fields of 32 bits behind the IP header.
    package var marks: [ProbeMark]
  }

  /// A filter for this nonce, and these prefixes.
  package init(nonce: UInt64? = nil, prefixes: [Prefix] = []) {
    self.nonce = nonce
    self.prefixes = prefixes
  }

  /// A filter for these probes and what answers them. Where answers have no nonce, all passes that has
  /// one of the probes' addresses.
  /// `everywhere` is whether those that other network namespaces drop are wanted, too.
  package init(_ plan: ProbePlan, everywhere: Bool = false) {
    let addresses =
      plan.proto.kind.carriesNonce
      ? [] : plan.entrance == .tun ? [plan.source, plan.destination] : [plan.destination]
    self.init(nonce: plan.alignedMark, prefixes: addresses.map { Prefix($0) })
    if everywhere {
      elsewhere = Marks(version: plan.version, marks: plan.proto.kind.numbers(plan))
    }
  }

  /// Whether everything passes.
  package var isEmpty: Bool { nonce == nil && prefixes.isEmpty }

  /// More prefixes than this would make the program longer than a kernel takes.
  static let maximumPrefixes = 128
}

extension DropFilter {
  /// Where IPv4 and IPv6 keep the addresses: RFC 791 section 3.1, RFC 8200 section 3. In octets.
  private static func addressOffsets(_ family: Int) -> [Int] { family == 4 ? [12, 16] : [8, 24] }

  /// The shortest header before a nonce: IPv4's 20 octets, for protocols without one of their own.
  private static let firstNonce = 20

  /// Writes the test: goes on behind it if the packet passes, and to `refused` if not. The packet's
  /// first `count` octets lie at `packet` from the end of the stack, zeros behind the packet's end.
  /// Uses r1.
  func write(
    into program: inout BPFAssembler, packet: Int, count: Int, refused: BPFAssembler.Label
  ) {
    let passed = program.label()
    writeWhole(into: &program, packet: packet, count: count, passed: passed, refused: refused)
    program.place(passed)
  }

  /// The same of a packet in another network namespace.
  func writeElsewhere(
    into program: inout BPFAssembler, packet: Int, count: Int, refused: BPFAssembler.Label
  ) {
    let passed = program.label()
    writeNonce(into: &program, packet: packet, count: count, passed: passed)
    writeMarks(into: &program, packet: packet, count: count, passed: passed)
    program.jump(to: refused)
    program.place(passed)
  }

  private func writeWhole(
    into program: inout BPFAssembler, packet: Int, count: Int, passed: BPFAssembler.Label,
    refused: BPFAssembler.Label
  ) {
    let version6 = program.label()
    let isVersion6 = program.label()
    let addressesDone = program.label()
    program.load(.u8, .r1, .stackEnd, packet)
    program.operate(.shiftRight, .r1, 4)
    program.jump32(.r1, .notEqual, 4, to: version6)
    writePrefixes(4, into: &program, packet: packet, passed: passed)
    program.jump(to: addressesDone)
    program.place(version6)
    program.jump32(.r1, .equal, 6, to: isVersion6)
    program.jump(to: refused)
    program.place(isVersion6)
    writePrefixes(6, into: &program, packet: packet, passed: passed)
    program.place(addressesDone)
    writeNonce(into: &program, packet: packet, count: count, passed: passed)
    if !isEmpty { program.jump(to: refused) }
  }

  private func writeNonce(
    into program: inout BPFAssembler, packet: Int, count: Int, passed: BPFAssembler.Label
  ) {
    guard let nonce else { return }
    // All headers before it are of a multiple of four octets. The stack is read four octets at a
    // time: eight need an address that is a multiple of eight.
    let words = Self.words(UInt128(nonce) << 64)
    for offset in stride(from: Self.firstNonce, through: count - 8, by: 4) {
      let next = program.label()
      program.load(.u32, .r1, .stackEnd, packet + offset)
      program.jump32(.r1, .notEqual, words[0], to: next)
      program.load(.u32, .r1, .stackEnd, packet + offset + 4)
      program.jump32(.r1, .equal, words[1], to: passed)
      program.place(next)
    }
  }

  /// The test for numbers in headers. IPv4's options and IPv6's extension headers no probe has.
  private func writeMarks(
    into program: inout BPFAssembler, packet: Int, count: Int, passed: BPFAssembler.Label
  ) {
    guard let elsewhere else { return }
    let isVersion4 = elsewhere.version == 4
    let (transport, proto) = isVersion4 ? (20, 9) : (40, 6)
    for mark in elsewhere.marks {
      let next = program.label()
      program.load(.u8, .r1, .stackEnd, packet)
      if !isVersion4 { program.operate(.shiftRight, .r1, 4) }
      program.jump32(.r1, .notEqual, isVersion4 ? 0x45 : 6, to: next)
      program.load(.u8, .r1, .stackEnd, packet + proto)
      program.jump32(.r1, .notEqual, UInt32(mark.proto.rawValue), to: next)
      for field in mark.fields where transport + Int(field.offset) + 4 <= count {
        program.load(.u32, .r1, .stackEnd, packet + transport + Int(field.offset))
        program.swap32(.r1)
        program.jump32(.r1, .less, Self.number(field.least), to: next)
        program.jump32(.r1, .greater, Self.number(field.most), to: next)
      }
      program.jump(to: passed)
      program.place(next)
    }
  }

  private static func number(_ octets: [UInt8]) -> UInt32 {
    octets.reduce(0) { $0 << 8 | UInt32($1) }
  }

  private func writePrefixes(
    _ family: Int, into program: inout BPFAssembler, packet: Int, passed: BPFAssembler.Label
  ) {
    for prefix in prefixes where prefix.address.family == family {
      guard prefix.length > 0 else {
        // All of them. The verifier refuses what cannot be reached, so no jump may be without a
        // condition here; the octet has the IP version in it.
        program.load(.u8, .r1, .stackEnd, packet)
        program.jump32(.r1, .notEqual, 0, to: passed)
        continue
      }
      let ones = UInt128.max << UInt128(128 - prefix.length)
      let masks = Self.words(ones)
      let values =
        switch prefix.first {
        case .v4(let value): Self.words(UInt128(value) << 96)
        case .v6(let value): Self.words(value)
        }
      for start in Self.addressOffsets(family) {
        let next = program.label()
        for (index, mask) in masks.enumerated() where mask != 0 {
          program.load(.u32, .r1, .stackEnd, packet + start + 4 * index)
          if mask != .max { program.and32(.r1, mask) }
          program.jump32(.r1, .notEqual, values[index], to: next)
        }
        program.jump(to: passed)
        program.place(next)
      }
    }
  }

  /// Sixteen octets in network order as the four numbers a load of 32 bits finds there, on a machine
  /// that has the least significant octet first.
  private static func words(_ value: UInt128) -> [UInt32] {
    [96, 64, 32, 0].map { UInt32(truncatingIfNeeded: value >> UInt128($0)).byteSwapped }
  }
}
