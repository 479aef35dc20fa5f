import Testing

@testable import Report

struct TerminalSafeTests {
  /// The second wall: colours of nftrace's own, line ends and tabs are all that passes.
  @Test func whatOthersChooseIsNoControlSequence() {
    #expect(TerminalSafe.clean("eth0 → wan.up ✗\n\tµs") == "eth0 → wan.up ✗\n\tµs")
    #expect(TerminalSafe.clean("\u{1b}[31mred\u{1b}[0m") == "\u{1b}[31mred\u{1b}[0m")
    #expect(TerminalSafe.clean("a\u{1b}]0;title\u{07}b") == "a\\x1b]0;title\\x07b")
    #expect(TerminalSafe.clean("\u{1b}[2J\r\u{7f}") == "\\x1b[2J\\r\\x7f")
    #expect(TerminalSafe.clean("\u{9b}2J\u{202e}abc") == "\\x9b2J\\u{202e}abc")
    #expect(TerminalSafe.clean("\u{2028}\u{200b}\u{feff}") == "\\u{2028}\\u{200b}\\u{feff}")
    #expect(TerminalSafe.clean("") == "")
  }

  /// Text of others stays within its line, and has no colours, whatever they may look like.
  @Test func whatComesIntoALineIsWrittenOut() {
    let name = "\u{1b}[31mx\n  remedy    sh\u{202e}\u{e0001}\t"
    let line: StyledLine = "in \(name), \(StyledLine("a", .bad))"
    #expect(
      ANSI.text(line, color: true)
        == "in \\x1b[31mx\\n  remedy    sh\\u{202e}\\u{e0001}\\t, \u{1b}[31ma\u{1b}[0m")
    #expect(StyledLine(name).text == (name + StyledLine("")).text)
    let strong = StyledLine(name, .strong)
    #expect(ANSI.text(strong, color: true).split(separator: "\u{1b}").count == 2)
    #expect(ANSI.text(strong, color: false) == StyledLine(name).text)
  }
}
