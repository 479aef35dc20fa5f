internal import Trace
internal import Wire

/// What things are called, and how they are told in words.
enum Phrases {
  enum Side { case source, destination }

  /// What is said of a probe that the end of the session leaves open.
  static let cutOff = "the session is cut off before an answer could come"

  /// What is wrong where a packet got through, and should have been answered.
  static let nothingBack = "nothing came back"

  /// Who puts back what a translation had changed.
  static let undone = "undone by conntrack, no rule is asked"

  /// What lines of the kernel log leave out.
  static let kernelLog = "told by lines of the kernel log, which name no rules and no connections"

  /// The kind of packet: "echo request", "TCP SYN", "ICMP time exceeded".
  static func name(_ packet: Packet) -> String {
    if let header = packet.icmp {
      if header.isEchoRequest(packet.proto) { return "echo request" }
      if header.isEchoReply(packet.proto) { return "echo reply" }
      return icmpError(header, packet.proto)
    }
    if let name = packet.transport.name { return name }
    let name = "\(packet.proto)"
    guard packet.fragment == nil else { return "fragment (\(name))" }
    return name == "\(packet.proto.rawValue)" ? "IP protocol \(name)" : name
  }

  /// An ICMP message that is no echo, by its name.
  static func icmpError(_ header: ICMPHeader, _ proto: IPProtocol) -> String {
    "ICMP "
      + (header.errorName(proto) ?? header.informationName(proto) ?? "type \(header.type)")
  }

  /// An address, with its port if there is one.
  static func endpoint(_ packet: Packet, _ side: Side) -> String {
    let address = side == .source ? packet.source : packet.destination
    let port = side == .source ? packet.sourcePort : packet.destinationPort
    guard let port else { return "\(address)" }
    return address.family == 6 ? "[\(address)]:\(port)" : "\(address):\(port)"
  }

  /// Nanoseconds as microseconds with one decimal.
  static func microseconds(_ nanoseconds: UInt64) -> String {
    let tenths = nanoseconds.later(by: 50) / 100
    return "\(tenths / 10).\(tenths % 10)"
  }

  /// Microseconds as milliseconds: "0.31 ms", "12.4 ms", "340 ms".
  static func milliseconds(_ microseconds: Double) -> String {
    let hundredths = Int(nearest: microseconds / 10)
    switch hundredths {
    case ..<1000: return "\(hundredths / 100).\(twoDigits(hundredths % 100)) ms"
    case ..<10000: return "\(hundredths / 100).\(hundredths % 100 / 10) ms"
    default: return "\(hundredths / 100) ms"
    }
  }

  /// Seconds as they are asked for: "1 s", "300 ms".
  static func seconds(_ seconds: Double) -> String {
    let thousandths = Int(nearest: seconds * 1000)
    return thousandths.isMultiple(of: 1000) ? "\(thousandths / 1000) s" : "\(thousandths) ms"
  }

  /// Microseconds as ping(8) writes round-trip times: milliseconds with three decimals.
  static func pingTime(_ microseconds: Double) -> String {
    let whole = Int(nearest: microseconds)
    let rest = "\(whole % 1000)"
    return "\(whole / 1000)." + String(repeating: "0", count: 3 - rest.count) + rest
  }

  private static func twoDigits(_ number: Int) -> String {
    number < 10 ? "0\(number)" : "\(number)"
  }

  /// What happened on the way to a hop, a line each: changes of the header and who made them. `names` is what stands
  /// beside them.
  static func details(_ leg: Leg, _ style: TextStyle, beside names: [String] = []) -> [String] {
    let changes = leg.changes.filter { $0.field != .ttl || $0.cause != .forwarding }
    var lines = connection(leg, style)
    for (address, port) in [
      (Change.Field.source, Change.Field.sourcePort),
      (Change.Field.destination, Change.Field.destinationPort),
    ] {
      let parts = changes.filter { $0.field == address || $0.field == port }
      guard let first = parts.first else { continue }
      lines.append(translation(address.rawValue, parts, style))
      lines.append(cause(first, leg, style))
    }
    for change in changes {
      switch change.field {
      case .source, .destination, .sourcePort, .destinationPort: continue
      case .icmpID: lines.append("echo id \(change.from) \(style.arrow) \(change.to)")
      default: lines.append("\(change.field.rawValue) \(change.from) \(style.arrow) \(change.to)")
      }
    }
    return lines + rules(leg, style, beside: names)
  }

