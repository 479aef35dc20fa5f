internal import Wire

/// What a rule for transparent proxying asks for: iptables' TPROXY, nft's tproxy.
struct TransparentProxy {
  /// The port of the proxy's socket; nil where the packet's own stays.
  let port: UInt16?
  /// The mark that the rule gives, and the bits of it that count; nil where it gives none.
  let mark: (value: UInt32, mask: UInt32)?

  /// nil for a rule that is none.
  init?(_ step: RuleStep) {
    guard let text = step.text else { return nil }
    self.init(text)
  }

  /// nil for the text of a rule that is none.
  init?(_ text: String) {
    let words = text.split(separator: " ")
    func after(_ name: String) -> Substring? {
      words.firstIndex { $0 == name }.flatMap { words.dropFirst($0 + 1).first }
    }
    if text.contains("-j TPROXY") {
      port = after("--on-port").flatMap { UInt16($0) }
      let parts = after("--tproxy-mark").map { $0.split(separator: "/").map(Self.number) } ?? []
      mark = (parts.first ?? nil).map { value in
        (value, parts.count > 1 ? parts[1] ?? .max : .max)
      }
    } else if let place = words.firstIndex(of: "tproxy") {
      port = words[place...].first { $0.contains(":") }
        .flatMap { $0.split(separator: ":").last }.flatMap { UInt16($0) }
      let set = words.indices.first {
        words[$0] == "mark" && words.dropFirst($0 + 1).first == "set"
      }
      mark = set.flatMap { words.dropFirst($0 + 2).first }.flatMap(Self.number).map { ($0, .max) }
    } else {
      return nil
    }
  }

  private static func number(_ word: Substring) -> UInt32? {
    word.hasPrefix("0x") ? UInt32(word.dropFirst(2), radix: 16) : UInt32(word)
  }

  /// Whether packets that go through it are for this host then.
  static func isOne(_ step: RuleStep) -> Bool {
    step.text?.contains("-j TPROXY") == true
      || step.text?.split(separator: " ").contains("tproxy") == true
  }
}
