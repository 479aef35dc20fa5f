internal import Wire

extension FindingID {
  static let invalidStateDrop = FindingID(rawValue: "invalid-state-drop")
}

extension Setting {
  fileprivate static let tcpLoose = Setting("net/netfilter/nf_conntrack_tcp_loose")
  fileprivate static let checksums = Setting("net/netfilter/nf_conntrack_checksum")
}

extension Counter {
  fileprivate static let conntrackInvalid = Counter("ct.invalid")
}

/// A rule dropped what conntrack can make nothing of.
enum InvalidStateDrop: Cause {
  static let page = FindingPage(
    .invalidStateDrop, "A rule drops packets of state invalid",
    meaning: """
      Most firewalls drop packets that conntrack calls invalid. A packet is invalid if it belongs to no
      connection that conntrack knows and cannot begin one, or if it is damaged. The finding says which
      of these it was, as far as that can be known.
      """,
    certainty: """
      Always certain that the rule dropped it. Why conntrack calls the packet invalid is told where
      something here shows it: a wrong checksum, or `nf_conntrack_tcp_loose` = 0.
      """,
    conclusion: """
      The rule that decided asks for the state invalid (`ct state invalid`, `--ctstate INVALID`), and
      its verdict is drop. Since Linux 6.16 the kernel's trace tells the state of a packet; before, the
      rule's text and conntrack's counter `invalid` do.
      """,
    advice: """
      Look for the other half of the connection: if its packets take another way (asymmetric routing),
      conntrack here never saw the beginning. After a reload of conntrack, or with
      `nf_conntrack_tcp_loose` = 0, connections that were open before are invalid until they begin anew.
      A wrong checksum comes from a faulty device or driver, or from a rule that rewrites packets. The
      remedy lets conntrack take up connections in their middle, where it is told not to; otherwise it
      accepts this packet before the rule. There is none for a damaged one, which its receiver
      would not take either, none where the packet would leave with a private source that is to be
      translated, for NAT passes over what is invalid, and none for a chain of prerouting or output with a priority below -200: it
      has to be made again with a higher one, such as -150, or in iptables' mangle table.
      """)

  static let needs: [Need] = [
    .counter(.conntrackInvalid), .setting(.tcpLoose), .setting(.checksums), .trackingRules,
    .host(.rulesBeside), .host(.sourceTranslations),
  ]

  static func examine(_ lost: LostPacket) -> Finding? {
    guard let step = lost.decider, step.verdict == .drop, !step.isPolicy,
      // Conntrack's counters are everybody's: they count where nothing is known of this packet.
      lost.isInvalid || asksForInvalid(step.text)
        || lost.journey.connection == nil && lost.delta(.conntrackInvalid) > 0,
      step.text?.contains("invalid") == true || step.text?.contains("INVALID") == true
    else { return nil }
    var why = "it belongs to no connection that conntrack knows"
    let isDamaged =
      lost.packet.hasWrongChecksum && lost.inDevice != nil && lost.value(of: .checksums) != "0"
    if isDamaged { why = "its checksum is wrong" }
    let isStrict = isWithinConnection(lost.packet) && lost.value(of: .tcpLoose) == "0"
    if isStrict, !isDamaged {
      why = "it does not begin a connection, and nf_conntrack_tcp_loose is 0"
    }
    let ruling = Ruling(lost, step)
    let isEarly = lost.snapshot.place(of: ruling.path.first ?? step).map(isBeforeConntrack) ?? false
    if isEarly {
      why = "its chain stands before conntrack, where every packet is of that state"
    }
    let parted = PartedZones(ofAnswer: lost)
    if let parted { why = parted.words }
    return error(
      "\(RuleNames.rule(step)) drops packets of state invalid: \(why)", by: ruling,
      evidence: parted?.evidence ?? [],
      // Whoever gets a damaged packet does not take it either. Of a chain at a wrong place, the next
      // rule would drop the answer: who made it has to make it at another.
      remedy: try isDamaged || isEarly
        ? nil
        : Remedy.first(
          parted?.remedy,
          isStrict && parted == nil ? loose : leaks(lost) ? nil : ruling.remedy))
  }

  /// Takes a connection up where it is seen first, and translates it.
  private static let loose: Command = "sysctl -w net.netfilter.nf_conntrack_tcp_loose=1"

  /// Whether conntrack takes such a segment for one of a connection that it did not see begin, where it may:
  /// tcp_conntracks, net/netfilter/nf_conntrack_proto_tcp.c.
  private static func isWithinConnection(_ packet: Packet) -> Bool {
    guard let flags = packet.tcp?.flags else { return false }
    return flags.contains(.ack) && flags.isDisjoint(with: [.syn, .fin, .rst])
  }

  /// Whether the packet, let through, would leave with the source that is to be translated: NAT passes over what is
  /// invalid.
  private static func leaks(_ lost: LostPacket) -> Bool {
    lost.isInvalid && !lost.isReply && !lost.isFromHere && lost.packet.source.isPrivate
      && lost.journey.places.last?.point.hook == .forward
      && (lost.host(.sourceTranslations).sourceTranslations ?? 0) > 0
  }

  /// Whether a chain sees packets before conntrack does: NF_IP_PRI_CONNTRACK, <linux/netfilter_ipv4.h>.
  private static func isBeforeConntrack(_ chain: (hook: Hook, priority: Int32)) -> Bool {
    [.prerouting, .output].contains(chain.hook) && chain.priority < -200
  }

  /// Whether only packets of state invalid meet the rule: then one that did was of that state.
  private static func asksForInvalid(_ text: String?) -> Bool {
    guard let text, !text.contains("! --") else { return false }
    return ["ct state invalid ", "--ctstate INVALID ", "--state INVALID "].contains {
      text.contains($0)
    }
  }
}

extension Packet {
  /// Whether its ICMP checksum was seen to be wrong. What this host sends has none before it leaves.
  fileprivate var hasWrongChecksum: Bool {
    guard let icmp, fragment == nil else { return false }
    let whole = bytes
    let start = source.family == 4 ? 20 : 40
    guard whole.count == length, whole.count >= start + 4 else { return false }
    return icmp.checksum != UInt16(whole[start + 2]) << 8 | UInt16(whole[start + 3])
  }
}
