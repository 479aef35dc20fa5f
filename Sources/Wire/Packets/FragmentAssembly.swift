/// Packets put together again of their fragments: RFC 791 section 3.2, RFC 8200 section 4.5.
struct FragmentAssembly: Sendable {
  /// Packets of which some fragments are there, at most.
  private static let most = 16
  private static let longest = 65_535

  private struct Key: Equatable {
    var source: IPAddress
    var destination: IPAddress
    var proto: IPProtocol
    var identification: UInt32
  }

  private struct Parts {
    var key: Key
    /// Of the first fragment, as one of a whole packet.
    var header: [UInt8]?
    var pieces: [Int: [UInt8]] = [:]
    var total: Int?
    /// The longest fragment, with its header.
    var longest = 0
  }

  private var open: [Parts] = []

  /// Takes in a fragment, as octets and as what they say. The whole packet once nothing of it is missing, and how long the
  /// longest fragment was.
  mutating func take(_ octets: [UInt8], _ packet: Packet) -> (octets: [UInt8], longest: Int)? {
    guard let fragment = packet.fragment, let (header, data) = Self.parts(octets) else {
      return nil
    }
    let key = Key(
      source: packet.source, destination: packet.destination, proto: packet.proto,
      identification: fragment.identification)
    let known = open.firstIndex { $0.key == key }
    var parts = known.map { open.remove(at: $0) } ?? Parts(key: key)
    parts.longest = max(parts.longest, octets.count)
    parts.pieces[fragment.offset] = data
    if fragment.offset == 0 { parts.header = header }
    if !fragment.more { parts.total = fragment.offset + data.count }
    if let whole = Self.whole(parts) { return (whole, parts.longest) }
    open = (open + [parts]).suffix(Self.most)
    return nil
  }

  /// The IP header of a whole packet, and what the fragment carries.
  private static func parts(_ octets: [UInt8]) -> (header: [UInt8], data: [UInt8])? {
    guard octets.count >= 20 else { return nil }
    if octets[0] >> 4 == 4 {
      let length = Int(octets[0] & 15) * 4
      guard octets.count > length, length >= 20 else { return nil }
      var header = Array(octets[..<length])
      header[6] = 0
      header[7] = 0
      return (header, Array(octets[length...]))
    }
    // Extension headers before that of the fragment are none of those whom a copy sends.
    guard octets.count > 48, octets[6] == 44 else { return nil }
    var header = Array(octets[..<40])
    header[6] = octets[40]
    return (header, Array(octets[48...]))
  }

  private static func whole(_ parts: Parts) -> [UInt8]? {
    guard var header = parts.header, let total = parts.total else { return nil }
    var data: [UInt8] = []
    while data.count < total {
      guard let piece = parts.pieces[data.count], !piece.isEmpty else { return nil }
      data += piece
    }
    guard header.count + data.count <= longest else { return nil }
    let isIPv4 = header[0] >> 4 == 4
    let length = isIPv4 ? header.count + data.count : data.count
    let place = isIPv4 ? 2 : 4
    header[place] = UInt8(length >> 8)
    header[place + 1] = UInt8(length & 0xff)
    if isIPv4 {
      header[10] = 0
      header[11] = 0
      let sum = InternetChecksum.of(header)
      header[10] = UInt8(sum >> 8)
      header[11] = UInt8(sum & 0xff)
    }
    return header + data
  }
}
