package import Wire

/// Tells from nf_tables' notifications who changed what: the user's chains, or nftrace's own tables.
///
/// A transaction ends with an NFT_MSG_NEWGEN that names the program. What a program called nftrace
/// did is in order; anybody else has no business in nftrace's tables.
package struct RulesetWatch: Sendable {
  static let deleteTableType: UInt16 = 0x0a02
  private static let generation: UInt16 = 0x0a0f
  /// What nftrace's processes are called.
  package static let program = "nftrace"

  private var touchedOwn = false
  private var touchedOthers = false
  /// Nanoseconds of the first and the latest change that was not seen to.
  private var first: UInt64?
  private var latest: UInt64 = 0
  /// Whether somebody else changed nftrace's tables.
  package private(set) var isDamaged = false

  /// Changes are seen to when there was none for so long, in nanoseconds…
  static let quiet: UInt64 = 200_000_000
  /// …or when the first is this old: rulesets may be changed all the time.
  static let patience: UInt64 = 1_000_000_000

  /// Nothing has changed.
  package init() {}

  /// The table a message of nf_tables is about. The name is attribute 1 of tables, chains, rules,
  /// sets and objects alike.
  static func table(of message: NetlinkMessage) -> String? {
    (try? NetlinkAttribute.all(in: message.payload, from: NetfilterHeader.length))?[type: 1]?
      .string
  }

  /// The program that carried out a transaction, from the message that ends it; nil for others.
  static func changer(_ message: NetlinkMessage) -> String? {
    guard message.type == generation else { return nil }
    // NFTA_GEN_PROC_NAME.
    let attributes = try? NetlinkAttribute.all(in: message.payload, from: NetfilterHeader.length)
    return attributes?[type: 3]?.string ?? "another program"
  }

  /// Takes in a message that came at `now` (nanoseconds). Returns whether it belongs in a record of
  /// what happened: nftrace's own doings do not, nor the elements of sets.
  package mutating func take(_ message: NetlinkMessage, now: UInt64) -> Bool {
    guard message.type >> 8 == UInt16(NetfilterSubsystem.nftables),
      message.type != TraceMessage.type
    else { return true }
    if message.type == Self.generation { return takeGeneration(message, now) }
    let isOwn = Self.table(of: message).map(OwnTable.isOne) ?? false
    if isOwn {
      touchedOwn = true
      return false
    }
    switch message.type & 0xff {
    // Tables and chains, made and gone.
    case 0, 2, 3, 5:
      touchedOthers = true
      return true
    // Rules.
    case 6, 8: return true
    default: return false
    }
  }

  /// NFTA_GEN_PROC_NAME is 3.
  private mutating func takeGeneration(_ message: NetlinkMessage, _ now: UInt64) -> Bool {
    let attributes = try? NetlinkAttribute.all(in: message.payload, from: NetfilterHeader.length)
    let isOurs = attributes?[type: 3]?.string == Self.program
    if touchedOwn || touchedOthers {
      first = first ?? now
      latest = now
    }
    if touchedOwn, !isOurs { isDamaged = true }
    touchedOwn = false
    touchedOthers = false
    return !isOurs
  }

  /// When the changes so far are to be seen to, in nanoseconds; nil if there are none.
  package var due: UInt64? {
    first.map { min(latest.later(by: Self.quiet), $0.later(by: Self.patience)) }
  }

  /// The changes so far are seen to.
  package mutating func settle() {
    first = nil
    isDamaged = false
  }

  /// Messages were lost: anything may have changed.
  package mutating func suspect(now: UInt64) {
    first = first ?? now
    latest = now
  }
}
