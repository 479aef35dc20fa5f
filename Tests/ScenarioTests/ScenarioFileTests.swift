import FoundationEssentials
import Scenarios
import Testing

/// A file of scenarios is read strictly: what is wrong is told with its line, and with what is right.
@Suite struct ScenarioFileTests {
  private func read(_ text: String) throws -> [Scenario] {
    try ScenarioFile.scenarios(text, path: "f.toml")
  }

  /// The message of what is wrong with a text.
  private func fault(_ text: String) -> String {
    do {
      _ = try read(text)
      return "nothing"
    } catch {
      return "\(error)"
    }
  }

  @Test func everythingIsRead() throws {
    let all = try read(
      #"""
      outcome = "lost"
      [words]
      NOISE = '''
      echo "$DST" \n
      '''
      SIZE = { v4 = "4", v6 = "6" }

      # Why it is here.
      ["drop-$KIND"]   # and here
      each = [
        { KIND = "one", TABLE = "raw" },
        { KIND = "two", TABLE = "$FAM" },  # the last
      ]
      fixtures = ["drop-two-v6", "drop-one-without-reasons-v4"]
      nat = "iptables"
      router = '''
      $NOISE
      for i in $x; do perl -e '$ARGV[0] $!'; done
      '''
      server = "a\t\"b\" $BPF"
      entrance = "--in up0 -s $GW"
      arguments = "-p udp --size $SIZE"
      destination = "$UP"
      timeout = 0.6
      last-seen = "request forward"
      errors = ["rule-drop"]
      warnings = []
      notes = ["fragmented"]
      may-note = ["a", "b"]
      at = { hook = "forward", table = "$TABLE", chain = "fw", rule = 'x "$LEN"' }
      mentions = ["$SRC"]
      remedy = "cures"
      errors-without-reasons = ["no-reply"]
      inferred = true
      needs = "test -e /"
      ["drop-$KIND".v6]
      remedy = "none"
      """#)
    #expect(
      all.map(\.name) == ["drop-one-v4", "drop-one-v6", "drop-two-v4", "drop-two-v6"])
    let last = all[3]
    #expect(last.nat == .iptables && last.family == .v6)
    #expect(
      last.router
        == #"echo "2001:db8:77::7" \n"# + "\nfor i in $x; do perl -e '$ARGV[0] $!'; done")
    #expect(last.server == "a\t\"b\" $BPF")
    #expect(last.entrance == ["--in", "up0", "-s", "fd77:2::1"])
    #expect(last.arguments == ["-p", "udp", "--size", "6"])
    #expect(last.destination == "fd77:2::2" && last.timeout == "0.6")
    #expect(last.needs == "test -e /" && last.traffic == nil && last.pending == nil)
    #expect(last.place == "f.toml:9")
    #expect(all.map(\.fixtures) == [["drop-one-without-reasons-v4"], [], [], ["drop-two-v6"]])
    let expected = last.expected
    #expect(expected.outcome == "lost" && expected.lastSeen == "request forward")
    #expect(expected.errors == ["rule-drop"] && expected.notes == ["fragmented"])
    #expect(expected.mayNote == ["a", "b"] && expected.mentions == ["fd77:1::2"])
    let place = try #require(expected.at)
    #expect(place.hook == "forward" && place.table == "ip6" && place.chain == "fw")
    #expect(place.rule == #"x "128""#)
    #expect(expected.remedy == .none && all[2].expected.remedy == .cures)
    #expect(expected.errorsUnasked == ["no-reply"] && expected.isInferred)
  }

  @Test func whatIsNotSaidIsAsUsual() throws {
    let scenario = try #require(
      try read("[a]\nfamilies = [\"v6\"]\noutcome = \"replied\"\n").first)
    #expect(scenario.name == "a-v6" && scenario.nat == .nft && scenario.router == "")
    #expect(scenario.entrance == ["--tun", "tun7"] && scenario.destination == "2001:db8:77::7")
    #expect(scenario.timeout == "0.3" && scenario.expected.remedy == .optional)
    #expect(scenario.expected.mayNote == ["nat-once-per-flow"] && scenario.expected.errors == [])
  }

  @Test(arguments: [
    ("[a]\noutcom = \"lost\"", "f.toml:2: 'outcom' is no key of a scenario; those are: families"),
    ("nat = \"nft\"\nfoo = 1", "f.toml:2: 'foo' is no key of what holds for a whole file"),
    ("[a]\nnat = \"nft\"", "f.toml:1: 'outcome' is missing: replied, lost, rejected"),
    ("[a]\noutcome = \"loss\"", "f.toml:2: 'loss' is no outcome: replied, lost, rejected"),
    ("[a]\nnat = \"ipt\"\noutcome = \"lost\"", "f.toml:2: 'ipt' is no nat: none, nft, iptables"),
    (
      "[a]\noutcome = \"lost\"\nrouter = \"ip $DTS\"",
      "f.toml:3: '$DTS' stands for nothing; the words"
    ),
    (
      "[a]\noutcome = \"lost\"\nerrors = \"x\"",
      "f.toml:3: 'errors' is a list of texts: errors = ["
    ),
    (
      "[a]\noutcome = \"lost\"\nlast-seen = \"reply\"",
      "f.toml:3: 'reply': 'nothing', or 'request'"
    ),
    (
      "[a]\noutcome = \"lost\"\nremedy = \"x\"",
      "f.toml:3: 'x' is no remedy: none, optional, cures"
    ),
    ("[a]\noutcome = \"lost\"\ninferred = 1", "f.toml:3: 'inferred' is true or false"),
    ("[a]\noutcome = \"lost\"\ntimeout = \"1\"", "f.toml:3: 'timeout' is a number: timeout = 0.6"),
    ("[a]\noutcome = \"recorded\"", "f.toml:2: the outcome of 'traffic', and of nothing else"),
    (
      "[a]\noutcome = \"lost\"\nmentions = [\"x\"]",
      "f.toml:3: 'mentions' is said of 'errors', and"
    ),
    (
      "[a]\noutcome = \"lost\"\nerrors = [\"e\"]\nat = { hook = \"input\" }",
      "f.toml:4: 'at' is { hook = \"…\", table"
    ),
    (
      "[a]\noutcome = \"lost\"\nerrors = [\"e\"]\nat = { hook = \"in\", table = \"t\", chain = \"c\" }",
      "f.toml:4: 'in' is no hook: ingress, prerouting"
    ),
    ("[a]\noutcome = \"lost\"\nfamilies = [\"v5\"]", "f.toml:3: 'v5' is no family: v4, v6"),
    ("[a]\noutcome = \"lost\"\nfixtures = [\"b-v4\"]", "f.toml:3: 'b-v4' is none of this table's"),
    (
      "[a]\noutcome = \"lost\"\nfamilies = [\"v4\"]\n[a.v6]\nrouter = \"x\"",
      "f.toml:4: families does not have v6"
    ),
    ("[a]\noutcome = \"lost\"\neach = [{ low = \"x\" }]", "f.toml:3: 'low': a word is of capitals"),
    (
      "[a]\noutcome = \"lost\"\n[a]\noutcome = \"lost\"",
      "f.toml:3: 'a' is there already, in line 1"
    ),
    (
      "[a]\noutcome = \"lost\"\noutcome = \"lost\"",
      "f.toml:3: 'outcome' is there already, in line 2"
    ),
    ("[[a]]", "f.toml:1: '[[' is not read here"),
    ("[a]\nrouter = '''\nx", "f.toml:2: a text without its closing '''"),
    ("[a]\nrouter = \"x", "f.toml:2: a text without its closing \""),
    ("[a]\nrouter = x", "f.toml:2: 'x' is no value: a text stands in quotes"),
    ("[a]\nrouter \"x\"", "f.toml:2: '=' after the key 'router' is expected here"),
    ("[a]\nerrors = [\"a\" \"b\"]", "f.toml:2: ',' or ']' is expected after a value"),
    ("[a]\nrouter = \"x\" nat = \"nft\"", "f.toml:2: 'n' after the end: one key a line"),
    ("[a]\nrouter = \"\\d\"", "f.toml:2: '\\' may be followed by"),
  ]) func faultsAreToldWithTheirLine(_ text: String, _ message: String) {
    let told = fault(text)
    #expect(told.hasPrefix(message), "\(told)")
  }

  /// Each of them, with all the words: what cannot be run here is read here at least.
  @Test func theFilesAreRead() throws {
    let all = try ScenarioFolder.scenarios()
    #expect(all.count >= 598)
    #expect(all.filter { $0.pending != nil }.count <= 5)
  }

  /// Every recorded session is made of a scenario, or fixtures/README.md tells where it is from.
  @Test func fixturesHaveAnOrigin() throws {
    let fixtures = ScenarioFolder.path.deletingLastPathComponent().appending(path: "fixtures")
    let readme = String(
      decoding: try Data(contentsOf: fixtures.appending(path: "README.md")), as: UTF8.self)
    let made = Set(try ScenarioFolder.scenarios().flatMap(\.fixtures))
    let there = try FileManager.default.contentsOfDirectory(atPath: fixtures.path)
      .filter { $0.hasSuffix(".pcapng") }.map { String($0.dropLast(".pcapng".count)) }
    #expect(made.subtracting(there).sorted() == [])
    for name in there where !made.contains(name) {
      #expect(readme.contains("`\(name)`"), "of \(name) nothing is told")
    }
    for name in made { #expect(!readme.contains("`\(name)`"), "\(name) is of a scenario") }
  }

  @Test func starsStandForAnything() {
    for (pattern, name, fits) in [
      ("a-b", "a-b", true), ("a-b", "a-bc", false), ("a*", "a-bc", true), ("*c", "a-bc", true),
      ("a*c", "ac", true), ("a*b*c", "a-b-c", true), ("a*c*b*c", "a-b-c", false), ("*", "", true),
      ("ab*bc", "abc", false),
    ] {
      #expect(Glob(pattern).matches(name) == fits, "\(pattern) \(name)")
    }
  }
}
