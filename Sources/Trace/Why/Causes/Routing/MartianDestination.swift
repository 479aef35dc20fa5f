internal import Wire

extension FindingID {
  static let martianDestination = FindingID(rawValue: "martian-destination")
}

extension InterfaceSetting {
  fileprivate static let routeLocalnet = InterfaceSetting("route_localnet", versions: [4])
}

/// The destination is one that no packet from another machine may have.
enum MartianDestination: Cause {
  static let page = FindingPage(
    .martianDestination, "No packet may come in for this destination",
    meaning: """
      The packet is for a loopback address, or for `0.0.0.0`. From another machine that is not allowed,
      and the kernel drops it without a word. It happens most often after a DNAT rule to 127.0.0.1,
      which is meant to lead to a program that listens on loopback alone.
      """,
    certainty: """
      Always certain: the address alone decides.
      """,
    conclusion: """
      The packet stopped on arrival or in the routing decision, its destination there (after DNAT) is
      such an address, and a route lookup does not find a way for it. The setting `route_localnet` of
      the interface it came in by is in the evidence.
      """,
    advice: """
      Have the program listen on an address of an interface, and translate to that one. Where it has to
      be 127.0.0.1, the remedy sets `route_localnet` of the interface. Then every neighbour on that link
      can reach what listens on loopback, if no rule forbids it.
      """)

  static let needs: [Need] = [.interfaceSetting(.routeLocalnet)]

  static func examine(_ lost: LostPacket) -> Finding? {
    guard lost.stage == .routing || lost.stage == .arrival else { return nil }
    let destination = lost.packet.destination
    guard destination.isLoopback || destination.isThisNetwork,
      lost.version == 6 || lost.route?.route == nil
    else { return nil }
    let setting = lost.setting(.routeLocalnet, of: lost.last.inDevice ?? "")
    let translated = lost.destinationChange
    let why = translated.map { "\($0.from) is translated to \(destination), and a" } ?? "a"
    return error(
      why + " packet for \(destination) may not come in from another machine",
      evidence: (setting.map { [.setting($0.name, value: $0.value)] } ?? []) + lost.reasonEvidence,
      remedy: try translated != nil && destination.isLoopback
        ? setting.map { (setting) throws(Word.Unspeakable) in
          "sysctl -w \(try Word.sysctl(setting.name))=1"
        } : nil)
  }
}
