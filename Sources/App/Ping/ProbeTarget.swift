package import Wire

/// Where a probe is to go, as people write it: an address or a name, perhaps with a port or a zone, or a URL.
package struct ProbeTarget: Sendable, Equatable {
  /// The address, if it is one.
  package var address: IPAddress?
  /// The name, if it is none.
  package var name: String?
  /// The protocol that a URL names which is one of IP's own: "udp" of udp://10.0.0.1:53.
  package var transport: String?
  /// The port behind it, as a number or as a service's name.
  package var port: String?
  /// The interface behind the "%" of an address that means something there alone.
  package var zone: String?

  /// What this text names; nil if it is neither an address nor a name.
  package init?(_ text: String) {
    var text = Substring(text)
    let isURL = text.firstRange(of: "://") != nil
    if let mark = text.firstRange(of: "://") {
      let scheme = text[..<mark.lowerBound].lowercased()
      text = text[mark.upperBound...].prefix { !"/?#".contains($0) }
      if let at = text.lastIndex(of: "@") { text = text[text.index(after: at)...] }
      guard !scheme.isEmpty else { return nil }
      switch scheme {
      case "tcp", "udp", "sctp": transport = scheme
      case "icmp", "icmpv6", "icmp6", "ping": transport = "icmp"
      default: port = scheme
      }
    }
    if text.first == "[" {
      guard let end = text.firstIndex(of: "]") else { return nil }
      let behind = text[text.index(after: end)...]
      guard behind.isEmpty || behind.first == ":" else { return nil }
      if !behind.isEmpty { port = String(behind.dropFirst()) }
      text = text[text.index(after: text.startIndex)..<end]
      guard text.contains(":") else { return nil }
    } else if let colon = text.firstIndex(of: ":"), colon == text.lastIndex(of: ":") {
      port = String(text[text.index(after: colon)...])
      text = text[..<colon]
    }
    if let percent = text.firstIndex(of: "%") {
      let behind = text[text.index(after: percent)...]
      // In a URL the mark itself is written as its number, RFC 6874.
      zone = String(isURL && behind.hasPrefix("25") ? behind.dropFirst(2) : behind)
      text = text[..<percent]
      guard zone?.isEmpty == false, text.contains(":") else { return nil }
    }
    guard port?.isEmpty != true else { return nil }
    address = IPAddress(String(text))
    if address != nil { return }
    guard Self.isName(text) else { return nil }
    name = String(text)
  }

  /// Whether it can be the name of a host. What has nothing but digits and dots would be an address.
  private static func isName(_ text: Substring) -> Bool {
    text.utf8.count <= 253 && !text.utf8.isEmpty && text.first != "-"
      && text.utf8.allSatisfy {
        $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") || $0 >= 0x80
          || isDigit($0) || isLetter($0)
      } && !text.utf8.allSatisfy { $0 == UInt8(ascii: ".") || isDigit($0) }
  }

  private static func isDigit(_ octet: UInt8) -> Bool {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(octet)
  }

  private static func isLetter(_ octet: UInt8) -> Bool {
    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(octet | 0x20)
  }
}
