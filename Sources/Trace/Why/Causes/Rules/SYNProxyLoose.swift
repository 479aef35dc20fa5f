internal import Wire

extension FindingID {
  static let synProxyLoose = FindingID(rawValue: "syn-proxy-loose")
}

extension Setting {
  fileprivate static let loose = Setting("net/netfilter/nf_conntrack_tcp_loose")
}

/// A SYN proxy answers, and conntrack keeps from it what the client acknowledges.
enum SYNProxyLoose: Cause {
  static let page = FindingPage(
    .synProxyLoose, "A SYN proxy does not get what the client acknowledges",
    meaning: """
      A SYN proxy of this host answers clients in the server's place, and asks the server once a client has acknowledged
      that. Its rule takes that segment for its state, INVALID. With `net.netfilter.nf_conntrack_tcp_loose`, conntrack
      takes up connections that it has not seen begin, and to it the segment is NEW: it goes on to the server, which
      knows of no connection and resets it. Connections begin, and break.
      """,
    certainty: """
      Certain where the segment was seen to leave in the proxy's stead. A warning where a SYN alone was sent: the rule
      and the setting say what will come of the client's next segment.
      """,
    conclusion: """
      A rule with `synproxy` or `-j SYNPROXY`, which asks for the state INVALID, took the SYN, and the setting is not 0.
      """,
    advice: """
      Run the remedy; a file in /etc/sysctl.d has it last. iptables-extensions(8) has the rules that go with it: SYNs are
      not tracked (`-j CT --notrack`), and what is INVALID or UNTRACKED goes to the proxy.
      """)

  static let needs: [Need] = [.setting(.loose)]

  static func examine(_ lost: LostPacket) -> Finding? {
    guard lost.header?.probe?.data != nil, [.sent, .behindEgress].contains(lost.stage),
      !lost.isReply,
      lost.journey.packet.isBareAcknowledgment, isLoose(lost.value(of: .loose))
    else { return nil }
    return error(
      "this host's SYN proxy did not get what the client acknowledged: conntrack took it for a new connection and "
        + "let it go to \(lost.packet.destination), which knows of none", evidence: evidence,
      remedy: remedy)
  }

  private static func isLoose(_ value: String?) -> Bool { value.map { $0 != "0" } ?? false }

  private static var evidence: [Evidence] { [.setting(Setting.loose.name, value: "1")] }

  private static let remedy: Command = "sysctl -w net.netfilter.nf_conntrack_tcp_loose=0"

  /// What waits for the client of a SYN that the proxy answered.
  enum Warning: ExchangeNote {
    static var page: FindingPage { SYNProxyLoose.page }
    static var needs: [Need] { SYNProxyLoose.needs }

    static func asks(about journeys: [Journey], _ snapshot: Snapshot) -> Bool {
      // What the rule says is asked at the same time.
      journeys.contains(where: \.isProxied)
    }

    static func examine(_ exchange: Exchange, _ answers: () -> Answers) -> Finding? {
      guard isForInvalid(exchange.journeys), isLoose(answers().value(of: .loose)) else {
        return nil
      }
      return warning(
        "this host's SYN proxy answers, and will not get what the client acknowledges then: its rule waits for the "
          + "state INVALID, and conntrack takes that segment for a new connection",
        confidence: .likely, evidence: evidence, remedy: remedy)
    }

    /// Whether a SYN proxy took a SYN by a rule that asks for the state INVALID, and was not seen to go on with it.
    private static func isForInvalid(_ journeys: [Journey]) -> Bool {
      let isGoneOn = journeys.contains {
        $0.direction == .request && $0.way.first.point.hook == .output
      }
      return !isGoneOn
        && journeys.contains { journey in
          journey.isProxied
            && journey.end.decider?.rule.text?.lowercased().contains("invalid") == true
        }
    }
  }
}
