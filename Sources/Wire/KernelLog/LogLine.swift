// Lines of the kernel log about packets, as net/netfilter/nf_log_syslog.c of Linux writes them:
//
//   PREFIX IN=eth0 OUT= MAC=… SRC=… DST=… LEN=84 TOS=0x00 PREC=0x00 TTL=64 ID=1 DF PROTO=ICMP …
//   PREFIX IN=eth0 OUT= MAC=… SRC=… DST=… LEN=104 TC=0 HOPLIMIT=64 FLOWLBL=1 PROTO=ICMPv6 …

/// One packet seen at one rule, as a rule that logs to the kernel log tells it.
package struct LogLine: Sendable, Equatable {
  /// The rule's prefix, with all that stands before "IN=".
  package var prefix: String
  /// Name of the input interface; nil where the hook has none.
  package var inDevice: String?
  /// Name of the output interface; nil where the hook has none.
  package var outDevice: String?
  /// Name of the bridge port it came in through.
  package var physicalInDevice: String?
  /// Name of the bridge port it leaves through.
  package var physicalOutDevice: String?
  /// The packet's headers. What no line tells is left at its zero: checksums, the lowest bit of
  /// the type of service, TCP's sequence numbers unless `hasSequence`. Payload is none; that of an
  /// ICMP error is the quoted packet, as far as it is told.
  package var packet: Packet
  /// IPv6's flow label.
  package var flowLabel: UInt32?
  /// Whether TCP's sequence and acknowledgment are told.
  package var hasSequence = false
  /// The packet mark; nil where the line has none: it is 0, or the kernel left it out, as it does
  /// where the packet has its link header already.
  package var mark: UInt32?
  /// User id of the local socket's owner, if it was asked for.
  package var uid: UInt32?
  /// Group id of the same.
  package var gid: UInt32?

  /// The prefix of a line; nil where it is none about a packet, or one that is cut off before it
  /// says so.
  package static func prefix(of text: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
    var index = text.startIndex
    while index + 3 <= text.endIndex {
      // Behind a prefix without an end of its own, "IN=" follows anything.
      if text[index] == UInt8(ascii: "I"), text[index + 1] == UInt8(ascii: "N"),
        text[index + 2] == UInt8(ascii: "=")
      {
        return text[..<index]
      }
      index += 1
    }
    return nil
  }

  /// The line of this text, which begins with the prefix. Throws with the octet's offset where it
  /// does not go on as the kernel would have written it.
  package init(_ text: some Collection<UInt8>) throws(WireError) {
    let text = ArraySlice(text)
    guard let prefix = Self.prefix(of: text) else { throw WireError("no IN=", at: text.count) }
    var words = LogWords(text, from: prefix.count)
    self.prefix = String(decoding: prefix, as: UTF8.self)
    inDevice = try words.name("IN")
    outDevice = try words.name("OUT")
    if words.has("PHYSIN") { physicalInDevice = try words.name("PHYSIN") }
    if words.has("PHYSOUT") { physicalOutDevice = try words.name("PHYSOUT") }
    words.skipUntil("SRC")
    packet = try words.packet()
    flowLabel = words.flowLabel
    hasSequence = words.hasSequence
    while let word = words.next() {
      switch word.key {
      case "MARK": mark = try word.hexadecimal()
      case "UID": uid = try word.decimal()
      case "GID": gid = try word.decimal()
      case "IN", "SRC", "DST", "PROTO":
        throw WireError("another line begins in it", at: word.offset)
      default: break  // What later kernels may add.
      }
    }
  }
}

/// The words of a line one by one: "KEY=VALUE", "FRAG:185", or a flag.
private struct LogWords {
  private var cursor: TextCursor
  private var upcoming: Word?
  /// Whether what is read is quoted by an error: the kernel does not quote what that quotes.
  private var isQuoted = false
  private(set) var flowLabel: UInt32?
  private(set) var hasSequence = false

  struct Word {
    var key: String
    var value: ArraySlice<UInt8>
    /// Octets from the start of the line.
    var offset: Int

    func decimal<T: FixedWidthInteger>() throws(WireError) -> T {
      guard let number = T(decimal: value) else { throw fault }
      return number
    }

    /// With or without "0x".
    func hexadecimal<T: FixedWidthInteger>() throws(WireError) -> T {
      let digits = value.starts(with: Array("0x".utf8)) ? value.dropFirst(2) : value
      guard let number = T(hexadecimal: digits) else { throw fault }
      return number
    }

    func address() throws(WireError) -> IPAddress {
      if let address = dotted ?? spelledOut { return address }
      guard let address = IPAddress(String(decoding: value, as: UTF8.self)) else { throw fault }
      return address
    }

