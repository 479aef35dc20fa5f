internal import Wire

extension TraceMessage {
  /// The packet as far as its headers are told. IPv6's extension headers are not, and so what is told
  /// of its transport cannot be read.
  var packet: Packet? {
    guard var header = networkHeader else { return nil }
    if header.count == 40, header[0] >> 4 == 6, [0, 43, 44, 60].contains(header[6]) {
      let isFragment = header[6] == 44
      header[6] = Packet.nothingFollows
      var packet = try? Packet(header)
      // Of later ones no header is told.
      if isFragment { packet?.fragment = Packet.Fragment(identification: 0, offset: 0, more: true) }
      return packet
    }
    return try? Packet(header + (transportHeader ?? []))
  }

  /// Whether it is about ARP or neighbour discovery (RFC 4861), which nftrace's rules trace and do
  /// not log. `packet` is what its headers say.
  func isDiscovery(_ packet: Packet?) -> Bool {
    if family == NFProto.arp { return true }
    // What nftrace's rules for devices trace and is no IP packet is ARP. Of IPv6's later fragments no header is told
    // but that of the link, if there is one.
    guard let packet else {
      guard let type = linkHeader?.suffix(2) else { return false }
      if family == NFProto.bridge { return type.elementsEqual([0x08, 0x06]) }
      return family == NFProto.netdev && !type.elementsEqual([0x86, 0xdd])
    }
    return packet.isNeighbourDiscovery
  }
}

extension Packet {
  /// "No next header" of RFC 8200 section 4.7.
  fileprivate static let nothingFollows: UInt8 = 59

  /// Whether it has a transport header that is not told.
  var hidesTransport: Bool { proto.rawValue == Self.nothingFollows }

  /// Whether it says that a packet was not wanted: an ICMP error, or a reset.
  var isRefusal: Bool { quoted != nil && !isRedirect || transport.isRefusal }

  /// Whether it tells of a shorter way.
  package var isRedirect: Bool { icmp?.isRedirect(proto) == true }

  /// Neighbour solicitation or advertisement: RFC 4861 sections 4.3 and 4.4.
  var isNeighbourDiscovery: Bool {
    proto == .icmpv6 && (icmp?.type == 135 || icmp?.type == 136)
  }

  /// The same, or that of routers.
  var isDiscovery: Bool {
    proto == .icmpv6 && icmp.map { (133...136).contains($0.type) } == true
  }

  /// RFC 2710 and RFC 3810. The kernel's mark of these is none: it shares its place with something
  /// else.
  var isMulticastListenerDiscovery: Bool {
    guard proto == .icmpv6, let type = icmp?.type else { return false }
    return (130...132).contains(type) || type == 143
  }
}
