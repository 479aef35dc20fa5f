/// A verdict as nf_tables codes it. Unknown ones are kept.
public struct Verdict: RawRepresentable, Sendable, Hashable, CustomStringConvertible {
  /// The code as it is on the wire.
  public let rawValue: Int32
  /// The verdict of a code, known or not.
  public init(rawValue: Int32) { self.rawValue = rawValue }

  /// NF_DROP.
  public static let drop = Verdict(rawValue: 0)
  /// NF_ACCEPT.
  public static let accept = Verdict(rawValue: 1)
  /// NF_STOLEN: somebody else has the packet now.
  public static let stolen = Verdict(rawValue: 2)
  /// NF_QUEUE, to queue 0.
  public static let queue = Verdict(rawValue: 3)
  /// NFT_CONTINUE: the next rule, or the end of the chain.
  public static let `continue` = Verdict(rawValue: -1)
  /// NFT_BREAK: the rule did not match.
  public static let `break` = Verdict(rawValue: -2)
  /// NFT_JUMP, to return here.
  public static let jump = Verdict(rawValue: -3)
  /// NFT_GOTO, to return to the chain before.
  public static let goto = Verdict(rawValue: -4)
  /// NFT_RETURN.
  public static let `return` = Verdict(rawValue: -5)

  /// The number of the queue, for NF_QUEUE: its low octet is 3 and flags stand between.
  public var queueNumber: UInt16? {
    rawValue > 0 && rawValue & 0xff == 3
      ? UInt16(truncatingIfNeeded: rawValue >> 16) : nil
  }

  /// Whether a queue without a listener lets the packet pass (NF_VERDICT_FLAG_QUEUE_BYPASS).
  public var bypasses: Bool { queueNumber != nil && rawValue & 0x8000 != 0 }

  /// The word nft(8) has for it.
  public var description: String {
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
