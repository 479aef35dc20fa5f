/// Reads a capture file as it comes, pcapng or classic pcap, in either byte order.
///
///     var decoder = CaptureDecoder()
///     while let bytes = try file.read() {
///       decoder.feed(bytes)
///       while let block = try decoder.next() { … }
///     }
///     try decoder.finish()
///
/// What is kept in memory is what was fed and not yet asked for, at least one block of 16 MiB at
/// most. A classic file reads as one section with one interface. Any octets can be fed: what is
/// wrong is thrown, and thrown again by every later call.
package struct CaptureDecoder: Sendable {
  private enum Format {
    case undecided
    case pcapng
    case pcap
  }

  private var format = Format.undecided
  private var pcapng = PcapNGReader()
  private var pcap = PcapReader()
  /// A block that is to be given out before any octet is read.
  private var pending: CaptureBlock?
  private var damage: CaptureDamage?
  /// Whether what it begins with is a compressed file's.
  private var isCompressed = false

  private var buffer: [UInt8] = []
  /// Octets of `buffer` that are done with.
  private var used = 0
  /// Octets of the file before `buffer`.
  private var dropped = 0

  /// A decoder at the start of a file.
  package init() {}

  /// Octets from the start of the file to the block that `next` decodes next.
  package var offset: Int { dropped + used }

  /// Takes the file's next octets, any number of them.
  package mutating func feed(_ bytes: [UInt8]) {
    if damage != nil { return }
    // Moving what is left only when it is the smaller part keeps the cost of an octet constant.
    if used * 2 >= buffer.count {
      dropped += used
      buffer.removeSubrange(..<used)
      used = 0
    }
    buffer.append(contentsOf: bytes)
  }

  /// The next block, or nil if it takes more octets to decode it.
  package mutating func next() throws(CaptureDamage) -> CaptureBlock? {
    if let damage { throw damage }
    if let block = pending {
      pending = nil
      return block
    }
    do throws(WireError) {
      if format == .undecided { try decideFormat() }
      switch format {
      case .undecided: return nil
      case .pcapng: return try nextPcapNG()
      case .pcap: return try nextPcap()
      }
    } catch {
      let kind: CaptureDamage.Kind =
        isCompressed ? .compressed : format == .undecided ? .notACapture : .malformed
      throw remember(CaptureDamage(kind, reason(error), at: offset))
    }
  }

  /// Whether the comments of packets are read.
  package var readsComments: Bool {
    get { pcapng.readsComments }
    set { pcapng.readsComments = newValue }
  }

  /// Moves past the packets that come next, as long as `take`, which gets the octets that they are in, wants no more of
  /// them. Of a classic file, and of what is damaged, none: `next` tells of that.
  package mutating func pass(_ take: (PacketInFile, [UInt8]) -> Bool) {
    guard damage == nil, pending == nil, format == .pcapng else { return }
    let bytes = buffer
    var reader = ByteReader(bytes.span)
    guard (try? reader.skip(used)) != nil else { return }
    while true {
      var start = reader
      guard let length = try? pcapng.frame(&start), length <= reader.remaining,
        var whole = try? reader.slice(length), let packet = pcapng.packet(in: &whole),
        take(packet, bytes)
      else { return }
      used += length
    }
  }

  /// Says that the file has ended, after `next` returned nil. Throws if it ended inside a block.
  package mutating func finish() throws(CaptureDamage) {
    if let damage { throw damage }
    let left = buffer.count - used
    if format == .undecided, !Self.mayBegin(buffer.prefix(4)) {
      let reason = left == 0 ? "the file is empty" : Self.notACapture
      throw remember(CaptureDamage(.notACapture, reason, at: offset))
    }
    if left > 0 || format == .undecided {
      throw remember(
        CaptureDamage(.truncated, "the file ends \(left) octets into a block", at: offset))
    }
  }

  private mutating func remember(_ damage: CaptureDamage) -> CaptureDamage {
    self.damage = damage
    buffer = []
    return damage
  }

  private func reason(_ error: WireError) -> String {
    let inside = error.offset - used
    return inside == 0 ? error.reason : "\(error.reason), \(inside) octets into a block"
  }
}

extension CaptureDecoder {
  private static let notACapture = "neither a pcapng nor a pcap file"

  /// Whether a file that begins with these, at most four, octets may be a capture.
  private static func mayBegin(_ bytes: some Collection<UInt8>) -> Bool {
    let magics = [PcapNG.sectionHeader, PcapFile.microseconds, PcapFile.nanoseconds]
    return !bytes.isEmpty
      && magics.flatMap { [$0, $0.byteSwapped] }.contains { magic in
        var octets: [UInt8] = []
        octets.append(bigEndian: magic)
        return octets.starts(with: bytes)
      }
  }

  private mutating func decideFormat() throws(WireError) {
    var reader = ByteReader(buffer.span)
    guard reader.remaining >= 4 else { return }
    let magic = try reader.u32()
    if PcapReader.isMagic(magic) {
      format = .pcap
    } else if magic == PcapNG.sectionHeader {
      // Four line ends begin other files too: the byte-order magic must confirm them.
      guard reader.remaining >= 8 else { return }
      try reader.skip(4)
      let order = try reader.u32()
      guard order == PcapNG.byteOrderMagic || order.byteSwapped == PcapNG.byteOrderMagic else {
        throw WireError(Self.notACapture, at: 0)
      }
      format = .pcapng
    } else {
      let packer = Self.packers.first { magic & $0.mask == $0.magic }
      isCompressed = packer != nil
      throw WireError(packer?.name ?? Self.notACapture, at: 0)
    }
  }

  /// Programs that compress files, and what these begin with.
  private static let packers: [(name: String, mask: UInt32, magic: UInt32)] = [
    ("gzip", 0xffff_0000, 0x1f8b_0000), ("zstd", 0xffff_ffff, 0x28b5_2ffd),
    ("xz", 0xffff_ffff, 0xfd37_7a58), ("bzip2", 0xffff_ff00, 0x425a_6800),
    ("lz4", 0xffff_ffff, 0x0422_4d18),
  ]

  // A reader of `buffer` itself would forbid any change of `self` while it lives: hence `bytes`,
  // which shares the storage.

  private mutating func nextPcapNG() throws(WireError) -> CaptureBlock? {
    let bytes = buffer
    var reader = ByteReader(bytes.span)
    try reader.skip(used)
    var start = reader
    guard let length = try pcapng.frame(&start), length <= reader.remaining else { return nil }
    var whole = try reader.slice(length)
    let block = try pcapng.block(&whole, of: bytes)
    used += length
    return block
  }

  private mutating func nextPcap() throws(WireError) -> CaptureBlock? {
    let bytes = buffer
    var reader = ByteReader(bytes.span)
    try reader.skip(used)
    if offset == 0 {
      guard reader.remaining >= PcapFile.headerLength else { return nil }
      pending = .interface(try pcap.header(&reader))
      used += PcapFile.headerLength
      return .section(CaptureSection())
    }
    var start = reader
    guard let length = try pcap.frame(&start), length <= reader.remaining else { return nil }
    var whole = try reader.slice(length)
    let packet = try pcap.packet(&whole, of: bytes)
    used += length
    return .packet(packet)
  }
}

extension CaptureBlock {
  /// All blocks of the file `bytes`.
  package static func all(in bytes: [UInt8]) throws(CaptureDamage) -> [CaptureBlock] {
    var decoder = CaptureDecoder()
    decoder.feed(bytes)
    var blocks: [CaptureBlock] = []
    while let block = try decoder.next() { blocks.append(block) }
    try decoder.finish()
    return blocks
  }
}
