import Trace
import Wire

/// What others write to choose packets, tcpdump(8) and ss(8): `host 192.0.2.1 and tcp port 443`, `sport = :443`. Here that is
/// said with options.
enum CaptureFilter {
  /// The options that choose the same; nil where the words are none of these. Of addresses without a direction it is the
  /// destination.
  static func options(_ words: [String]) -> String? {
    var options: [String] = []
    var address = "--to"
    var rest = words.flatMap { $0.split(separator: " ").map(String.init) }[...]
    while let word = rest.popFirst() {
      switch word.lowercased() {
      case "and", "&&", "=", "==", "host", "net": continue
      case "src": address = "--from"
      case "dst": address = "--to"
      case "port", "sport", "dport", "portrange":
        if ["=", "=="].contains(rest.first) { rest = rest.dropFirst() }
        guard let port = rest.popFirst() else { return nil }
        options.append("--port \(port.drop { $0 == ":" })")
      case let name where ["icmp", "icmp6", "icmpv6", "tcp", "udp", "sctp"].contains(name):
        options.append("--protocol \(name == "icmp6" ? "icmpv6" : name)")
      case let text:
        if IPAddress(text) != nil || Prefix(text) != nil {
          options.append("\(address) \(text)")
          address = "--to"
        } else if UInt16(text.drop { $0 == ":" }) != nil {
          options.append("--port \(text.drop { $0 == ":" })")
        } else {
          return nil
        }
      }
    }
    return options.isEmpty ? nil : options.joined(separator: " ")
  }
}
