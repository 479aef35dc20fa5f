import Report
import Testing

struct PrintableTests {
  @Test func whatOthersChooseIsNoControlSequence() {
    #expect(Printable.clean("eth0 → wan.up ✗\n\tµs") == "eth0 → wan.up ✗\n\tµs")
    #expect(Printable.clean("\u{1b}[31mred\u{1b}[0m") == "\u{1b}[31mred\u{1b}[0m")
    #expect(Printable.clean("a\u{1b}]0;title\u{07}b") == "a^[]0;title^Gb")
    #expect(Printable.clean("\u{1b}[2J\r\u{7f}") == "^[[2J^M^?")
    #expect(Printable.clean("\u{9b}2J\u{202e}abc") == "?2J?abc")
    #expect(Printable.clean("") == "")
  }
}