    /// IPv6 as the kernel writes it here: all eight groups of all four digits.
    private var spelledOut: IPAddress? {
      guard value.count == 39 else { return nil }
      var address: UInt128 = 0
      for (index, octet) in value.enumerated() {
        switch (octet, index % 5 == 4) {
        case (UInt8(ascii: ":"), true): continue
        case (0x30...0x39, false): address = address << 4 | UInt128(octet - 0x30)
        case (0x61...0x66, false): address = address << 4 | UInt128(octet - 0x57)
        default: return nil
        }
      }
      return .v6(address)
    }

    /// Four decimal numbers: every line has two addresses, which are to be read fast.
    private var dotted: IPAddress? {
      var cursor = TextCursor(value)
      var address: UInt32 = 0
      for index in 0..<4 {
        guard index == 0 || cursor.skip("."), let part = cursor.number(), part < 256 else {
          return nil
        }
        address = address << 8 | UInt32(part)
      }
      return cursor.isAtEnd ? .v4(address) : nil
    }

    private var fault: WireError {
      WireError("\(key) is '\(String(decoding: value, as: UTF8.self))'", at: offset)
    }
  }

  init(_ text: ArraySlice<UInt8>, from start: Int) {
    cursor = TextCursor(text)
    cursor.skip(start)
    advance()
  }

  private mutating func advance() {
    cursor.skipSpaces()
    guard !cursor.isAtEnd else {
      upcoming = nil
      return
    }
    let offset = cursor.offset
    let word = cursor.word()
    let end = word.firstIndex { $0 == UInt8(ascii: "=") || $0 == UInt8(ascii: ":") }
    upcoming = Word(
      key: String(decoding: word[..<(end ?? word.endIndex)], as: UTF8.self),
      value: end.map { word[($0 + 1)...] } ?? [], offset: offset)
  }

  mutating func next() -> Word? {
    defer { if upcoming != nil { advance() } }
    return upcoming
  }

  func has(_ key: String) -> Bool { upcoming?.key == key }

  /// Reads a word if it is the one that is next.
  mutating func skip(_ key: String) -> Bool {
    guard has(key) else { return false }
    advance()
    return true
  }

  mutating func need(_ key: String) throws(WireError) -> Word {
    guard let word = upcoming, word.key == key else {
      throw WireError(
        upcoming.map { "'\($0.key)' where \(key) belongs" } ?? "cut off before \(key)",
        at: upcoming?.offset ?? cursor.offset)
    }
    advance()
    return word
  }

  /// The name of an interface; nil where there is none.
  mutating func name(_ key: String) throws(WireError) -> String? {
    let word = try need(key)
    return word.value.isEmpty ? nil : String(decoding: word.value, as: UTF8.self)
  }

  /// Passes over the link layer's words.
  mutating func skipUntil(_ key: String) {
    while let word = upcoming, word.key != key { advance() }
  }

  /// "OPT (0101…) ", and what IPv6 has in its place, which may have spaces.
  private mutating func skipOptions() {
    while skip("OPT") {
      while let word = upcoming {
        advance()
        if word.key.hasSuffix(")") { break }
      }
    }
  }

  mutating func packet() throws(WireError) -> Packet {
    let source = try need("SRC").address()
    let destination = try need("DST").address()
    var packet = Packet(
      source: source, destination: destination, proto: IPProtocol(rawValue: 0), transport: .absent)
    let length: UInt32 = try need("LEN").decimal()
    packet.length = Int(length)
    if source.family == 4 { try version4(&packet) } else { try version6(&packet) }
    guard source.family == destination.family else {
      throw WireError("SRC and DST of different IP versions", at: cursor.offset)
    }
    try transport(&packet)
    return packet
  }

  private mutating func version4(_ packet: inout Packet) throws(WireError) {
    let service: UInt8 = try need("TOS").hexadecimal()
    let precedence: UInt8 = try need("PREC").hexadecimal()
    packet.tos = service | precedence
    packet.ttl = try need("TTL").decimal()
    let identification: UInt16 = try need("ID").decimal()
    packet.identification = identification
    _ = skip("CE")
    packet.dontFragment = skip("DF")
    let more = skip("MF")
    // In units of eight octets, as in the header.
    let units: UInt16 = has("FRAG") ? try need("FRAG").decimal() : 0
    if more || units > 0 {
      packet.fragment = Packet.Fragment(
        identification: UInt32(identification), offset: Int(units) * 8, more: more)
    }
    skipOptions()
  }

