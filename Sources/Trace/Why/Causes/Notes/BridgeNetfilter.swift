internal import Wire

extension FindingID {
  static let bridgeNetfilter = FindingID(rawValue: "bridge-netfilter")
}

extension Setting {
  static let callIPTables = Setting("net/bridge/bridge-nf-call-iptables")
  static let callIP6Tables = Setting("net/bridge/bridge-nf-call-ip6tables")
}

/// A bridge with net.bridge.bridge-nf-call-iptables, or a setting of its own, has IP rules look at what
/// it carries: the kernel then names the bridge's ports beside the bridge.
enum BridgeNetfilter: ExchangeNote {
  static let page = FindingPage(
    .bridgeNetfilter, "Bridged, and passed to the rules for IP as well",
    meaning: """
      The packet crossed a bridge on this host and was not routed. With `bridge-nf-call-iptables`, the
      rules of iptables and nft for IP see such packets all the same, and may drop or translate them.
      Docker and Kubernetes switch it on.
      """,
    certainty: """
      A note, and always certain: the kernel named the ports of the bridge at a hook of IP.
      """,
    conclusion: """
      A message from a hook of IP has both an incoming and an outgoing port of a bridge.
      """,
    advice: """
      Nothing, if rules are meant to see bridged packets. If virtual machines or containers on one
      bridge cannot reach each other, this is often why: accept their traffic in FORWARD, or set
      `net.bridge.bridge-nf-call-iptables` to 0 if nothing relies on it.
      """)

  static let needs: [Need] = [.setting(.callIPTables), .setting(.callIP6Tables)]

  static func examine(_ exchange: Exchange, _ answers: () -> Answers) -> Finding? {
    guard
      let hop = exchange.journeys.lazy.flatMap(\.hops).first(where: {
        $0.inPort != nil && $0.outPort != nil
      }), let input = hop.inPort, let output = hop.outPort
    else { return nil }
    let isIPv4 = hop.packet.source.family == 4
    let table = isIPv4 ? "iptables" : "ip6tables"
    let setting = isIPv4 ? Setting.callIPTables : .callIP6Tables
    let bridge = hop.inDevice ?? hop.outDevice ?? "a bridge"
    let value = answers().value(of: setting)
    return note(
      "\(bridge) bridges it from \(input) to \(output), and passes it to the rules for IP as well: "
        + "\(setting.name), or nf_call_\(table) of the bridge, is 1",
      evidence: [.bridgePorts(hop.point, in: input, out: output)]
        + (value.map { [.setting(setting.name, value: $0)] } ?? []))
  }
}