  /// What conntrack makes of the packet, where that is not the usual thing.
  private static func connection(_ leg: Leg, _ style: TextStyle) -> [String] {
    switch leg.tracked {
    case nil: return []
    case .invalid: return ["invalid: of no connection that conntrack knows"]
    case .untracked: return ["untracked: conntrack passes it over"]
    case .related: return ["related to a connection"]
    case .new: return style.verbosity == .verbose ? ["new connection"] : []
    case .established: return style.verbosity == .verbose ? ["of a known connection"] : []
    }
  }

  /// The rules that decided here, or all that were met. A rule that translated is told with what it
  /// changed, one that dropped with the drop.
  private static func rules(
    _ leg: Leg, _ style: TextStyle, beside names: [String]
  ) -> [String] {
    let words = RuleWords(style: style, beside: names)
    if style.allRules { return leg.rules.map { "\(words.place($0)): \(verdict($0))" + text($0) } }
    return leg.rules.filter {
      $0.verdict == .accept && !$0.isPolicy && $0.translation == nil
    }.map { words.decided("accepted", by: $0) }
  }

  private static func verdict(_ step: RuleStep) -> String {
    step.target.map { "\(step.verdict) \($0)" } ?? "\(step.verdict)"
  }

  private static func text(_ step: RuleStep) -> String { step.text.map { "  \($0)" } ?? "" }

  private static func translation(
    _ name: String, _ parts: [Change], _ style: TextStyle
  ) -> String {
    func text(_ pick: (Change) -> String) -> String {
      let address = parts.first { $0.field == .source || $0.field == .destination }.map(pick)
      let port = parts.first { $0.field == .sourcePort || $0.field == .destinationPort }.map(pick)
      switch (address, port) {
      case (let address?, let port?):
        return address.contains(":") ? "[\(address)]:\(port)" : "\(address):\(port)"
      case (nil, let port?): return "port \(port)"
      default: return address ?? ""
      }
    }
    return "\(name) \(text { $0.from }) \(style.arrow) \(text { $0.to })"
  }

  private static func cause(_ change: Change, _ leg: Leg, _ style: TextStyle) -> String {
    let point = leg.hop.point
    switch change.cause {
    case .natReply: return undone
    case .masquerade, .snat, .dnat, .redirect:
      let rule = leg.rules.last { $0.translation != nil }
      if let rule, let text = rule.text {
        // A list by iptables(8) does not have it.
        return rule.isLegacyRule
          ? "iptables-legacy \(change.cause.rawValue.uppercased()): \(text)" : text
      }
      return "\(change.cause.rawValue)"
        + (rule.map { ", \(RuleWords(style: style).place($0))" } ?? "")
    case _ where point.table == "nat": return "translated by NAT"
    default:
      let isOurs =
        point.hook == .ingress || point.hook == .prerouting && point.table == nil
        || point.table == OwnTable.answersChain
      return isOurs ? "changed by nftrace" : "changed by a rule"
    }
  }

  /// The routing decision: "to eth0 via 172.16.16.1, default route", with the table if it is not the
  /// usual one.
  static func route(_ route: RouteDecision?, _ device: String?) -> String {
    "to \(way(route, device))"
  }

  /// The same behind "to" or "out".
  static func way(_ route: RouteDecision?, _ device: String?) -> String {
    var words = device ?? "?"
    guard let route, route.device == device else { return words }
    if let gateway = route.gateway { words += " via \(gateway)" }
    if let destination = route.destination {
      words += destination.length == 0 ? ", default route" : ", route \(destination)"
    }
    if route.tableName != "main" { words += ", table \(route.tableName)" }
    if let rule = route.rule { words += " by rule \(rule)" }
    return words
  }
}