  private mutating func version6(_ packet: inout Packet) throws(WireError) {
    packet.dontFragment = true
    packet.tos = try need("TC").decimal()
    packet.ttl = try need("HOPLIMIT").decimal()
    let label: UInt32 = try need("FLOWLBL").decimal()
    if !isQuoted { flowLabel = label }
    skipOptions()
    guard has("FRAG") else { return }
    // In octets.
    let offset: UInt16 = try need("FRAG").decimal()
    let more = skip("INCOMPLETE")
    packet.fragment = Packet.Fragment(
      identification: try need("ID").hexadecimal(), offset: Int(offset), more: more)
    skipOptions()
  }

  private mutating func transport(_ packet: inout Packet) throws(WireError) {
    let word = try need("PROTO")
    let name = String(decoding: word.value, as: UTF8.self)
    switch name {
    case "TCP": packet.proto = .tcp
    case "UDP": packet.proto = .udp
    case "UDPLITE": packet.proto = IPProtocol(rawValue: 136)
    case "ICMP": packet.proto = .icmp
    case "ICMPv6": packet.proto = .icmpv6
    case "AH": packet.proto = IPProtocol(rawValue: 51)
    case "ESP": packet.proto = IPProtocol(rawValue: 50)
    default: packet.proto = IPProtocol(rawValue: try word.decimal())
    }
    // Only the first fragment has the header; the kernel says so where a packet is too short for it.
    if packet.fragment.map({ $0.offset > 0 }) == true || has("INCOMPLETE") {
      passIncomplete()
      return
    }
    switch packet.proto {
    case .tcp: packet.transport = .tcp(try tcp())
    case .udp:
      packet.transport = .udp(try udp())
    case .icmp, .icmpv6: try icmp(&packet)
    case IPProtocol(rawValue: 136): _ = try udp()
    default: packet.transport = .other
    }
  }

  /// "INCOMPLETE [25 bytes]".
  private mutating func passIncomplete() {
    guard skip("INCOMPLETE") else { return }
    advance()
    advance()
  }

  private mutating func tcp() throws(WireError) -> TCPHeader {
    var header = TCPHeader(
      sourcePort: try need("SPT").decimal(), destinationPort: try need("DPT").decimal(),
      sequence: 0, flags: [])
    if has("SEQ") {
      if !isQuoted { hasSequence = true }
      header.sequence = try need("SEQ").decimal()
      header.acknowledgment = try need("ACK").decimal()
    }
    header.window = try need("WINDOW").decimal()
    _ = try need("RES")
    // CWR, ECE and URG have no names of their own in `Flags`; AE is in another octet.
    let flags: [(String, UInt8)] = [
      ("AE", 0), ("CWR", 128), ("ECE", 64), ("URG", 32), ("ACK", 16), ("PSH", 8), ("RST", 4),
      ("SYN", 2), ("FIN", 1),
    ]
    var octet: UInt8 = 0
    for (name, bit) in flags where skip(name) { octet |= bit }
    header.flags = TCPHeader.Flags(rawValue: octet)
    _ = try need("URGP")
    skipOptions()
    return header
  }

  private mutating func udp() throws(WireError) -> UDPHeader {
    let header = UDPHeader(
      sourcePort: try need("SPT").decimal(), destinationPort: try need("DPT").decimal())
    _ = try need("LEN")
    return header
  }

  private mutating func icmp(_ packet: inout Packet) throws(WireError) {
    var header = ICMPHeader(
      type: try need("TYPE").decimal(), code: try need("CODE").decimal())
    defer { packet.transport = .icmp(header) }
    if has("INCOMPLETE") {
      passIncomplete()
      return
    }
    if header.isEchoRequest(packet.proto) || header.isEchoReply(packet.proto) {
      let identifier: UInt16 = try need("ID").decimal()
      let sequence: UInt16 = try need("SEQ").decimal()
      header.rest = UInt32(identifier) << 16 | UInt32(sequence)
      return
    }
    if has("PARAMETER") {
      let octet: UInt8 = try need("PARAMETER").decimal()
      header.rest = UInt32(octet) << 24
    }
    if has("POINTER") { header.rest = try need("POINTER").hexadecimal() }
    if has("GATEWAY") {
      if case .v4(let gateway) = try need("GATEWAY").address() { header.rest = gateway }
    }
    if has("[SRC"), !isQuoted { packet.payload = try quotation() }
    if has("MTU") { header.rest = try need("MTU").decimal() }
  }

  /// "[SRC=… ] ": the packet that an error quotes, as octets.
  private mutating func quotation() throws(WireError) -> [UInt8] {
    upcoming?.key = "SRC"
    isQuoted = true
    defer { isQuoted = false }
    let packet = try packet()
    _ = try need("]")
    return packet.bytes
  }
}
