// pcapng, read: https://datatracker.ietf.org/doc/html/draft-ietf-opsawg-pcapng
// PcapNG.swift draws the blocks.

/// What must be remembered of a pcapng file from block to block.
struct PcapNGReader: Sendable {
  private var order = ByteOrder.little
  private var interfaces: [Interface] = []
  /// Whether comments of packets are read: there may be one with each, which nobody looks at.
  var readsComments = true

  /// Interfaces that a section may have: a bound on what has to be remembered.
  static let maximumInterfaces = 65536

  private struct Interface: Sendable {
    let snapLength: UInt32
    var unitsPerSecond: UInt64 = 1_000_000
    /// Seconds to add to each time (if_tsoffset).
    var secondsOffset: Int64 = 0
  }

  /// Octets of the block that `reader` is at; nil if too few are there to tell.
  @_lifetime(reader: copy reader)
  mutating func frame(_ reader: inout ByteReader) throws(WireError) -> Int? {
    guard reader.remaining >= PcapNG.frameLength else { return nil }
    let start = reader.offset
    let type: UInt32 = try reader.integer(order)
    if type == PcapNG.sectionHeader {
      var magic = reader
      try magic.skip(4)
      switch try magic.u32() {
      case PcapNG.byteOrderMagic: order = .big
      case PcapNG.byteOrderMagic.byteSwapped: order = .little
      default: throw WireError("the byte-order magic is none", at: start + 8)
      }
    }
    let length: UInt32 = try reader.integer(order)
    guard length >= PcapNG.frameLength, length % 4 == 0 else {
      throw WireError("block length \(length) is impossible", at: start + 4)
    }
    guard length <= PcapNG.maximumBlockLength else {
      throw WireError("a block of \(length) octets is longer than 16 MiB", at: start + 4)
    }
    return Int(length)
  }

  /// The block of which `reader` holds all octets and no more.
  @_lifetime(reader: copy reader)
  mutating func block(
    _ reader: inout ByteReader, of bytes: [UInt8]
  ) throws(WireError) -> CaptureBlock {
    let type: UInt32 = try reader.integer(order)
    let length: UInt32 = try reader.integer(order)
    var body = try reader.slice(reader.remaining - 4)
    let end = reader.offset
    guard try reader.integer(order) == length else {
      throw WireError("the block's two lengths differ", at: end)
    }
    switch type {
    case PcapNG.sectionHeader: return .section(try section(&body))
    case PcapNG.interfaceDescription: return .interface(try interface(&body))
    case PcapNG.enhancedPacket: return .packet(try enhancedPacket(&body, of: bytes))
    case PcapNG.simplePacket: return .packet(try simplePacket(&body, of: bytes))
    case PcapNG.interfaceStatistics: return .statistics(try statistics(&body))
    default: return .unknown(type: type)
    }
  }

  @_lifetime(body: copy body)
  private mutating func section(_ body: inout ByteReader) throws(WireError) -> CaptureSection {
    try body.skip(4)
    let at = body.offset
    let major: UInt16 = try body.integer(order)
    let minor: UInt16 = try body.integer(order)
    guard major == 1 else {
      throw WireError("pcapng version \(major).\(minor) is not known", at: at)
    }
    // The section's length: often -1, sometimes wrong, and not needed.
    try body.skip(8)
    var section = CaptureSection()
    var comments = CommentReader()
    while let option = try body.option(order) {
      var value = try body.value(of: option)
      switch option.code {
      case PcapNG.Option.comment: comments.add(value.rest())
      case PcapNG.Option.hardware: section.hardware = value.text()
      case PcapNG.Option.os: section.os = value.text()
      case PcapNG.Option.application: section.application = value.text()
      default: break
      }
    }
    section.comments = comments.all
    interfaces.removeAll()
    return section
  }

