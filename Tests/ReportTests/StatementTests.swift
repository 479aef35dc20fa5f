import Report
import Testing
import Trace

/// What is stated once is told in both languages.
struct StatementTests {
  private let tun = Statement(
    "tun",
    of: [
      Statement("name", .string("tun5"), Statement.row("TUN", "tun5")),
      Statement("made", .bool(true), more: ", made by setup"),
    ])

  @Test func partsAreAnObjectAndLines() {
    let statements = [
      Statement("points", .int(7), "at 7 points"), tun, Statement("forward", .bool(false)),
    ]
    #expect(
      statements.object.line
        == #"{"points":7,"tun":{"name":"tun5","made":true},"forward":false}"#)
    #expect(statements.lines.map(\.text) == ["at 7 points", "TUN        tun5, made by setup"])
  }

  @Test func remarksStayWhereTheyComeUp() {
    let statements = [
      Statement("a", .int(1), "one"), .words(.remark("mind")), Statement("b", .int(2), "two"),
      Statement("c", .int(3), more: ", three"),
    ]
    #expect(statements.told == [.result("one"), .remark("mind"), .result("two, three")])
    #expect(statements.lines == ["one", "two, three"])
  }

  /// A remark, or nothing, is no line that could go on.
  @Test func whatGoesOnNeedsALine() {
    #expect([Statement("a", .int(1), more: ", one")].told == [])
    let remark: [Statement] = [.words(.remark("mind")), Statement("a", .int(1), more: ", one")]
    #expect(remark.told == [.remark("mind")])
  }

  @Test func otherWordsLeaveTheMembers() {
    let statements = [Statement("points", .int(7), "at 7 points"), tun]
    let other = statements.saying(["tun": .lines(["with tun5"])])
    #expect(other.object == statements.object)
    #expect(other.lines == ["with tun5"])
    #expect(statements.saying([:]).told.isEmpty)
  }

  /// What comes from others neither ends a line nor hides.
  @Test func namesOfOthersStayInTheirLine() {
    let statement = Statement("name", .string("a\nb"), "name \("a\nb" as String)")
    #expect([statement].lines.count == 1)
    #expect(![statement].lines[0].text.contains("\n"))
  }
}
