internal import Wire

/// The policies of IPsec that a packet met where it stopped.
struct SecurityPolicies {
  /// Whether the kernel itself says that one of them did it.
  let isNamed: Bool
  /// Those that do not let it pass, the first to be asked first.
  private let refusing: [SecurityPolicy]

  /// Of a packet that stopped where they are asked; nil if it did not, or the kernel says otherwise.
  init?(_ lost: LostPacket) {
    let reason = lost.dropReason ?? lost.socketReason
    isNamed = reason == "XFRM_POLICY"
    // No socket is what the kernel says of every answer to a TCP probe of its own, whose port nobody has.
    let isOwnAnswer =
      lost.isReply && lost.stage == .delivered && lost.header?.probe?.entrance == .local
    // NAT asks them anew for what it has translated, and drops what they refuse in its hook's name.
    let isInNAT = lost.stage == .within(.postrouting)
    guard
      isNamed || reason == nil || reason == "NOT_SPECIFIED"
        || isOwnAnswer && reason == "NO_SOCKET" || isInNAT && reason == "NETFILTER_DROP"
    else { return nil }
    let policies = lost.host(.policies).policies ?? []
    let index = { (device: String?) in lost.snapshot.link(device)?.index }
    var met: [SecurityPolicy?] = []
    switch lost.stage {
    case .routing, .beforePostrouting:
      if lost.inDevice != nil {
        met.append(Self.first(policies, lost.packet, .forwarded, by: index(lost.inDevice)))
      }
      // Which interface it is to leave by is not known of what did not get that far.
      met.append(Self.first(policies, lost.packet, .outgoing, by: index(lost.outDevice)))
    case .delivered:
      met.append(Self.first(policies, lost.packet, .incoming, by: index(lost.inDevice)))
      if !lost.isReply, !isNamed, lost.refusal == nil {
        met.append(Self.first(policies, lost.packet.answer, .outgoing, by: nil))
      }
    case .within(.postrouting):
      met = lost.translated.map { Self.first(policies, $0, .outgoing, by: index(lost.outDevice)) }
    default: guard isNamed else { return nil }
    }
    refusing = met.compactMap { $0 }.filter(\.refuses)
  }

  /// Of a packet of this host's own that it would not send.
  init?(_ unsent: UnsentPacket) {
    guard Self.errnos.contains(unsent.errno), let policies = unsent.snapshot.host.policies else {
      return nil
    }
    isNamed = false
    refusing = [Self.first(policies, unsent.packet, .outgoing, by: nil)].compactMap { $0 }
      .filter(\.refuses)
  }

  /// Whether a policy keeps a packet that came for this host from every program of it.
  static func block(_ policies: [SecurityPolicy], _ packet: Packet, by device: UInt32?) -> Bool {
    first(policies, packet, .incoming, by: device)?.isBlock == true
  }

  /// What sending says where a policy blocks (EPERM) or finds no association: ESRCH, EAGAIN, EREMOTE.
  private static let errnos: Set<Int32> = [1, 3, 11, 66]

  /// The policy that stopped it, and whether that is certain.
  var decider: (policy: SecurityPolicy, isCertain: Bool)? { refusing.first.map { ($0, isNamed) } }

  /// The one that counts of those that fit a packet.
  private static func first(
    _ policies: [SecurityPolicy], _ packet: Packet, _ direction: SecurityPolicy.Direction,
    by device: UInt32?
  ) -> SecurityPolicy? {
    policies.filter { $0.fits(packet, direction, by: device) }.min { $0.priority < $1.priority }
  }
}

extension LostPacket {
  /// What NAT at POSTROUTING may have made of the packet that it was to send: what its connection says, else what
  /// masquerading makes of it.
  fileprivate var translated: [Packet] {
    var made = packet
    if let connection = journey.connection, let original = connection.original,
      let reply = connection.reply
    {
      (made.source, made.destination) =
        isReply
        ? (original.destination, original.source) : (reply.destination, reply.source)
      return [made]
    }
    guard !isReply else { return [] }
    return snapshot.addresses.own(on: snapshot.link(outDevice)?.index, version: version).map {
      made.source = $0
      return made
    }
  }
}

extension SecurityPolicy {
  /// What it stopped: of a packet that was delivered here, the answer that this host did not make.
  func what(_ lost: LostPacket) -> String {
    lost.stage == .delivered && direction == .outgoing ? "answer" : RuleNames.what(lost)
  }

  /// Whether it lets no unprotected packet pass. What is forwarded and what came in for this host has
  /// come unprotected: a hook has seen what was in it.
  fileprivate var refuses: Bool {
    isBlock || wantsProtection && (direction != .outgoing || !hasAssociation)
  }
}
