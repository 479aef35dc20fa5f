internal import Wire

extension MissingMasquerade {
  /// A route to this one host, as programs for VPNs leave behind, leads it out of an interface where no rule translates: the way that
  /// it would take without that route is translated.
  enum PastUplink: Cause {
    static var page: FindingPage { MissingMasquerade.page }
    static let needs: [Need] = [.routes, .host(.sourceTranslations)]

    static func examine(_ lost: LostPacket) -> Finding? {
      guard lost.stage == .sent, lost.sourceChange == nil, !lost.isFromHere, !lost.isReply,
        lost.packet.source.isPrivate, !lost.packet.destination.isPrivate,
        let used = PolicyRouting(lost).route, used.gateway == nil,
        used.destination.length == lost.packet.destination.bitWidth,
        let other = lost.snapshot.routes.routes(to: lost.packet.destination).last(where: {
          $0.table == used.table && $0.kind == .unicast
            && $0.destination.length < used.destination.length
            && $0.outputInterface != used.outputInterface
        }), let uplink = lost.snapshot.name(other.outputInterface),
        translates(by: uplink, lost)
      else { return nil }
      let device = lost.outDevice ?? "?"
      return error(
        "it left \(device) with the private source \(lost.packet.source), so the answer has no way back: the route to "
          + "\(RoutingWords.text(used.destination)) leads there, more special than "
          + "\(RoutingWords.name(of: other)) by \(uplink), where a rule translates it; a program may have left it "
          + "behind",
        confidence: .likely, evidence: [.route(used), .route(other)],
        remedy: RoutingWords.deletion(used))
    }

    /// Whether a rule would translate the packet, had it left by this interface.
    private static func translates(by uplink: String, _ lost: LostPacket) -> Bool {
      let families = [NFProto.inet, lost.version == 4 ? NFProto.ipv4 : NFProto.ipv6]
      var seen = SeenPacket(lost)
      seen.output = uplink
      return (lost.host(.sourceTranslations).sourceRules ?? []).contains {
        families.contains($0.family) && RuleConditions($0.text).difference(seen) == nil
          && RuleConditions($0.text).difference(lost) != nil
      }
    }
  }
}
