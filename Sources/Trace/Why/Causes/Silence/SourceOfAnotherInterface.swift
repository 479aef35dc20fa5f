internal import Wire

extension FindingID {
  static let sourceOfAnotherInterface = FindingID(rawValue: "source-of-another-interface")
}

/// This host sent it with an address that the interface it left by has not, and nobody had asked for that.
enum SourceOfAnotherInterface: Cause {
  static let page = FindingPage(
    .sourceOfAnotherInterface, "Sent with another interface's address",
    meaning: """
      What this host sends has an address of the interface that it leaves by, as a rule. Here it has another
      one's: the route names it (`src`), or the source had been chosen when a rule gave the packet a mark, by
      which it was routed anew. A provider throws away what comes from an address that is not his, and the answer
      to an address of the LAN finds no way.
      """,
    certainty: """
      Likely: that is seen, and nothing came back.
      """,
    conclusion: """
      A packet of this host's own left by an interface that has not its source, another one has, nothing
      translated it, and the route's `src` is that address; or the packet was to leave by another interface
      before a rule of OUTPUT set its mark.
      """,
    advice: """
      Run the remedy. A route's `src` is to be an address of its own interface. What a mark sends by another uplink
      is masqueraded there; or programs are bound to that uplink's address, and a rule of policy routing goes by it
      (`ip rule add from`).
      """)

  static let needs: [Need] = [.routes]

  static func examine(_ lost: LostPacket) -> Finding? {
    let source = lost.packet.source
    guard lost.stage == .sent, !lost.isReply, lost.isFromHere, lost.isBoundOutside,
      lost.sourceChange == nil, let device = lost.outDevice,
      lost.journey.hops.first?.point.hook == .output,
      !lost.snapshot.isAddress(source, of: device),
      let own = lost.snapshot.address(of: device, version: lost.version),
      let home = lost.snapshot.addresses.entries(source).lazy
        .compactMap({ lost.snapshot.name($0.interface) }).first
    else { return nil }
    let words = "it left \(device) with the source \(source), which is \(Escape.name(home))'s"
    let evidence: [Evidence] = [.address(own, of: device)]
    if let route = PolicyRouting(lost).route, route.preferredSource == source {
      return error(
        "\(words): \(RoutingWords.name(of: route)) says so (src), and the answer may have no "
          + "way back there", confidence: .likely, evidence: evidence + [.route(route)],
        remedy: try RoutingWords.replacement(of: route, source: own.address, lost.snapshot)
      ).withoutWayBack(to: source)
    }
    guard let first = lost.journey.hops.first?.outDevice, first != device, first == home,
      lost.last.mark != 0, let setter = lost.journey.ruleThatSet(mark: lost.last.mark)
    else { return nil }
    return error(
      "\(words): the source was chosen before \(RuleNames.rule(setter)) marked it, by which it was routed anew, to "
        + "\(device); who takes it there may not take that source", confidence: .likely,
      evidence: evidence + [.markSet(lost.last.mark, by: setter)],
      remedy: try Remedy.masquerade(lost, from: Prefix(source), device: device)
    ).withoutWayBack(to: source)
  }
}
