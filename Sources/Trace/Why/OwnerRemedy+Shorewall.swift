internal import Wire

/// What Shorewall is told in its files: its chains are made of them anew.
extension OwnerRemedy {
  private var program: Command { lost.version == 6 ? "shorewall6" : "shorewall" }

  /// The two zones that a chain is for: "loc-net", or "loc2net". The host itself is $FW to it.
  private var zones: (from: String, to: String)? {
    for chain in chains.reversed() {
      let zones = chain.split(separator: chain.contains("-") ? "-" : "2", maxSplits: 1)
      guard zones.count == 2, chain == chain.lowercased(), !chain.hasPrefix("log"),
        !chain.hasPrefix("~"), !chain.hasPrefix("sha-lh-")
      else { continue }
      return (String(zones[0]), String(zones[1]))
    }
    return nil
  }

  /// Whether the rule is one that leads to the list of those who were shut out while it runs.
  private var isShutOut: Bool { chains.contains("dynamic") }

  private var isBlacklisted: Bool {
    chains.contains { $0 == "blrules" || $0 == "blacklst" || $0 == "blackout" }
      || chains.contains { $0.hasPrefix("~blacklist") }
  }

  /// Takes the address off that list, or lets the packet pass from one zone to the other.
  var shorewall: Command? {
    get throws(Word.Unspeakable) {
      if isShutOut { return lost.isReply ? nil : "\(program) allow \(packet.source)" }
      guard !isBlacklisted, let zones else { return nil }
      let from = try end(zones.from, packet.source)
      let to = try end(zones.to, packet.destination)
      let rule: Command = "ACCEPT \(from) \(to) \(proto)\(ports)"
      return "echo '\(rule)' >> /etc/\(program)/rules && \(program) reload"
    }
  }

  /// A zone, and an address in it: one of IPv6 stands in brackets.
  private func end(_ zone: String, _ address: IPAddress) throws(Word.Unspeakable) -> Command {
    let name: Command = zone == "fw" ? "$FW" : "\(try Word.iptables(chain: zone))"
    return lost.version == 6 ? "\(name):[\(address)]" : "\(name):\(address)"
  }

  private var proto: Command { packet.proto == .icmpv6 ? "ipv6-icmp" : "\(packet.proto)" }

  /// The columns for ports: where to, and where from.
  private var ports: Command {
    if packet.isEchoRequest { return packet.proto == .icmpv6 ? " 128" : " 8" }
    guard let port else { return "" }
    return lost.isReply ? " - \(port)" : " \(port)"
  }

  /// Where it is told otherwise, where that is no command.
  var shorewallAdvice: String? {
    if isShutOut { return nil }
    if isBlacklisted { return "it stands in /etc/\(program.text)/blrules" }
    if zones != nil { return nil }
    if chains.contains("smurfs") { return "its source is no address that one asks from" }
    if chains.contains("tcpflags") { return "its TCP flags are none that a connection has" }
    guard let device = hook == .output ? lost.outDevice : lost.inDevice else { return nil }
    return
      "what goes from and to where it goes is in none of its zones and policies: see \(Escape.name(device)) in "
      + "/etc/\(program.text)/interfaces"
  }
}
