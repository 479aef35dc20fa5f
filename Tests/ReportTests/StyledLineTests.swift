import Testing

@testable import Report

struct StyledLineTests {
  @Test func partsKeepTheirRoles() {
    let line: StyledLine = "a \(StyledLine("b", .bad)) c" + StyledLine("d", .good)
    #expect(line.spans.map(\.role) == [.plain, .bad, .plain, .good])
    #expect(line.text == "a b cd")
    #expect(ANSI.text(line, color: false) == "a b cd")
    #expect(ANSI.text(line, color: true) == "a \u{1b}[31mb\u{1b}[0m c\u{1b}[32md\u{1b}[0m")
    #expect(StyledLine("", .bad).isEmpty && StyledLine("a") + "b" == "ab")
  }

  @Test func everyRoleOfWordsHasALook() {
    for role in StyledLine.Role.allCases {
      let text = ANSI.text(StyledLine("x", role), color: true)
      #expect((text == "x") == [.plain, .command].contains(role))
      // The second wall lets through what the first one writes.
      #expect(TerminalSafe.clean(text) == text)
    }
  }

  /// Where a terminal has no other letters than ASCII's: signs are spelled, names written out.
  @Test func inASCII() {
    let line: StyledLine = "≤1.0 µs → \(StyledLine("路", .bad)) …"
    #expect(line.inASCII.text == "<=1.0 us -> \\u{8def} ...")
    #expect(line.inASCII.spans.map(\.role) == [.plain, .bad, .plain])
    var style = TextStyle(unicode: false)
    #expect(style.written([line]) == ["<=1.0 us -> \\u{8def} ..."])
    style.unicode = true
    #expect(style.written([line]) == [line.text])
  }

  @Test func spacesAtTheEndGo() {
    #expect(("a  " + StyledLine("  ", .bad)).trimmed == "a")
    #expect(("a " + StyledLine("b ", .bad)).trimmed == "a " + StyledLine("b", .bad))
    #expect(StyledLine("   ").trimmed.isEmpty)
  }

  /// A word is broken nowhere, though it may have parts in several roles.
  @Test func brokenBetweenWords() {
    let line: StyledLine = "one \(StyledLine("two th", .bad))ree four"
    #expect(line.broken(at: 80) == line)
    let broken = line.broken(at: 9)
    #expect(broken.text == "one two\n  three\n  four")
    #expect(broken.spans.map(\.role) == [.plain, .bad, .plain])
    #expect(StyledLine("日本 語です x").broken(at: 6).text == "日本\n  語です\n  x")
    // Behind a label, in its column.
    #expect(
      StyledLine("recorder   process 7, which has ended").broken(at: 30).text
        == "recorder   process 7, which\n           has ended")
    // A command as a shell reads on.
    let command: StyledLine = "  or \(StyledLine("sysctl -w net/a=1 net/b=2", .command))"
    #expect(command.broken(at: 24).text == "  or sysctl -w net/a=1 \\\n    net/b=2")
    #expect(command.broken(at: 24).broken(at: 24) == command.broken(at: 24))
    // Behind its indentation, and without the spaces at which it ends; what is below is counted anew.
    #expect(StyledLine("    one    two").broken(at: 10).text == "    one\n     two")
    let below = StyledLine("    one two three") + "four"
    #expect(below.broken(at: 12).text == "    one two\n      threefour")
    #expect(
      ("a wide one\n" as StyledLine + "and another").broken(at: 10).text
        == "a wide one\nand\n  another")
  }

  @Test(arguments: [
    ("", 0), ("abc", 3), ("µs → ✗", 6), ("日本", 4), ("ｆｗ", 4), ("e\u{301}", 1), ("한", 2),
    ("\u{1112}\u{1161}\u{11ab}", 2), ("👍", 2), ("🟠", 2), ("a\u{200d}b", 2), ("ﾊ", 1),
    ("\u{3099}", 0), ("\u{2fffd}", 2), ("ⓐ", 1), ("€", 1),
  ])
  func columns(_ text: String, _ columns: Int) {
    #expect(TextLayout.columns(text) == columns)
  }

  @Test func paddedToColumns() {
    #expect(TextLayout.padded("日本", to: 6) == "日本  ")
    #expect(TextLayout.padded("abc", to: 2) == "abc")
    #expect(TextLayout.padded(from: 5, "7") == "    7")
    #expect(TextLayout.padded(from: 4, "f", with: "0") == "000f")
    #expect(TextLayout.space(-1) == "")
  }

  @Test func wrappedAtWordsAndCommas() {
    #expect(TextLayout.wrapped("a  b", to: 4) == ["a  b"])
    #expect(TextLayout.wrapped("aaa bbb cc", to: 7, hanging: "  ") == ["aaa bbb", "  cc"])
    #expect(TextLayout.wrapped("long-word x", to: 4) == ["long-word", "x"])
    #expect(TextLayout.wrapped("one, two, three", to: 9, at: ", ") == ["one, two,", "three"])
    #expect(TextLayout.wrapped("日本 語", to: 5) == ["日本", "語"])
  }

  @Test func besideALabel() {
    let style = TextStyle(width: 13)
    #expect(
      style.aligned("  ab", to: 6, ["one, two", "three"]).map(\.text)
        == ["  ab  one,", "      two", "      three"])
    #expect(style.aligned("日本", to: 6, ["x"]).map(\.text) == ["日本  x"])
  }
}

