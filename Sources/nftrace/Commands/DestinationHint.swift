import Trace
import Wire

/// What is wrong with a text that is to be where a probe goes, and what would be right.
enum DestinationHint {
  /// The words for a text that is neither an address nor a name, nor one of these with a port; nil where there is
  /// nothing better to say than that.
  static func words(_ text: String) -> String? {
    if text.isEmpty { return "give an address or a name" }
    if text.contains(where: \.isWhitespace) { return "there is a space in it" }
    if text.contains(",") { return "give one destination" }
    if text.contains("://") { return "a URL is SCHEME://HOST, perhaps with :PORT" }
    if let at = text.lastIndex(of: "@") {
      return "leave out the user: \(Escape.name(String(text[text.index(after: at)...])))"
    }
    if text.contains("[") || text.contains("]") {
      return "an IPv6 address with a port is [IPV6]:PORT, such as [2001:db8::1]:443"
    }
    if text.contains("%") { return zone(text) }
    if let slash = text.firstIndex(of: "/") {
      let (host, port) = (String(text[..<slash]), text[text.index(after: slash)...])
      return port.allSatisfy(\.isNumber) && !port.isEmpty
        ? "a port stands behind ':': \(Escape.name("\(host):\(port)"))"
        : "leave out what is behind the host, or write it as a URL: http://\(Escape.name(text))"
    }
    let colons = text.count { $0 == ":" }
    if colons == 1, text.hasSuffix(":") { return "the port is missing behind ':'" }
    if colons == 1, text.hasPrefix(":") { return "the host is missing before ':'" }
    if colons > 1 { return groups(text, colons) }
    if text.prefix(while: { $0 != ":" }).allSatisfy({ $0.isNumber || $0 == "." }) {
      return "an IPv4 address is four numbers of 0 to 255, without zeros before them"
    }
    return "a name has letters, digits, '-', '_' and '.'"
  }

  private static func zone(_ text: String) -> String {
    if text.hasSuffix("%") { return "the interface is missing behind '%'" }
    let parts = text.split(separator: "%", maxSplits: 1, omittingEmptySubsequences: false)
    return parts[0].contains(":")
      ? "an address with a zone is IPV6%IFACE, such as fe80::1%eth0"
      : "a zone is for addresses of IPv6; -I \(Escape.name(String(parts[1]))) sends through an interface"
  }

  private static func groups(_ text: String, _ colons: Int) -> String {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    if colons == 5, parts.allSatisfy({ $0.count == 2 && UInt8($0, radix: 16) != nil }) {
      return "that is an Ethernet address; 'ip neigh' lists which IP address has it"
    }
    if parts.dropFirst().first?.isEmpty == false, IPAddress(String(parts[0])) != nil {
      return "HOST:PORT has one port"
    }
    return
      "an IPv6 address is eight groups of up to four hexadecimal digits, '::' in place of those that are zero, once"
  }
}
