internal import Wire

/// The TRACE lines of iptables-legacy, which come as log messages: "TRACE: filter:FORWARD:rule:3 ".
enum LegacyTrace {
  private static let prefix = "TRACE: "

  /// The step a log message tells of; nil if it is no TRACE line. The end of a user's chain is none
  /// worth telling.
  static func step(_ message: LogMessage) -> RuleStep? {
    guard message.prefix.hasPrefix(prefix) else { return nil }
    let parts = message.prefix.dropFirst(prefix.count).split(separator: ":").map(String.init)
    guard parts.count >= 4, let number = Int(parts[parts.count - 1].filter(\.isNumber)) else {
      return nil
    }
    // Chains may have colons in their names, tables have not.
    let kind = parts[parts.count - 2]
    let isV4 = message.family == NFProto.ipv4
    return RuleStep(
      family: isV4 ? NFProto.ipv4 : NFProto.ipv6, table: parts[0],
      chain: parts[1..<(parts.count - 2)].joined(separator: ":"),
      kind == "policy" ? .legacyPolicy(position: number) : .legacy(position: number),
      verdict: kind == "return" ? .return : .continue)
  }

  /// Whether a rule or policy that ends a table's chain, in the words of `iptables -S`, lets packets go on.
  static func letsGoOn(_ text: String) -> Bool {
    if text.hasPrefix("-P ") { return text.hasSuffix(" ACCEPT") }
    return text.hasSuffix("-j ACCEPT") || translation(text) != nil
  }

  /// What a rule of iptables translates, told from its text.
  static func translation(_ text: String) -> NFTRuleMessage.Translation? {
    let targets: [(String, NFTRuleMessage.Translation)] = [
      ("MASQUERADE", .masquerade), ("SNAT", .snat), ("DNAT", .dnat), ("REDIRECT", .redirect),
    ]
    return targets.first { text.contains("-j \($0.0)") }?.1
  }
}