struct ShellWordsTests {
  /// A command is broken where a shell parts its words, and nowhere else.
  @Test(arguments: [
    ("ip rule add from 10.0.0.1", ["ip", "rule", "add", "from", "10.0.0.1"]),
    ("nft add rule 'ip saddr 1.2.3.4 drop'", ["nft", "add", "rule", "'ip saddr 1.2.3.4 drop'"]),
    (#"echo "a b" c\ d"#, ["echo", #""a b""#, #"c\ d"#]),
    (#"echo 'it'\''s a b' c"#, ["echo", #"'it'\''s a b'"#, "c"]),
  ])
  func parts(_ text: String, _ words: [String]) {
    #expect(ShellWords.split(text) == words)
    #expect(words.joined(separator: " ") == text)
  }

  /// Broken to any width, a shell reads the same words.
  @Test(arguments: [20, 30, 40, 60, 64, 80, 120])
  func brokenCommandsAreReadAlike(_ width: Int) {
    var style = TextStyle(width: width)
    style.isTerminal = true
    for command in [
      "nft add rule ip6 nat postrouting ip6 saddr fd12:3456:789a:1::/64 oifname '\"enp130s0f1np1\"' masquerade",
      "nft add chain ip nat postrouting '{ type nat hook postrouting priority srcnat; }' && nft list ruleset",
      #"nsenter --net=/proc/7/ns/net sh -c 'nft add rule ip f c '\''{ a b c d e f }'\'' && echo "a b c d" e\ f'"#,
      #"echo "a word with a \" quote and 'others' in it" a\ b\ c"#,
    ] {
      let lines = style.broken(command: command, behind: 12, indent: "              ").map(\.text)
      #expect(Self.shell(lines.joined(separator: "\n")) == Self.shell(command), "\(lines)")
      let broken = lines.map { StyledLine($0, .command).broken(at: width).text }
      #expect(broken == lines)
      // What is too wide is one word without blanks in quotes.
      for line in lines.dropFirst() where line.count > width {
        #expect(line.split(separator: " ").count <= 2, "\(line)")
      }
    }
  }

  /// The words that a shell reads, POSIX.1 2.2; the end of a command is one, too.
  private static func shell(_ text: String) -> [String] {
    var words: [String] = []
    var word: String?
    var quote: Character?
    var rest = Substring(text)
    while let letter = rest.popFirst() {
      switch (letter, quote) {
      case ("\\", nil), ("\\", "\""):
        let next = rest.popFirst()
        if next == "\n" { continue }
        let isKept = quote == "\"" && next.map { !"\"\\$`".contains($0) } ?? true
        word = (word ?? "") + (isKept ? "\\" : "") + (next.map(String.init) ?? "")
      case (_, let open?) where letter == open: quote = nil
      case ("'", nil), ("\"", nil):
        quote = letter
        word = word ?? ""
      case (" ", nil), ("\n", nil):
        if let word { words.append(word) }
        word = nil
        if letter == "\n" { words.append("\n") }
      default: word = (word ?? "") + String(letter)
      }
    }
    return words + [word].compactMap(\.self)
  }
}