  @_lifetime(body: copy body)
  private mutating func interface(_ body: inout ByteReader) throws(WireError) -> CaptureInterface {
    guard interfaces.count < Self.maximumInterfaces else {
      throw WireError("more than \(Self.maximumInterfaces) interfaces", at: body.offset)
    }
    let linkType = LinkType(rawValue: try body.integer(order))
    try body.skip(2)
    var state = Interface(snapLength: try body.integer(order))
    var interface = CaptureInterface(linkType: linkType, snapLength: state.snapLength)
    var comments = CommentReader()
    while let option = try body.option(order) {
      var value = try body.value(of: option)
      switch option.code {
      case PcapNG.Option.comment: comments.add(value.rest())
      case PcapNG.Option.interfaceName: interface.name = value.text()
      case PcapNG.Option.interfaceDescription: interface.description = value.text()
      case PcapNG.Option.timeResolution:
        state.unitsPerSecond = try unitsPerSecond(try value.u8(), at: value.offset - 1)
      case PcapNG.Option.timeOffset:
        state.secondsOffset = Int64(bitPattern: try value.integer(order))
      default: break
      }
    }
    interface.unitsPerSecond = state.unitsPerSecond
    interface.comment = comments.joined
    interfaces.append(state)
    return interface
  }

  /// Section 4.2, if_tsresol: a negative power of 10, or of 2 if the first bit is set.
  private func unitsPerSecond(_ resolution: UInt8, at offset: Int) throws(WireError) -> UInt64 {
    let exponent = Int(resolution & 0x7f)
    if resolution & 0x80 != 0, exponent < 64 { return 1 << UInt64(exponent) }
    if resolution & 0x80 == 0, exponent < 20 {
      return (0..<exponent).reduce(1) { power, _ in power * 10 }
    }
    throw WireError("time resolution \(resolution) is too fine", at: offset)
  }

  @_lifetime(body: copy body)
  private func enhancedPacket(
    _ body: inout ByteReader, of bytes: [UInt8]
  ) throws(WireError) -> CapturedPacket {
    let index = try interfaceIndex(&body)
    let time = try time(&body, of: interfaces[index])
    let captured: UInt32 = try body.integer(order)
    let original: UInt32 = try body.integer(order)
    var packet = CapturedPacket(
      interface: index, time: time, data: try body.take(Int(captured), of: bytes),
      originalLength: Int(original))
    try body.skip(padding(Int(captured)))
    if body.isAtEnd { return packet }
    if !readsComments {
      while let option = try body.option(order) {
        var value = try body.value(of: option)
        if option.code == PcapNG.Option.packetFlags {
          let flags: UInt32 = try value.integer(order)
          packet.direction = CaptureDirection(rawValue: flags & 3)
        }
      }
      return packet
    }
    var comments = CommentReader()
    while let option = try body.option(order) {
      var value = try body.value(of: option)
      switch option.code {
      case PcapNG.Option.comment: comments.add(value.rest())
      case PcapNG.Option.packetFlags:
        let flags: UInt32 = try value.integer(order)
        packet.direction = CaptureDirection(rawValue: flags & 3)
      default: break
      }
    }
    packet.comment = comments.joined
    return packet
  }

  /// What is in the enhanced packet block of which `reader` holds all octets; nil for another block, and for one that is
  /// damaged.
  @_lifetime(reader: copy reader)
  func packet(in reader: inout ByteReader) -> PacketInFile? {
    do {
      let type: UInt32 = try reader.integer(order)
      guard type == PcapNG.enhancedPacket else { return nil }
      let length: UInt32 = try reader.integer(order)
      var body = try reader.slice(reader.remaining - 4)
      guard try reader.integer(order) == length else { return nil }
      let index = try interfaceIndex(&body)
      let time = try time(&body, of: interfaces[index])
      let captured: UInt32 = try body.integer(order)
      try body.skip(4)
      let first = body.offset
      try body.skip(Int(captured) + padding(Int(captured)))
      return PacketInFile(interface: index, time: time, octets: first..<first + Int(captured))
    } catch {
      return nil
    }
  }

