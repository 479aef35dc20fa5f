package import Trace
internal import Wire

/// Intercepted packets and their sum, for people.
package enum InterceptText {
  /// A packet on one line: when, from where, to where, what it is, and what became of it. `before`
  /// are its octets as they came, `after` as they go.
  package static func line(
    time: UInt64, before: [UInt8], after: [UInt8], fate: Interception.Fate
  ) -> String {
    guard let old = try? Packet(before), let new = try? Packet(after) else {
      return "\(CalendarText.ofDay(time)) \(before.count) octets that are no packet"
    }
    var text =
      "\(CalendarText.ofDay(time)) \(end(old.source, old.sourcePort)) > "
      + "\(end(old.destination, old.destinationPort)) \(what(old)), ttl \(old.ttl), "
      + "tos \(old.tos), \(before.count) octets"
    switch fate {
    case .passed: break
    case .foreign: text += ": not of this traffic, dropped"
    case .dropped: text += ": dropped"
    case .answered: text += ": answered"
    case .unchangeable: text += ": cannot be changed so, passed"
    case .changed: text += ": " + changes(old, new).joined(separator: ", ")
    }
    return text
  }

  /// Octets as tcpdump -x shows them: 16 a line, in pairs, behind their offset.
  package static func hex(_ bytes: [UInt8]) -> String {
    stride(from: 0, to: bytes.count, by: 16).map { start in
      var line = "\t0x" + pad(String(start, radix: 16), 4) + ": "
      for index in start..<min(start + 16, bytes.count) {
        if index % 2 == 0 { line += " " }
        line += pad(String(bytes[index], radix: 16), 2)
      }
      return line
    }.joined(separator: "\n")
  }

  /// The sum: a line, and members of JSON. `nanoseconds` is how long it lasted.
  package static func sum(_ counts: Interception.Counts, nanoseconds: UInt64) -> [Statement] {
    let tenths = nanoseconds / 100_000_000
    let seconds: StyledLine = " in \(tenths / 10).\(tenths % 10) s: "
    return [
      Statement("seconds", .tenths(Double(nanoseconds) / 1e9)),
      Statement(
        "packets",
        of: [
          Statement(
            "packets", .int(counts.packets),
            "\(counts.packets) \(counts.packets == 1 ? "packet" : "packets")"),
          Statement(
            "octets", .int(counts.octets),
            more: ", \(counts.octets) \(counts.octets == 1 ? "octet" : "octets")"),
          .words(.more(seconds)),
        ] + fates(counts)),
    ]
  }

  private static func fates(_ counts: Interception.Counts) -> [Statement] {
    let all: [(key: String, count: Int, words: String)] = [
      ("passed", counts.passed, "passed"), ("changed", counts.changed, "changed"),
      ("answered", counts.answered, "answered"), ("dropped", counts.dropped, "dropped"),
      ("unchangeable", counts.unchangeable, "passed, for they cannot be changed so"),
      ("refused", counts.refused, "not taken back by the kernel"),
      ("orphans", counts.orphans, "fragments whose first was not seen"),
    ]
    let first = all.first { $0.count > 0 }?.key
    return all.map { key, count, words in
      count > 0
        ? Statement(key, .int(count), more: "\(key == first ? "" : ", ")\(count) \(words)")
        : Statement(key, .int(count))
    } + (first == nil ? [.words(.more("none"))] : [])
  }

  private static func end(_ address: IPAddress, _ port: UInt16?) -> String {
    guard let port else { return "\(address)" }
    return address.family == 4 ? "\(address):\(port)" : "[\(address)]:\(port)"
  }

  private static func what(_ packet: Packet) -> String {
    var text = "\(packet.proto)"
    if let tcp = packet.tcp { text += " \(tcp.flags)" }
    if let icmp = packet.icmp {
      if icmp.isEchoRequest(packet.proto) {
        text += " echo request \(icmp.identifier)/\(icmp.sequence)"
      } else if icmp.isEchoReply(packet.proto) {
        text += " echo reply \(icmp.identifier)/\(icmp.sequence)"
      } else {
        text += " type \(icmp.type) code \(icmp.code)"
      }
    }
    if let fragment = packet.fragment {
      text += " fragment \(fragment.identification) at \(fragment.offset)"
    }
    return text
  }

  /// What is different; the TTL is shown as the packet will leave with it.
  private static func changes(_ old: Packet, _ new: Packet) -> [String] {
    var texts: [String] = []
    let ttl = new.ttl.subtracting(clamped: 1)
    if ttl != old.ttl { texts.append("ttl \(ttl)") }
    if new.tos != old.tos { texts.append("tos \(new.tos)") }
    if new.source != old.source { texts.append("source \(new.source)") }
    if new.destination != old.destination || new.destinationPort != old.destinationPort {
      texts.append("dest \(end(new.destination, new.destinationPort))")
    }
    return texts.isEmpty ? ["nothing new"] : texts
  }

  private static func pad(_ text: String, _ width: Int) -> String {
    TextLayout.padded(from: width, text, with: "0")
  }
}
