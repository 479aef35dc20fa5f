internal import Wire

extension TProxyWithoutListener {
  /// nft's tproxy does not fit where it finds no socket: the packet goes on to the next rule as if it were not there,
  /// and no trace tells of it.
  enum PassedOver: Cause {
    static var page: FindingPage { TProxyWithoutListener.page }
    static let needs: [Need] = [.host(.sockets), .host(.transparentProxies)]
    static var isToldByRefusal: Bool { true }

    static func examine(_ lost: LostPacket) -> Finding? {
      guard !lost.isReply, lost.stage == .delivered,
        let rules = lost.host(.transparentProxies).transparentProxies
      else { return nil }
      return rules.lazy.compactMap { finding($0, lost) }.first
    }

    private static func finding(_ rule: RuleText, _ lost: LostPacket) -> Finding? {
      let isFamily =
        rule.family == NFProto.inet
        || rule.family == (lost.version == 4 ? NFProto.ipv4 : NFProto.ipv6)
      guard isFamily, RuleConditions(rule.text).difference(lost) == nil,
        let proxy = TransparentProxy(rule.text)
      else { return nil }
      let port = proxy.port.flatMap { $0 == 0 ? nil : $0 } ?? lost.packet.destinationPort ?? 0
      let near = TProxyWithoutListener.near(port, lost)
      guard !near.contains(where: { $0.isTransparent == true && $0.takes(version: lost.version) })
      else { return nil }
      return error(
        "a rule of \(RuleNames.chain(rule.family, rule.table, rule.chain)) would "
          + "give it to a transparent proxy on \(lost.portName(port)), and passed it over, for no transparent socket "
          + "listens there" + TProxyWithoutListener.words(near, lost),
        confidence: .likely,
        evidence: [.nearTranslation(rule.text)] + near.map { lost.evidence($0) }
          + lost.reasonEvidence,
        at: Finding.Place(
          hook: .prerouting, table: rule.table, chain: rule.chain, handle: rule.handle,
          rule: rule.text))
    }
  }
}
