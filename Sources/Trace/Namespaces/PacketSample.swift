internal import Wire

/// Which of very many packets are looked at: a number made of a few octets that neither routing nor NAT changes, so that each
/// place looks at the same ones, and need not read the others.
enum PacketSample {
  /// The number of the IP packet in these octets; nil where it has none of its own.
  static func number(_ octets: [UInt8], in packet: Range<Int>) -> UInt64? {
    guard packet.count >= 20 else { return nil }
    let octets = octets.span.extracting(packet)
    let proto: UInt8
    let header: Int
    var sum = Fingerprint()
    switch octets[0] >> 4 {
    case 4:
      (proto, header) = (octets[9], Int(octets[0] & 15) * 4)
      // Which packet of its sender it is, and which part of it.
      for index in [4, 5, 7] { sum.add(octets[index]) }
      // Behind its beginning is anything.
      if octets[6] & 0x1f != 0 || octets[7] != 0 { return mixed(sum) }
    case 6: (proto, header) = (octets[6], 40)
    default: return nil
    }
    let numbers: Range<Int>
    switch proto {
    case 1, 58: numbers = 6..<16  // a number, and what it is about
    case 6: numbers = 4..<12  // the sequence numbers
    case 17, 136: numbers = 8..<16  // the data: the checksum covers addresses
    case 132: numbers = 12..<24  // the first chunk: the checksum covers ports
    default:
      // A hop may write into a header of options.
      return octets[0] >> 4 == 4 ? mixed(sum) : nil
    }
    guard header + numbers.upperBound <= octets.count else { return mixed(sum) }
    for index in numbers { sum.add(octets[header + index]) }
    return mixed(sum)
  }

  /// A number whose lowest bits come of all octets.
  private static func mixed(_ sum: Fingerprint) -> UInt64 {
    let value = (sum.value ^ sum.value >> 32) &* 0x9e37_79b9_7f4a_7c15
    return value >> 32
  }
}
