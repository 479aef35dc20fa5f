package import Wire

/// Notices which of the user's rules decide over packets, so that their texts can be read and
/// recorded: each once. It keeps no packets, for a recorder runs for long.
package struct DecidingRules: Sendable {
  private struct Key: Hashable {
    var family: UInt8
    var table: String
    var chain: String
    var handle: UInt64
  }

  /// What was read of a rule; nothing when it could not be read.
  private struct Known {
    /// Its NFT_MSG_NEWRULE.
    var message: NetlinkMessage?
    /// How its tool lists it.
    var text: RuleText?
  }

  private var known: [Key: Known] = [:]
  private var unread: [RuleStep] = []
  /// Rules that were asked for: the kernel tells of new ones by itself, but not their texts.
  private var asked: Set<Key> = []
  /// Steps that were looked at, by `TraceMessage.fingerprint`: nearly all that comes is one of them.
  private var seen: Set<UInt64> = []
  /// What was read of rules and is not certain yet: a table that is made anew has other rules under
  /// the same handles, and the kernel tells of it a moment after they can be read.
  private var held: [Record] = []

  /// More rules than this are not remembered: a recorder's memory has its bounds.
  static let most = 8192

  /// Nothing is known.
  package init() {}

  /// Takes in a message of the kernel.
  package mutating func take(_ message: NetlinkMessage) {
    switch message.type {
    case TraceMessage.type: takeTrace(message)
    case NFTRuleMessage.newType: note(message)
    // A table that is made anew counts its handles from the beginning.
    case RulesetWatch.deleteTableType:
      guard let gone = TableName(removedBy: message) else { return }
      known = known.filter { TableName($0.key.family, $0.key.table) != gone }
      asked = asked.filter { TableName($0.family, $0.table) != gone }
      seen = []
      held.removeAll { $0.tellsOfRule(in: [gone]) }
    default: break
    }
  }

  private mutating func takeTrace(_ message: NetlinkMessage) {
    guard let print = TraceMessage.fingerprint(message.payload), seen.insert(print).inserted else {
      return
    }
    if seen.count > 4 * Self.most { seen = [print] }
    guard let trace = try? TraceMessage(message.payload), let handle = trace.handle,
      trace.verdict != .continue, !OwnTable.isOne(trace.table)
    else { return }
    let key = Key(family: trace.family, table: trace.table, chain: trace.chain, handle: handle)
    if asked.count >= Self.most {
      asked.removeAll()
      seen = [print]
    }
    guard asked.insert(key).inserted else { return }
    if known.count >= Self.most { known.removeAll() }
    if known[key] == nil { known[key] = Known() }
    unread.append(
      RuleStep(
        family: trace.family, table: trace.table, chain: trace.chain, .nft(handle: handle),
        verdict: trace.verdict))
  }

  /// Keeps what a rule's NFT_MSG_NEWRULE says.
  private mutating func note(_ message: NetlinkMessage) {
    guard let rule = try? NFTRuleMessage(message.payload),
      !OwnTable.isOne(rule.table)
    else { return }
    if known.count >= Self.most { known.removeAll() }
    let key = Key(family: rule.family, table: rule.table, chain: rule.chain, handle: rule.handle)
    // Another rule has another text.
    if let before = known[key]?.message, before.payload != message.payload { known[key] = nil }
    known[key, default: Known()].message = message
  }

  private mutating func note(_ text: RuleText) {
    guard let handle = text.handle else { return }
    let key = Key(family: text.family, table: text.table, chain: text.chain, handle: handle)
    if known.count >= Self.most { known.removeAll() }
    known[key, default: Known()].text = text
  }

  /// The rules that decided and are to be read; they are not named again.
  package mutating func takeUnread() -> [RuleStep] {
    let steps = unread
    unread = []
    return steps
  }

  /// Holds back what was read of rules until it is certain that they are the ones that decided.
  package mutating func hold(_ answers: [Record]) { held += answers }

  /// Whether something is held back.
  package var isHolding: Bool { !held.isEmpty }

  /// What was read of rules, once all is taken in that the kernel had told by then.
  package mutating func takeHeld() -> [Record] {
    let records = held
    held = []
    for record in records {
      switch record.content {
      case .netlink(let rule): note(rule)
      case .note(.rule(let text)): note(text)
      default: break
      }
    }
    return records
  }

  /// All that is known of rules, as records of this time in nanoseconds since the epoch, for a file that begins anew:
  /// who reads it has no other.
  package func records(at time: UInt64) -> [Record] {
    known.values.flatMap { rule in
      [
        rule.message.map { Record(time: time, .netlink($0)) },
        rule.text.map { Record(time: time, .note(.rule($0))) },
      ].compactMap(\.self)
    }
  }
}
