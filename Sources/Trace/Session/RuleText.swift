/// A rule in the words of the tool that made it.
public struct RuleText: Sendable, Codable, Equatable {
  /// NFPROTO_… of the table.
  public var family: UInt8
  /// The table's name.
  public var table: String
  /// The chain's name.
  public var chain: String
  /// nf_tables' handle; nil for a rule of iptables-legacy.
  public var handle: UInt64?
  /// Its place in the chain, from 1, where that is known.
  public var position: Int?
  /// The rule: "ip saddr 10.0.0.0/8 drop", or "-A FORWARD -s 10.0.0.0/8 -j DROP".
  public var text: String
  /// Who wrote it so.
  public var tool: Tool

  /// The tools in whose words rules are told.
  public enum Tool: String, Sendable, Codable {
    case nft, iptables
    case iptablesLegacy = "iptables-legacy"
  }

  /// A rule's text. Of handle and position one at least is there.
  public init(
    family: UInt8, table: String, chain: String, handle: UInt64?, position: Int?, text: String,
    tool: Tool
  ) {
    self.family = family
    self.table = table
    self.chain = chain
    self.handle = handle
    self.position = position
    self.text = text
    self.tool = tool
  }
}
