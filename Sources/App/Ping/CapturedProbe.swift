import Kernel
package import Wire

/// A packet of a capture file, to be sent as a probe.
package struct CapturedProbe: Sendable {
  /// The IP packet, whole, with the right checksum of TCP or UDP.
  package let octets: [UInt8]
  /// The same, as far as tracing looks at it.
  package let packet: Packet

  /// The packet that `text` names: "FILE", the first of IP there is, or "FILE:N", the packet of this number, counted
  /// from 1 as Wireshark does. "-" is standard input. Throws where there is none that can be sent as it was.
  package init(_ text: String) throws {
    var (path, number) = (text, Int?.none)
    if let colon = text.lastIndex(of: ":"), !InputFile.exists(text),
      let asked = Int(text[text.index(after: colon)...])
    {
      guard asked > 0 else {
        throw UsageError("packets are counted from 1, so there is no \(asked)")
      }
      (path, number) = (String(text[..<colon]), asked)
    }
    let (octets, place) = try Self.find(number, in: path)
    try self.init(octets, called: "packet \(place)")
  }

  /// The packet of these octets. Throws, by what it is called, where it cannot be sent as it was.
  package init(_ octets: [UInt8], called name: String = "it") throws(UsageError) {
    guard let packet = try? Packet(octets) else { throw UsageError("\(name) is no IP packet") }
    if let fault = Self.fault(packet, octets) { throw UsageError("\(name) \(fault)") }
    self.octets = Packet.withChecksum(octets)
    self.packet = packet
  }

  /// What was kept of the packet of this number, or of the first of IP, without its link header; and its number.
  private static func find(_ number: Int?, in path: String) throws -> ([UInt8], Int) {
    let file = try InputFile(path)
    var decoder = CaptureDecoder()
    var links: [LinkType] = []
    var count = 0
    do {
      while true {
        let bytes = try file.read()
        if bytes.isEmpty { break }
        decoder.feed(bytes)
        while let block = try decoder.next() {
          switch block {
          case .section: links = []
          case .interface(let interface): links.append(interface.linkType)
          case .packet(let packet):
            count += 1
            guard number == nil || number == count else { continue }
            let link = packet.interface < links.count ? links[packet.interface] : .raw
            if let octets = ip(packet.data, link) { return (octets, count) }
            if number != nil { throw UsageError("packet \(count) is no IP packet") }
          case .statistics, .unknown: break
          }
        }
      }
      try decoder.finish()
    } catch let damage as CaptureDamage {
      // What is there of a file that ends too early can be sent.
      if count == 0 || damage.kind != .truncated { throw UsageError("\(damage)") }
    }
    guard let number else { throw UsageError("there is no IP packet in it") }
    throw UsageError(
      "there \(count == 1 ? "is 1 packet" : "are \(count) packets") in it, and no number \(number)")
  }

  /// The IP packet in what was captured on an interface of this kind; nil if there is none.
  private static func ip(_ data: [UInt8], _ link: LinkType) -> [UInt8]? {
    var octets = data
    switch link {
    case .ethernet:
      var start = 14
      // A frame of a VLAN has its tag behind the addresses.
      while let type = word(data, at: start - 2), type == 0x8100 || type == 0x88a8 { start += 4 }
      guard isIP(word(data, at: start - 2)) else { return nil }
      octets = Array(data.dropFirst(start))
    case .linuxCooked:
      guard isIP(word(data, at: 14)) else { return nil }
      octets = Array(data.dropFirst(16))
    case .linuxCooked2:
      guard isIP(word(data, at: 0)) else { return nil }
      octets = Array(data.dropFirst(20))
    case .null: octets = Array(data.dropFirst(4))
    case .nflog: octets = (try? LogMessage(data))?.payload ?? []
    case .raw, .ipv4, .ipv6: break
    default: return nil
    }
    guard let packet = try? Packet(octets), packet.length >= 20 else { return nil }
    // Short frames are filled up.
    return Array(octets.prefix(packet.length))
  }

  private static func word(_ data: [UInt8], at offset: Int) -> UInt16? {
    guard data.count >= offset + 2 else { return nil }
    return UInt16(data[offset]) << 8 | UInt16(data[offset + 1])
  }

  /// Whether that is the EtherType of IPv4 or IPv6.
  private static func isIP(_ type: UInt16?) -> Bool { type == 0x0800 || type == 0x86dd }

  /// Why the packet cannot be sent as it was; nil if it can.
  private static func fault(_ packet: Packet, _ octets: [UInt8]) -> String? {
    if packet.fragment != nil { return "is a fragment: choose one that is whole" }
    if packet.length > octets.count {
      return "was not captured whole: \(octets.count) of its \(packet.length) octets are there"
    }
    if packet.quoted != nil { return "is an ICMP error, which nobody answers" }
    if packet.sourcePort == nil, packet.icmp == nil, packet.payload.count < 8 {
      return "carries nothing by which it could be known again"
    }
    return nil
  }
}
