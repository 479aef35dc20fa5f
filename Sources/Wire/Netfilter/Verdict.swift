/// A verdict as nf_tables codes it. Unknown ones are kept.
package struct Verdict: RawRepresentable, Sendable, Hashable, CustomStringConvertible {
  /// The code as it is on the wire.
  package let rawValue: Int32
  /// The verdict of a code, known or not.
  package init(rawValue: Int32) { self.rawValue = rawValue }

  /// NF_DROP.
  package static let drop = Verdict(rawValue: 0)
  /// NF_ACCEPT.
  package static let accept = Verdict(rawValue: 1)
  /// NF_STOLEN: somebody else has the packet now.
  package static let stolen = Verdict(rawValue: 2)
  /// NF_QUEUE, to queue 0.
  package static let queue = Verdict(rawValue: 3)
  /// NFT_CONTINUE: the next rule, or the end of the chain.
  package static let `continue` = Verdict(rawValue: -1)
  /// NFT_BREAK: the rule did not match.
  package static let `break` = Verdict(rawValue: -2)
  /// NFT_JUMP, to return here.
  package static let jump = Verdict(rawValue: -3)
  /// NFT_GOTO, to return to the chain before.
  package static let goto = Verdict(rawValue: -4)
  /// NFT_RETURN.
  package static let `return` = Verdict(rawValue: -5)

  /// The number of the queue, for NF_QUEUE: its low octet is 3 and flags stand between.
  package var queueNumber: UInt16? {
    rawValue > 0 && rawValue & 0xff == 3
      ? UInt16(truncatingIfNeeded: rawValue >> 16) : nil
  }

  /// Whether a queue without a listener lets the packet pass (NF_VERDICT_FLAG_QUEUE_BYPASS).
  package var bypasses: Bool { queueNumber != nil && rawValue & 0x8000 != 0 }

  /// The word nft(8) has for it.
  package var description: String {
    switch self {
    case .drop: "drop"
    case .accept: "accept"
    case .stolen: "stolen"
    case .continue: "continue"
    case .break: "break"
    case .jump: "jump"
    case .goto: "goto"
    case .return: "return"
    default: queueNumber.map { "queue to \($0)" } ?? "verdict \(rawValue)"
    }
  }
}
