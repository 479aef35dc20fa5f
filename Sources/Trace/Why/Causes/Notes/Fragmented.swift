internal import Wire

extension FindingID {
  static let fragmented = FindingID(rawValue: "fragmented")
}

extension Counter {
  fileprivate static let fragments4 = Counter("IpFragCreates")
  fileprivate static let fragments6 = Counter("Ip6FragCreates")
}

/// The packet was sent on in fragments.
enum Fragmented: ExchangeNote {
  static let page = FindingPage(
    .fragmented, "Sent on in fragments",
    meaning: """
      The packet was longer than the outgoing interface takes, and was cut into fragments. All of them
      must arrive for it to be of use, and many firewalls drop fragments.
      """,
    certainty: """
      A note, and always certain.
      """,
    conclusion: """
      The fragments were seen at egress, or the first one was, and its length tells how many there are.
      Where there is no egress hook (before Linux 5.16), the interface's MTU and the kernel's counter of
      fragments tell it of a packet that was lost.
      """,
    advice: """
      Nothing, if it was answered. If it was lost, try a shorter packet (`--size`): if that one gets through,
      something on the way drops fragments, and the path's MTU should be found instead (DF set).
      """)

  static func examine(_ exchange: Exchange, _ answers: () -> Answers) -> Finding? {
    // Those that are told alike are told once.
    var told: [(direction: Journey.Direction, fragments: Int, packets: Int)] = []
    for journey in exchange.journeys {
      guard let count = fragments(journey) else { continue }
      let known = told.firstIndex { $0.direction == journey.direction && $0.fragments == count }
      if let known { told[known].packets += 1 } else { told.append((journey.direction, count, 1)) }
    }
    guard let first = told.first else { return nil }
    let words = told.map { "\(name($0.direction, $0.packets)) in \($0.fragments)" }
    let verb = first.packets == 1 ? "was sent on" : "were each sent on"
    return note(
      ([name(first.direction, first.packets) + " \(verb) in \(first.fragments) fragments"]
        + words.dropFirst()).joined(separator: ", "))
  }

  private static func name(_ direction: Journey.Direction, _ packets: Int) -> String {
    let (one, many) =
      switch direction {
      case .request: ("the request", "requests")
      case .reply: ("the reply", "replies")
      case .error: ("the ICMP error", "ICMP errors")
      case .other: ("the packet", "packets")
      }
    return packets == 1 ? one : "\(packets) \(many)"
  }

  /// How many fragments a packet left in: where the others were not seen, the first one tells by its
  /// length. What came in fragments was not made into them here.
  private static func fragments(_ journey: Journey) -> Int? {
    guard let sent = journey.hops.lastIndex(where: { $0.point.hook == .egress }), sent > 0,
      journey.hops[sent].packet.fragment?.more == true,
      journey.hops[sent - 1].packet.fragment == nil
    else { return nil }
    if journey.hops[sent].fragments > 1, journey.hops[sent].hasAllFragments {
      return journey.hops[sent].fragments
    }
    let header = journey.packet.source.family == 4 ? 20 : 40
    // IPv6 says in a header of eight octets which fragment it is.
    let room = journey.hops[sent].packet.length - header - (header == 40 ? 8 : 0)
    guard room > 0 else { return nil }
    return (journey.hops[sent - 1].packet.length - header + room - 1) / room
  }

  /// Where fragments themselves are not told apart at egress, the link's MTU and a counter tell.
  enum OnTheWay: LossNote {
    static var page: FindingPage { Fragmented.page }
    static let needs: [Need] = [.counter(.fragments4), .counter(.fragments6), .neighbours]

    static func examine(_ lost: LostPacket) -> Finding? {
      let counter = lost.version == 4 ? Counter.fragments4 : .fragments6
      guard lost.stage == .sent, !lost.isReply, lost.delta(counter) > 1,
        let device = lost.outDevice, let mtu = lost.snapshot.link(device)?.mtu,
        lost.journey.packet.length > Int(mtu),
        !lost.exchange.journeys.contains(where: { fragments($0) != nil })
      else { return nil }
      return note(
        "it has \(lost.journey.packet.length) octets and \(device) takes \(mtu), so it was sent on in "
          + "fragments", evidence: lost.rises([counter]))
    }
  }
}