  // Simple Packet Block, section 4.4: no time, and the snap length alone tells data from padding.
  //
  //  +---------------------------------------------------------------+
  //  |                        octets on the wire                     |
  //  +---------------------------------------------------------------+
  //  |                   data, padded to four octets                 |
  //  +---------------------------------------------------------------+
  @_lifetime(body: copy body)
  private func simplePacket(
    _ body: inout ByteReader, of bytes: [UInt8]
  ) throws(WireError) -> CapturedPacket {
    guard let interface = interfaces.first else {
      throw WireError("a packet before any interface", at: body.offset)
    }
    let original: UInt32 = try body.integer(order)
    let captured = interface.snapLength == 0 ? original : min(original, interface.snapLength)
    return CapturedPacket(
      interface: 0, time: 0, data: try body.take(Int(captured), of: bytes),
      originalLength: Int(original))
  }

  @_lifetime(body: copy body)
  private func statistics(_ body: inout ByteReader) throws(WireError) -> CaptureStatistics {
    let index = try interfaceIndex(&body)
    var statistics = CaptureStatistics(
      interface: index, time: try time(&body, of: interfaces[index]))
    var comments = CommentReader()
    while let option = try body.option(order) {
      var value = try body.value(of: option)
      switch option.code {
      case PcapNG.Option.comment: comments.add(value.rest())
      case PcapNG.Option.received: statistics.received = try value.integer(order)
      case PcapNG.Option.dropped: statistics.dropped = try value.integer(order)
      default: break
      }
    }
    statistics.comment = comments.joined
    return statistics
  }

  @_lifetime(body: copy body)
  private func interfaceIndex(_ body: inout ByteReader) throws(WireError) -> Int {
    let index: UInt32 = try body.integer(order)
    guard index < interfaces.count else {
      throw WireError(
        "interface \(index) of \(interfaces.count) described so far", at: body.offset - 4)
    }
    return Int(index)
  }

  /// A time in nanoseconds since 1970, from one in the interface's units.
  @_lifetime(body: copy body)
  private func time(
    _ body: inout ByteReader, of interface: Interface
  ) throws(WireError) -> UInt64 {
    let at = body.offset
    let upper: UInt32 = try body.integer(order)
    let lower: UInt32 = try body.integer(order)
    let units = UInt64(upper) << 32 | UInt64(lower)
    let second: UInt64 = 1_000_000_000
    if interface.unitsPerSecond == second, interface.secondsOffset == 0 { return units }
    // Neither product comes near 128 bits.
    let nanoseconds = Int128(units) * Int128(second) / Int128(interface.unitsPerSecond)
    let shifted = nanoseconds + Int128(interface.secondsOffset) * Int128(second)
    guard let time = UInt64(exactly: shifted) else {
      throw WireError("a time that is not between 1970 and 2554", at: at)
    }
    return time
  }
}

/// Comment options of one block, those that were cut put together again.
private struct CommentReader {
  private var texts: [[UInt8]] = []
  private var isContinued = false

  mutating func add(_ text: [UInt8]) {
    if isContinued {
      texts[texts.count - 1] += text
    } else {
      texts.append(text)
    }
    isContinued = PcapNG.isContinued(text.count)
  }

  var all: [String] { texts.map { String(decoding: $0, as: UTF8.self) } }

  var joined: String? { texts.isEmpty ? nil : all.joined(separator: "\n") }
}

private struct OptionHeader {
  let code: UInt16
  let length: UInt16
}

private func padding(_ length: Int) -> Int { (4 - length % 4) % 4 }

extension ByteReader {
  /// The header of the next option; nil after the last one.
  @_lifetime(self: copy self)
  fileprivate mutating func option(_ order: ByteOrder) throws(WireError) -> OptionHeader? {
    if isAtEnd { return nil }
    let option = OptionHeader(code: try integer(order), length: try integer(order))
    return option.code == PcapNG.Option.end ? nil : option
  }

  /// A reader of the value of the option whose header was just read; this one moves past it.
  @_lifetime(copy self)
  @_lifetime(self: copy self)
  fileprivate mutating func value(of option: OptionHeader) throws(WireError) -> ByteReader {
    let value = try slice(Int(option.length))
    try skip(padding(Int(option.length)))
    return value
  }

  /// All that is left, as text. Octets that are no UTF-8 are replaced.
  @_lifetime(self: copy self)
  fileprivate mutating func text() -> String { String(decoding: rest(), as: UTF8.self) }
}
