import Testing
import Wire

@testable import Trace

/// Names of others in commands: only those that every language on the way reads as just that name.
struct CommandTests {
  static let hostile = [
    "", " ", "a b", "a;b", "a'b", "a\"b", "a\\b", "$(id)", "`id`", "a\nb", "a\u{1b}b", "a\u{202e}b",
    "-F", "--modprobe=/bin/x", "!a", "a|b", "a&b", "a>b", "a*", "a?", "[a]", "{a}", "a#b", "~a",
    "é", "a\u{fffd}", String(octets: [0x61, 0xff]), "a\0b",
  ]

  @Test(arguments: hostile) func aNameThatNoLanguageTakes(_ name: String) {
    #expect(throws: Word.Unspeakable.self) { try Word.nft(name) }
    #expect(throws: Word.Unspeakable.self) { try Word.iptables(chain: name) }
    #expect(throws: Word.Unspeakable.self) { try Word.iptables(table: name) }
    #expect(throws: Word.Unspeakable.self) { try Word.device(name) }
    #expect(throws: Word.Unspeakable.self) { try Word.nftDevice(name) }
    #expect(throws: Word.Unspeakable.self) { try Word.sysctl(name) }
  }

  @Test(arguments: ["accept", "counter", "table", "drop", "flush", "1x", "-x", "a:b", "a@b", "a+b"])
  func aNameThatNFTTakesForSomethingElse(_ name: String) {
    #expect(throws: Word.Unspeakable.self) { try Word.nft(name) }
  }

  @Test(arguments: ["FORWARD", "my.chain", "a-b/c_d", "in", "out", "nat", "DOCKER-USER", "_x"])
  func anOrdinaryName(_ name: String) throws {
    #expect(try Word.nft(name).text == name)
  }

  @Test func names() throws {
    #expect(try Word.iptables(chain: "DOCKER-ISOLATION-STAGE-1").text == "DOCKER-ISOLATION-STAGE-1")
    #expect(throws: Word.Unspeakable.self) {
      try Word.iptables(chain: String(repeating: "x", count: 29))
    }
    #expect(throws: Word.Unspeakable.self) { try Word.nft(String(repeating: "x", count: 128)) }
    #expect(try Word.nftDevice("eth0.5").text == "\"eth0.5\"")
    for name in ["eth+", "if7", "dev", "all", String(repeating: "x", count: 16)] {
      #expect(throws: Word.Unspeakable.self) { try Word.device(name) }
    }
    #expect(try Word.sysctl("net.ipv4.conf.eth0/5.rp_filter").text.hasPrefix("net."))
  }

  @Test func aCommandIsMadeOfWords() throws {
    let match: Command = "oifname \(try Word.nftDevice("eth0")) drop"
    let command: Command = "nft add rule ip \(try Word.nft("t")) c \(match.quoted) handle \(7)"
    #expect(command.text == "nft add rule ip t c 'oifname \"eth0\" drop' handle 7")
  }

  /// A finding without its command says which name is in its way, and shows it on one line.
  @Test func aFindingWithoutItsCommand() {
    let finding = RuleDrop.error(
      "it was dropped", remedy: try "nft list chain \(Word.nft("a\n b"))")
    #expect(finding.remedy == nil)
    #expect(
      finding.summary
        == #"it was dropped; the name "a\n\x20b" cannot be put into a command for nft"#)
  }

  @Test func namesInSentences() {
    #expect(Escape.name("FORWARD") == "FORWARD")
    #expect(Escape.name("a b\"\n\u{202e}") == #""a\x20b\"\n\u{202e}""#)
    #expect(Escape.name(String(octets: [0x61, 0xff])) == #""a\xff""#)
    #expect(
      Escape.text("größer → µ\u{a0}\u{2028}\u{7f}\u{9b}") == #"größer → µ\xa0\u{2028}\x7f\x9b"#)
  }

  /// JSON has all of a name, and nothing of it that a terminal obeys.
  @Test func namesInJSON() {
    let name = "a\"\\\n\u{1b}\u{7f}\u{85}\u{202e}\u{e0001}é→" + String(octets: [0xff])
    #expect(
      JSONValue.string(name).line
        == #""a\"\\\n\u001b\u007f\u0085\u202e\udb40\udc01é→\udbff\udeff""#)
  }
}
