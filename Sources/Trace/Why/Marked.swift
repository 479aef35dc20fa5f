internal import Wire

/// Who gave a packet the mark by which a rule of policy routing chose it.
struct Marked {
  private let mark: UInt32
  private let setter: RuleStep
  /// The program whose rule that is.
  private let owner: Owner?

  /// nil where the rule asks for no mark, or no rule that was seen has set it.
  init?(_ lost: LostPacket, by rule: RoutingRule) {
    guard let asked = rule.mark, asked != 0, let mark = lost.routed?.mark, mark != 0,
      let setter = lost.journey.ruleThatSet(mark: mark)
    else { return nil }
    self.mark = mark
    self.setter = setter
    owner = Owner(setter)
  }

  /// Behind a sentence about the rule.
  fileprivate var words: String {
    let whose = owner.map { owner in
      "; it is \(owner.rawValue)'s" + (owner.adviceOnRouting.map { ": \($0)" } ?? "")
    }
    return ", for \(RuleNames.rule(setter)) gave it the mark 0x\(String(mark, radix: 16))"
      + (whose ?? "")
  }

  fileprivate var evidence: Evidence { .markSet(mark, by: setter) }
  fileprivate var ownerName: Owner? { owner }
}

extension Owner {
  /// How a program is told otherwise whose marks choose where packets are led.
  var adviceOnRouting: String? {
    switch self {
    case .mwan3: "it refuses where no uplink is up: see 'mwan3 status'"
    case .tailscale: "see 'tailscale status'"
    case .wgQuick: "it keeps packets from going past the tunnel"
    case .mullvad: "it lets nothing past its tunnel: see 'mullvad status'"
    case .nordVPN: "see 'nordvpn status'"
    default: nil
    }
  }
}

extension Finding {
  /// The same, with who gave the packet the mark that it was chosen by. What a program has made is not to be taken away: it would
  /// make it anew.
  func chosen(by marked: Marked?) -> Finding {
    guard let marked else { return self }
    var finding = self
    finding.summary += marked.words
    finding.evidence.append(marked.evidence)
    finding.owner = finding.owner ?? marked.ownerName
    if marked.ownerName != nil {
      finding.remedy = nil
      finding.alternatives = []
    }
    return finding
  }
}
