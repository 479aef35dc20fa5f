/// A rule in the words of the tool that made it.
package struct RuleText: Sendable, Equatable {
  /// NFPROTO_… of the table.
  package var family: UInt8
  /// The table's name.
  package var table: String
  /// The chain's name.
  package var chain: String
  /// nf_tables' handle; nil for a rule of iptables-legacy.
  package var handle: UInt64?
  /// Its place in the chain, from 1, where that is known.
  package var position: Int?
  /// The rule: "ip saddr 10.0.0.0/8 drop", or "-A FORWARD -s 10.0.0.0/8 -j DROP".
  package var text: String
  /// Who wrote it so.
  package var tool: Tool

  /// The tools in whose words rules are told.
  package enum Tool: String, Sendable {
    case nft, iptables
    case iptablesLegacy = "iptables-legacy"
  }

  /// A rule's text. Of handle and position one at least is there.
  package init(
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

extension RuleText {
  /// The rule without the chain that it stands in, which iptables says before it: that is told beside it.
  var rule: String {
    let place = "-A \(chain) "
    return tool != .nft && text.hasPrefix(place) ? String(text.dropFirst(place.count)) : text
  }
}

extension RuleText.Tool: JSONCoded {}

extension RuleText: JSONObject {
  static var blank: RuleText {
    RuleText(family: 0, table: "", chain: "", handle: nil, position: nil, text: "", tool: .nft)
  }

  mutating func members(_ json: inout JSONMembers) {
    json.member("chain", &chain)
    json.member("family", &family)
    json.member("handle", &handle)
    json.member("position", &position)
    json.member("table", &table)
    json.member("text", &text)
    json.member("tool", &tool)
  }
}
