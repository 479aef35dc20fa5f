package import Wire

/// Routes, rules of policy routing and their tables in the words of ip(8), to be read and to be run.
package enum RoutingWords {
  /// "default", or the prefix; one address without its length.
  static func text(_ prefix: Prefix) -> String { word(prefix).text }

  static func word(_ prefix: Prefix) -> Command {
    if prefix.length == 0 { return "default" }
    return prefix.length == prefix.address.bitWidth ? "\(prefix.address)" : "\(prefix)"
  }

  /// The names of the tables that have one everywhere.
  package static func name(ofTable table: UInt32) -> String { word(ofTable: table).text }

  private static func word(ofTable table: UInt32) -> Command {
    switch table {
    case 253: "default"
    case 254: "main"
    case 255: "local"
    default: "\(table)"
    }
  }

  /// "the default route", or "the route to" its prefix.
  static func name(of route: RouteMessage) -> String {
    route.destination.length == 0 ? "the default route" : "the route to \(text(route.destination))"
  }

  /// A route as ip(8) lists it.
  package static func text(_ route: RouteMessage) -> String { "\(route.kind) \(words(route).text)" }

  /// The command that takes a route away, and no other.
  static func deletion(_ route: RouteMessage) -> Command {
    let version: Command = route.destination.address.family == 6 ? "-6 " : ""
    if route.flags.contains(.learned) { return "ip \(version)route flush cache" }
    // One that has its kind of a next hop object is itself a unicast route.
    let kind: Command = route.nextHopObject == nil ? "\(route.kind) " : ""
    return "ip \(version)route del \(kind)\(words(route))"
      + (route.metric.map { " metric \($0)" } ?? "")
  }

  /// The command by which what this host sends by this route has another source; nil for a route with several next
  /// hops.
  static func replacement(
    of route: RouteMessage, source: IPAddress, _ snapshot: Snapshot
  ) throws(Word.Unspeakable) -> Command? {
    guard route.nextHops.count < 2, route.nextHopObject == nil,
      let device = snapshot.name(route.outputInterface)
    else { return nil }
    let version: Command = route.destination.address.family == 6 ? "-6 " : ""
    let gateway: Command = route.gateway.map { "via \($0) " } ?? ""
    let table: Command =
      route.table == RouteMessage.mainTable ? "" : " table \(word(ofTable: route.table))"
    let metric: Command = route.metric.map { " metric \($0)" } ?? ""
    return
      "ip \(version)route replace \(word(route.destination)) \(gateway)dev \(try Word.device(device)) src "
      + "\(source)\(table)\(metric)"
  }

  /// The command that gives a table the route that the main one has to an address, by this interface; nil if it
  /// has none but a default route. Where the table has a route of its own to the same subnet, which somebody
  /// means it to have, main is asked before the rule that leads to the table.
  static func copy(
    ofRouteTo address: IPAddress, by device: String, into table: UInt32, before rule: RoutingRule?,
    _ snapshot: Snapshot
  ) throws(Word.Unspeakable) -> Command? {
    let known = snapshot.routes.routes(to: address).last {
      $0.table == 254 && $0.kind == .unicast && $0.destination.length > 1
        && snapshot.isSamePlace(snapshot.name($0.outputInterface), device)
    }
    guard let known, let owner = snapshot.name(known.outputInterface) else { return nil }
    let version: Command = address.family == 6 ? "-6 " : ""
    let isTaken = snapshot.routes.routes(to: address).contains {
      $0.table == table && $0.destination == known.destination
    }
    if isTaken {
      guard let rule, rule.priority > 1 else { return nil }
      return
        "ip \(version)rule add pref \(rule.priority - 1) to \(word(known.destination)) lookup main"
    }
    let gateway: Command = known.gateway.map { "via \($0) " } ?? ""
    return "ip \(version)route add \(word(known.destination)) \(gateway)dev "
      + "\(try Word.device(owner)) table \(table)"
  }

  private static func words(_ route: RouteMessage) -> Command {
    var words = [word(route.destination)]
    if route.source.length > 0 { words += ["from", word(route.source)] }
    if route.tos != 0 { words += ["tos", "\(hex: route.tos)"] }
    if let object = route.nextHopObject { words += ["nhid", "\(object)"] }
    return (words + ["table", word(ofTable: route.table)]).joined(separator: " ")
  }

  /// A rule as ip(8) lists it.
  package static func text(_ rule: RoutingRule) -> String {
    let (packet, rest) = (packetSelector(rule).text, otherSelector(rule).text)
    let device = [("iif", rule.inputInterface), ("oif", rule.outputInterface)]
      .map { word, name in name.map { "\(word) \(Escape.name($0)) " } ?? "" }.joined()
    return "\(rule.priority): \(packet) \(device)\(rest)"
  }

  /// The command that takes a rule away, which ip(8) finds by all that is in it.
  static func deletion(
    _ rule: RoutingRule, family: Int
  ) throws(Word.Unspeakable) -> Command {
    let version: Command = family == 6 ? "-6 " : ""
    var device: Command = ""
    if let name = rule.inputInterface { device = "iif \(try Word.device(name)) " }
    if let name = rule.outputInterface { device += "oif \(try Word.device(name)) " }
    return "ip \(version)rule del pref \(rule.priority) \(packetSelector(rule)) \(device)"
      + otherSelector(rule)
  }

  /// What stands before the interface.
  private static func packetSelector(_ rule: RoutingRule) -> Command {
    var words: [Command] = rule.isInverted ? ["not"] : []
    words += ["from", rule.source.map(word) ?? "all"]
    if let destination = rule.destination { words += ["to", word(destination)] }
    if rule.tos != 0 { words += ["tos", "\(hex: rule.tos)"] }
    if let mark = rule.mark {
      let mask: Command = rule.mask.map { $0 == .max ? "" : "/\(hex: $0)" } ?? ""
      words += ["fwmark", "\(hex: mark)\(mask)"]
    }
    return words.joined(separator: " ")
  }

  /// What stands behind it.
  private static func otherSelector(_ rule: RoutingRule) -> Command {
    var words: [Command] = []
    if let users = rule.users { words += ["uidrange", "\(users.lowerBound)-\(users.upperBound)"] }
    if let proto = rule.ipProtocol { words += ["ipproto", word(ofProtocol: proto)] }
    if let ports = rule.sourcePorts { words += ["sport", word(ports)] }
    if let ports = rule.destinationPorts { words += ["dport", word(ports)] }
    switch rule.action {
    case .lookup: words += ["lookup", word(ofTable: rule.table)]
    default: words.append("\(rule.action)")
    }
    if let length = rule.suppressPrefixLength { words += ["suppress_prefixlength", "\(length)"] }
    return words.joined(separator: " ")
  }

  /// ip(8) takes the names of /etc/protocols, of which not all are on every machine.
  private static func word(ofProtocol number: UInt8) -> Command {
    let proto = IPProtocol(rawValue: number)
    if proto == .icmpv6 { return "ipv6-icmp" }
    return [.icmp, .tcp, .udp].contains(proto) ? "\(proto)" : "\(number)"
  }

  private static func word(_ ports: ClosedRange<UInt16>) -> Command {
    ports.count == 1 ? "\(ports.lowerBound)" : "\(ports.lowerBound)-\(ports.upperBound)"
  }
}
