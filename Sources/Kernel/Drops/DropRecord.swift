internal import CNetfilter
internal import Glibc
internal import Wire

/// The octets that `DropProgram` writes, as a value.
enum DropRecord {
  static func event(
    _ octets: [UInt8], clockDifference: UInt64, reasons: [UInt32: String], hasReasons: Bool
  ) -> DropEvent? {
    typealias Record = DropProgram.Record
    guard octets.count == Record.length else { return nil }
    let reason: UInt32 = number(octets, Record.reason)
    let symbol = octets[Record.symbol..<(Record.symbol + Record.symbolLength)].prefix { $0 != 0 }
    let count = min(Int(number(octets, Record.count) as UInt32), Record.packetLength)
    return DropEvent(
      time: number(octets, Record.time) &+ clockDifference,
      reasonNumber: hasReasons ? reason : nil, reasonName: hasReasons ? reasons[reason] : nil,
      location: location(String(decoding: symbol, as: UTF8.self)),
      device: number(octets, Record.device), namespace: number(octets, Record.namespace),
      packet: Array(octets[Record.packet..<(Record.packet + count)]))
  }

  /// "nft_do_chain+0x3e8/0x5f0 [nf_tables]" without the function's size. Nil for an address that is no
  /// function's: "0xffffffff…".
  static func location(_ text: String) -> String? {
    guard !text.isEmpty, !text.hasPrefix("0x") else { return nil }
    guard let slash = text.firstIndex(of: "/") else { return text }
    let rest = text[slash...].drop { $0 != " " }
    return String(text[..<slash] + rest)
  }

  /// An integer in host order.
  private static func number<T: FixedWidthInteger>(_ octets: [UInt8], _ offset: Int) -> T {
    octets[offset..<(offset + T.bitWidth / 8)].reversed().reduce(0) { $0 << 8 | T($1) }
  }
}
